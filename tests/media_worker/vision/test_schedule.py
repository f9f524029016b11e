from __future__ import annotations

import numpy as np
import pytest

from media_worker.vision.following import FLOW_ONLY_MS, FLOW_ONLY_TRUSTING_MS
from media_worker.vision.schedule import Retreat, Schedule, Work

HANDS_MS, PROPOSE_MS, REFINE_MS = 3.3, 4.2, 3.0
"""Of one thread of a 2-core AMD EPYC: one hand, a map of 320x240, five crops."""


def run(
    frames: int,
    interval: float,
    *,
    hands: int = 1,
    nails: int = 5,
    urgent: bool = False,
    settled: bool = True,
    at_rest: bool = False,
    retreat: Retreat = Retreat.NONE,
) -> list[Work]:
    schedule = Schedule()
    told = {"urgent": urgent, "settled": settled, "at_rest": at_rest}
    return [schedule.next(k * interval, hands=hands, nails=nails, **told, retreat=retreat) for k in range(frames)]


def due(work: Work) -> set[str]:
    return {name for name in ("hands", "propose", "refine") if getattr(work, name)}


def cost(work: Work) -> float:
    return HANDS_MS * work.hands + PROPOSE_MS * work.propose + REFINE_MS * work.refine


def test_a_first_frame_gets_everything() -> None:
    assert due(Schedule().next(5000, hands=0, nails=0)) == {"hands", "propose"}
    assert due(Schedule().next(5000, hands=1, nails=5)) == {"hands", "propose", "refine"}


def test_hands_and_looks_take_turns_at_30_frames_a_second() -> None:
    work = run(90, 33.4)[1:]
    assert not any(each.hands and each.refine for each in work)
    assert sum(each.hands for each in work) == pytest.approx(22, abs=3)
    assert sum(each.refine for each in work) == pytest.approx(23, abs=3)
    assert 1 <= sum(each.propose for each in work) <= 2
    assert sum(map(cost, work)) / len(work) < 7
    assert max(map(cost, work)) <= PROPOSE_MS


@pytest.mark.parametrize(("hands", "nails"), [(1, 5), (0, 5), (2, 10)])
def test_a_look_at_the_whole_picture_has_a_frame_of_its_own(hands: int, nails: int) -> None:
    work = run(300, 33.4, hands=hands, nails=nails)[1:]
    assert any(each.propose for each in work)
    assert not any(each.propose and (each.refine or each.hands) for each in work)
    looks = [k for k, each in enumerate(work) if each.refine]
    assert max(np.diff(looks)) * 33.4 <= FLOW_ONLY_MS - 90, "two late frames do no harm"


@pytest.mark.parametrize("interval", [33.4, 40.0])
def test_what_is_at_rest_costs_less_and_is_still_believed(interval: float) -> None:
    moving, resting = (run(300, interval, at_rest=at_rest)[1:] for at_rest in (False, True))
    assert sum(map(cost, resting)) < 0.85 * sum(map(cost, moving))
    looks = [k * interval for k, each in enumerate(resting) if each.refine]
    assert max(np.diff(looks)) <= FLOW_ONLY_MS
    hands = [k * interval for k, each in enumerate(resting) if each.hands]
    assert max(np.diff(hands)) <= 240, "a second hand is looked for every other time"


def test_hands_are_looked_at_more_often_where_nails_are_missing() -> None:
    settled, open_ones = (run(300, 33.4, settled=settled)[1:] for settled in (True, False))
    assert sum(each.hands for each in open_ones) > 1.2 * sum(each.hands for each in settled)


@pytest.mark.parametrize("interval", [120, 400])
def test_frames_that_come_slowly_get_all_that_is_due(interval: float) -> None:
    assert all(each.hands and each.refine for each in run(20, interval))


def test_an_unsettled_nail_is_looked_at_in_every_frame_and_hands_go_on() -> None:
    work = run(60, 33.4, urgent=True)
    assert all(each.refine for each in work)
    assert sum(each.hands for each in work) >= 18
    assert any(each.propose for each in work[1:])
    assert max(map(cost, work[1:])) <= PROPOSE_MS + REFINE_MS


def test_close_ups_are_not_searched_for_a_hand_all_the_time() -> None:
    work = run(105, 33.4, hands=0)[15:]
    assert 8 <= sum(each.hands for each in work) <= 14
    assert sum(each.propose for each in work) >= 12, "but for further nails"
    assert sum(map(cost, work)) / len(work) < 10


def test_a_hand_that_was_just_lost_is_looked_for_at_once() -> None:
    schedule = Schedule()
    for k in range(30):
        schedule.next(k * 33.4, hands=1, nails=5, urgent=False)
    lost = [schedule.next(k * 33.4, hands=0, nails=5, urgent=False) for k in range(30, 37)]
    assert sum(each.hands for each in lost) >= 3, "within a quarter of a second"


def test_an_empty_picture_is_searched_in_turns() -> None:
    work = run(60, 33.4, hands=0, nails=0)[1:]
    assert not any(each.hands and each.propose for each in work)
    assert all(any(each.hands for each in work[k : k + 3]) for k in range(57)), "a hand is found within 100 ms"
    assert all(any(each.propose for each in work[k : k + 3]) for k in range(57))


def test_a_restart_makes_all_due_again() -> None:
    schedule = Schedule()
    schedule.next(0, hands=1, nails=5, urgent=False)
    schedule.restart()
    assert due(schedule.next(1, hands=0, nails=0)) == {"hands", "propose"}


@pytest.mark.parametrize("retreat", [Retreat.CADENCE, Retreat.INFERENCE, Retreat.FRAMES])
@pytest.mark.parametrize(("hands", "nails"), [(1, 5), (0, 5), (2, 10), (0, 0)])
def test_in_retreat_a_second_costs_less_and_work_still_takes_turns(retreat: Retreat, hands: int, nails: int) -> None:
    frames, interval = (150, 66.7) if retreat == Retreat.FRAMES else (300, 33.4)
    work = run(frames, interval, hands=hands, nails=nails, retreat=retreat)[1:]
    at_ease = run(300, 33.4, hands=hands, nails=nails)[1:]
    assert sum(map(cost, work)) < 0.85 * sum(map(cost, at_ease))
    assert max(map(cost, work)) <= PROPOSE_MS
    if nails:
        gaps = np.diff([k * interval for k, each in enumerate(work) if each.refine])
        if retreat == Retreat.CADENCE:
            assert max(gaps) <= FLOW_ONLY_MS
        else:
            assert max(gaps[1:] + gaps[:-1]) <= FLOW_ONLY_TRUSTING_MS, "each nail is in every second look"
