from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker.drawn_hand import Drawing, Scene, draw
from media_worker.vision.finder import Guess
from media_worker.vision.following import CONFIRMATIONS, FADE_IN_MS, FADE_OUT_MS, FLOW_ONLY_MS, NailFollower
from media_worker.vision.nails import Nail
from media_worker.vision.pictures import RgbPicture
from protocol.designs import Finger

FRAME_MS = 33
DRAWING = draw(Scene(noise=1), 0)
BLANK = np.full((480, 640, 3), 128, np.uint8)


def true_nails(drawing: Drawing = DRAWING) -> list[Nail]:
    return [
        Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 0.9, 1.0) for n in drawing.nails
    ]


SHOWN = RgbPicture(DRAWING.rgb)


def nameless(nails: list[Nail]) -> list[Nail]:
    return [replace(nail, finger=None, hand=None) for nail in nails]


def shifted(nail: Nail, x: float) -> Nail:
    by = np.array([x, 0], np.float32)
    return replace(nail, outline=nail.outline + by, axis=nail.axis + by)


def following(nails: list[Nail], *, shown: bool = True) -> NailFollower:
    """A follower that has just seen its first frame."""
    follower = NailFollower()
    follower.move(SHOWN)
    follower.add(nails, 0, shown=shown)
    follower.fade(0, FADE_IN_MS)
    return follower


def levels(follower: NailFollower, now: float) -> list[float]:
    return [nail.visibility for nail in follower.fade(now, FRAME_MS)]


def test_a_first_frame_is_painted_in_full() -> None:
    """A client may send just one."""
    follower = NailFollower()
    follower.move(SHOWN)
    follower.add(nameless(true_nails()), 0, shown=True)
    nails = follower.fade(0, FADE_IN_MS)
    assert [nail.visibility for nail in nails] == [1] * 5
    assert sorted(nail.number for nail in nails) == [1, 2, 3, 4, 5]


def test_a_new_named_nail_fades_in_without_a_jump() -> None:
    follower = NailFollower()
    follower.move(SHOWN)
    follower.add(true_nails()[:1], 0, shown=False)
    rising = [levels(follower, frame * FRAME_MS)[0] for frame in range(5)]
    assert max(np.diff([0.0, *rising])) <= FRAME_MS / FADE_IN_MS + 1e-6
    assert rising[-1] == 1


def test_a_nail_without_a_hand_is_painted_when_seen_three_times() -> None:
    follower = following(nameless(true_nails()[:1]), shown=False)
    for frame in range(CONFIRMATIONS - 1):
        assert levels(follower, frame * FRAME_MS) == []
        follower.correct(follower.tracks, nameless(true_nails()[:1]), (frame + 1) * FRAME_MS)
    assert levels(follower, CONFIRMATIONS * FRAME_MS) == pytest.approx([FRAME_MS / FADE_IN_MS])


def test_without_a_hand_more_confidence_is_asked_for() -> None:
    (nail,) = nameless([replace(true_nails()[0], confidence=0.7)])
    assert following([nail], shown=True).tracks == []
    assert len(following([replace(nail, confidence=0.95)], shown=True).tracks) == 1
    assert len(following([replace(true_nails()[0], confidence=0.55)], shown=True).tracks) == 1, "with one, less will do"


def test_what_was_seen_only_once_is_never_painted() -> None:
    follower = following(nameless(true_nails()[:1]), shown=False)
    for frame in range(1, 4):
        follower.correct(follower.tracks, [None] * len(follower.tracks), frame * FRAME_MS)
        assert levels(follower, frame * FRAME_MS) == []
    assert follower.tracks == []


def test_a_doubtful_nail_is_not_taken_up() -> None:
    assert following([replace(true_nails()[0], confidence=0.4)]).tracks == []


def test_a_nail_missed_twice_is_gone_within_a_tenth_of_a_second() -> None:
    follower = following(true_nails()[:1])
    falling = []
    for frame in range(1, 5):
        follower.move(SHOWN)
        follower.correct(follower.tracks, [None] * len(follower.tracks), frame * FRAME_MS)
        falling += [levels(follower, frame * FRAME_MS) or [0.0]]
    assert 0 < falling[0][0] < 1
    assert max(-np.diff([1.0, *(level for (level,) in falling)])) <= FRAME_MS / FADE_OUT_MS + 1e-6
    assert falling[2] == [0.0]


def test_one_miss_is_forgiven() -> None:
    follower = following(true_nails()[:1])
    follower.correct(follower.tracks, [None], FRAME_MS)
    assert levels(follower, FRAME_MS)[0] > 0.5
    follower.correct(follower.tracks, true_nails()[:1], 2 * FRAME_MS)
    for frame in range(2, 6):
        last = levels(follower, frame * FRAME_MS)
    assert last == [1]


def test_falling_confidence_hides_a_nail_later_than_it_would_show_one() -> None:
    follower = following(true_nails()[:1])
    shown = {}
    for confidence in (0.42, 0.2):
        for frame in range(12):
            follower.correct(follower.tracks, [replace(true_nails()[0], confidence=confidence)], frame)
            shown[confidence] = levels(follower, frame)
    assert shown == {0.42: [1], 0.2: []}


def test_flow_alone_is_not_believed_for_long() -> None:
    follower = following(true_nails()[:1])
    lifetime = FLOW_ONLY_MS + FADE_OUT_MS + 2 * FRAME_MS
    for now in range(FRAME_MS, lifetime + FRAME_MS, FRAME_MS):
        follower.move(SHOWN)
        last = levels(follower, now)
        assert last == [1] or now > FLOW_ONLY_MS
    assert last == []


def test_where_flow_fails_a_nail_fades_in_place() -> None:
    follower = following(true_nails()[:1])
    (before,) = follower.fade(0, FRAME_MS)
    follower.move(RgbPicture(BLANK))
    (fading,) = follower.fade(FRAME_MS, FRAME_MS)
    assert np.array_equal(fading.outline, before.outline)
    assert fading.visibility == pytest.approx(1 - FRAME_MS / FADE_OUT_MS)
    assert all(track.restless for track in follower.tracks), "so that it is looked for at once"


def test_a_lost_nail_is_looked_for_where_the_hand_says_it_is() -> None:
    follower = following(true_nails()[:1])
    follower.move(RgbPicture(BLANK))
    away = shifted(true_nails()[0], 60)
    assert follower.rename([Guess.at(away)]) == []
    assert np.allclose(follower.tracks[0].guess.centre, away.outline.mean(axis=0))
    follower.correct(follower.tracks, [away], FRAME_MS)
    (found,) = follower.fade(FRAME_MS, FRAME_MS)
    assert np.allclose(found.axis, away.axis, atol=0.1)
    assert found.visibility == 1, "it never went"


def test_noise_of_looks_is_smoothed_and_a_lasting_difference_is_followed() -> None:
    random = np.random.default_rng(0)
    (nail,) = true_nails()[1:2]
    follower = following([nail])
    places = []
    for frame in range(1, 150):
        follower.correct(follower.tracks, [shifted(nail, random.normal(0, 0.7))], frame)
        places.append(follower.tracks[0].shape.centre.real)
    assert np.std(places[30:]) < 0.3
    for frame in range(150, 158):
        follower.correct(follower.tracks, [shifted(nail, 3 + random.normal(0, 0.3))], frame)
    assert follower.tracks[0].shape.centre.real == pytest.approx(np.mean(places[30:]) + 3, abs=0.9)


def test_a_look_that_finds_the_neighbour_is_a_miss() -> None:
    follower = following(true_nails()[1:2])
    follower.correct(follower.tracks, [shifted(true_nails()[1], 40)], FRAME_MS)
    assert follower.tracks[0].misses == 1


def test_two_tracks_of_one_nail_become_one() -> None:
    follower = following(true_nails()[:1])
    older = follower.tracks[0]
    follower.add([shifted(true_nails()[0], 3)], FRAME_MS, shown=False)
    assert follower.tracks == [older]


def test_names_come_by_votes() -> None:
    nails = true_nails()
    follower = following(nameless(nails))
    guesses = [Guess.at(nail) for nail in nails]
    assert follower.rename(guesses) == []
    assert [nail.finger for nail in follower.fade(0, FRAME_MS)] == list(Finger)
    for _ in range(10):
        follower.rename(guesses)
    rotated = [
        replace(guess, finger=other.finger) for guess, other in zip(guesses, guesses[1:] + guesses[:1], strict=True)
    ]
    follower.rename(rotated)
    assert [nail.finger for nail in follower.fade(0, FRAME_MS)] == list(Finger), "once is no reason"
    for _ in range(20):
        follower.rename(rotated)
    assert [nail.finger for nail in follower.fade(0, FRAME_MS)] == [guess.finger for guess in rotated]


def test_a_name_is_borne_once() -> None:
    thumb, index = true_nails()[:2]
    follower = following([thumb, replace(index, finger=Finger.THUMB)])
    for _ in range(3):
        follower.rename([Guess.at(thumb)])
    assert sorted(str(nail.finger) for nail in follower.fade(0, FRAME_MS)) == ["None", "thumb"]


def test_guesses_far_from_any_nail_are_left_over() -> None:
    nails = true_nails()
    follower = following(nails[:3])
    left = follower.rename([Guess.at(nail) for nail in nails])
    assert [guess.finger for guess in left] == [Finger.RING, Finger.PINKY]


def test_a_nail_on_a_pad_fades_at_once_and_is_forgotten() -> None:
    nail, other = true_nails()[1:3]
    follower = following([nail, other])
    follower.deny([Guess.at(nail)])
    falling = [[n.visibility for n in follower.fade(k * FRAME_MS, FRAME_MS) if n.finger is nail.finger] for k in (1, 2)]
    assert falling == [[pytest.approx(1 - FRAME_MS / FADE_OUT_MS)], [pytest.approx(1 - 2 * FRAME_MS / FADE_OUT_MS)]]
    assert [track.restless for track in follower.tracks] == [False, False], "there is nothing to look at"
    assert [n.finger for n in follower.fade(3 * FRAME_MS, FRAME_MS)] == [other.finger]
    assert [track.name for track in follower.tracks] == [(other.finger, other.hand)]


def test_nothing_new_is_followed_on_a_pad_until_the_hand_turns() -> None:
    nail = true_nails()[1]
    follower = following([])
    follower.deny([Guess.at(nail)])
    follower.add([nail], 0, shown=True)
    assert follower.tracks == []
    follower.deny([])
    follower.add([nail], FRAME_MS, shown=True)
    assert len(follower.tracks) == 1


def test_a_pad_for_one_frame_hardly_shows() -> None:
    follower = following(true_nails()[1:2])
    follower.deny([Guess.at(true_nails()[1])])
    assert levels(follower, FRAME_MS)[0] > 0.6
    follower.deny([])
    assert levels(follower, 2 * FRAME_MS)[0] > 0.8


def test_what_flow_lost_and_a_look_missed_is_gone_at_once() -> None:
    """At a cut, or when a hand darts off, paint must not hang in the air while it fades."""
    follower = following(true_nails()[:1], shown=True)
    assert levels(follower, 0) == [1]
    follower.move(RgbPicture(np.random.default_rng(0).integers(0, 255, DRAWING.rgb.shape, np.uint8)))
    assert follower.tracks[0].lost
    follower.correct(follower.tracks, [None], FRAME_MS)
    assert levels(follower, FRAME_MS) == []
