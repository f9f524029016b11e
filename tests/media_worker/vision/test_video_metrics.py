from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, Sweep, draw
from media_worker.vision import video_metrics
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.nails import Nail
from media_worker.vision.video_metrics import FlowMeter, NailTracks, Track, jitter, still_stretches
from protocol.designs import Finger

SHAPE = (120, 160)


def even_flow(x: float, y: float) -> Floats:
    return np.full((*SHAPE, 2), (x, y), np.float32)


NO_FLOW = even_flow(0, 0)


def nail_at(x: float, y: float = 60, length: float = 20) -> Nail:
    half = length / 2
    outline = np.array([(x - 6, y + half), (x + 6, y + half), (x + 6, y - half), (x - 6, y - half)], np.float32)
    axis = np.array([(x, y + half), (x, y - half)], np.float32)
    return Nail(Finger.INDEX, "right", outline, axis, 0.9, 1.0)


def square(left: int, top: int, size: int) -> Mask:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + size, left : left + size] = True
    return mask


def follow(*frames: list[Nail], flow: Floats = NO_FLOW) -> NailTracks:
    tracks = NailTracks()
    for index, nails in enumerate(frames):
        tracks.update(nails, flow if index else None)
    return tracks


def texture(shift: int) -> Pixels:
    random = np.random.default_rng(3)
    wide = cv2.GaussianBlur(random.uniform(-1, 1, (SHAPE[0], SHAPE[1] + 20)), (0, 0), 3)
    bytes_ = np.clip(128 + 800 * wide, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(bytes_[:, 10 - shift : 10 - shift + SHAPE[1]])


def test_a_warped_mask_lies_where_the_pixels_went() -> None:
    flow = even_flow(-7, 3)  # a pixel was 7 to the left and 3 below: it went right and up
    assert np.array_equal(video_metrics.warp(square(40, 50, 20), flow), square(47, 47, 20))
    assert video_metrics.agreement(square(40, 50, 20), square(47, 47, 20), flow) == 1
    shifted = video_metrics.agreement(square(40, 50, 20), square(52, 47, 20), flow)
    assert shifted == pytest.approx(15 / 25), "five of twenty columns off"
    empty = np.zeros(SHAPE, bool)
    assert video_metrics.agreement(empty, empty, flow) is None
    assert video_metrics.agreement(empty, square(40, 50, 20), flow) == 0


def test_flow_follows_a_translation() -> None:
    meter = FlowMeter()
    assert meter.update(texture(0)) is None
    flow = meter.update(texture(4))
    assert flow is not None
    inner = flow[20:-20, 20:-20]
    assert np.median(inner[..., 0]) == pytest.approx(-4, abs=0.1)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.1)
    agreed = video_metrics.agreement(square(60, 40, 24), square(64, 40, 24), flow)
    assert agreed is not None and agreed > 0.95
    assert meter.update(texture(4)[:60]) is None, "another size starts afresh"


def test_true_masks_of_a_swept_hand_agree() -> None:
    meter, agreements, before = FlowMeter(), [], None
    for frame in range(5):
        drawing = draw(Scene(still=True, sweep=Sweep(speed=120)), frame / 30)
        flow = meter.update(cv2.cvtColor(drawing.rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8))
        mask = drawing.mask() > 0
        if before is not None and flow is not None:
            agreements.append(video_metrics.agreement(before, mask, flow))
        before = mask
    assert len(agreements) == 4
    assert all(agreed is not None and agreed > 0.9 for agreed in agreements)


def test_the_centre_is_that_of_the_area() -> None:
    corners = np.array([(0, 0), (4, 0), (4, 2), (0, 2)], np.float32)
    crowded = np.vstack([corners[:1], np.array([(0.1, 0), (0.2, 0), (0.3, 0)], np.float32), corners[1:]])
    assert video_metrics.centre(corners) == pytest.approx([2, 1])
    assert video_metrics.centre(crowded) == pytest.approx([2, 1])
    assert video_metrics.centre(np.array([(3, 3), (5, 5)], np.float32)) == pytest.approx([4, 4]), "no area: the mean"


def test_a_nail_that_moves_with_the_flow_stays_one_track() -> None:
    flow = even_flow(-15, 0)
    tracks = follow(*[[nail_at(20 + 15 * k), nail_at(35 + 15 * k)] for k in range(6)], flow=flow)
    assert [len(track.frames) for track in tracks.tracks] == [6, 6], "though each lands where the other was"
    assert tracks.pops() == []


def test_a_named_nail_may_outrun_the_flow() -> None:
    jumps = [[nail_at(20 + 40 * (k % 2))] for k in range(6)]
    assert [len(track.frames) for track in follow(*jumps).tracks] == [6]
    unnamed = [[replace(nail, finger=tuple(Finger)[k % 2]) for nail in nails] for k, nails in enumerate(jumps)]
    tracks = follow(*unnamed)
    assert [len(track.frames) for track in tracks.tracks] == [3, 3], "two lengths off is another nail"
    assert len(tracks.pops()) == 4


def test_flashes_and_dropouts_are_pops() -> None:
    there, gone = [nail_at(50)], list[Nail]()
    assert follow(gone, gone, there, there, gone, gone, gone).pops() == [2], "two frames are a flash"
    assert follow(gone, there, there, there, gone, gone, gone).pops() == [], "three are an appearance"
    assert follow(there, there, there, gone, gone, there, there, there).pops() == [5], "gone for two frames"
    assert follow(there, there, there, gone, gone, gone, there, there, there).pops() == [], "gone for three"
    assert follow(there, gone, gone, gone, gone).pops() == [], "the first frame may cut it short"
    assert follow(gone, gone, gone, there).pops() == [], "and the last one"
    assert follow(there, gone, there, gone, there, gone, there).pops() == [2, 4, 6]


def test_jitter_is_what_a_nail_trembles() -> None:
    tremble = np.random.default_rng(5).normal(0, 0.3, (200, 2))
    tracks = follow(*[[nail_at(60 + dx, 60 + dy)] for dx, dy in tremble])
    measured = jitter(tracks.tracks)
    assert measured.rms == pytest.approx(0.3 * 2**0.5, rel=0.1), "in two dimensions"
    assert measured.nail_frames == 195, "13 stretches of 15"
    drift = np.arange(200) * 0.4
    carried = follow(
        *[[nail_at(20 + x + dx, 60 + dy)] for x, (dx, dy) in zip(drift, tremble, strict=True)], flow=even_flow(-0.4, 0)
    )
    assert jitter(carried.tracks).rms == pytest.approx(measured.rms, rel=0.01), "the hand's own motion is no jitter"
    assert jitter(follow(*[[nail_at(60)]] * 200, flow=even_flow(1.5, 0)).tracks).rms is None, "nor at rest"


def test_a_nail_that_does_not_follow_its_finger_trembles() -> None:
    beat = 0.5 * np.sin(np.arange(60) * 2 * np.pi / 5)
    tracks = NailTracks()
    for k in range(60):
        speed = beat[k] - beat[k - 1] if k else 0.0
        tracks.update([nail_at(60)], even_flow(-speed, 0) if k else None)
    assert jitter(tracks.tracks).rms == pytest.approx(0.5 / 2**0.5, rel=0.1), "it stands while its finger swings"


def test_stretches_end_where_a_nail_moves_or_is_missing() -> None:
    def stretches(speeds: list[float], frames: list[int] | None = None) -> list[int]:
        points: list[Floats] = [np.zeros(2)] * len(speeds)
        motion: list[Floats] = [np.array([speed, 0.0]) for speed in speeds]
        track = Track(frames or list(range(len(speeds))), points, motion, np.zeros(2))
        return [len(stretch) for stretch in still_stretches(track)]

    assert stretches([0.0] * 14) == []
    assert stretches([np.inf] + [0.0] * 29) == [15, 15]
    assert stretches([0.0] * 10 + [2.0] + [0.0] * 13) == []
    assert stretches([0.0] * 10 + [2.0] + [0.0] * 14) == [15], "one starts with the frame that came to rest"
    assert stretches([0.0] * 20, [*range(10), *range(11, 21)]) == []
