from __future__ import annotations

from itertools import pairwise

from media_worker.load import CALM_WINDOWS, MOST_CALM_WINDOWS, Load
from media_worker.vision.schedule import Retreat


class Stream:
    """30 frames a second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.load = Load(self.now)

    def run(self, seconds: float, *, busy: float, lost: int = 0) -> list[Retreat]:
        """Vision and paint take the share `busy` of the time; of ten frames `lost` are. The retreat frame by frame."""
        levels = []
        for number in range(round(seconds * 30)):
            self.now += 1 / 30
            if number % 10 < lost:
                self.load.lost(self.now)
            else:
                self.load.worked(self.now, busy / 30)
            levels.append(self.load.retreat)
        return levels

    def answering(self, seconds: float, busy: dict[Retreat, float]) -> list[Retreat]:
        """As `run`, but how busy it is depends on the retreat."""
        return [self.run(1 / 30, busy=busy[self.load.retreat])[0] for _ in range(round(seconds * 30))]


def test_a_stream_with_room_stays_as_it_is() -> None:
    assert set(Stream().run(60, busy=0.7)) == {Retreat.NONE}


def test_a_hiccup_is_no_lack_of_cores() -> None:
    stream = Stream()
    stream.run(0.9, busy=0.3, lost=9)
    assert set(stream.run(5, busy=0.5)) == {Retreat.NONE}, "as at the start, while models warm up"


def test_frames_that_get_lost_drive_it_back_step_by_step_in_order() -> None:
    levels = Stream().run(8, busy=0.5, lost=4)
    assert list(dict.fromkeys(levels)) == list(Retreat)
    assert levels.index(Retreat.CADENCE) / 30 < 2.5


def test_half_of_the_frames_are_not_given_up_for_a_few() -> None:
    assert set(Stream().run(60, busy=1, lost=2)[300:]) == {Retreat.INFERENCE}


def test_busy_vision_does_too_before_frames_are_lost() -> None:
    assert Stream().run(3, busy=0.95)[-1] == Retreat.CADENCE


def test_it_comes_back_when_there_is_room() -> None:
    stream = Stream()
    stream.run(8, busy=1, lost=5)
    levels = stream.run(3 * CALM_WINDOWS + 6, busy=0.3)
    assert list(dict.fromkeys(levels)) == list(reversed(Retreat))


def test_what_just_fits_neither_advances_nor_retreats() -> None:
    stream = Stream()
    stream.run(3, busy=1)
    assert set(stream.run(60, busy=0.65)) == {Retreat.CADENCE}


def test_steps_back_in_vain_become_rare() -> None:
    """A machine on which one level is too much and the next leaves room must not change twice in ten seconds."""
    stream = Stream()
    levels = stream.answering(300, {Retreat.NONE: 0.95, Retreat.CADENCE: 0.45})
    advances = [k / 30 for k in range(1, len(levels)) if levels[k] < levels[k - 1]]
    waits = [round(b - a, 1) for a, b in pairwise(advances)]
    assert waits == sorted(waits)
    assert len(advances) <= 6
    assert waits[-1] > 60
    assert max(waits) < MOST_CALM_WINDOWS + 10, "but it never stops trying"
