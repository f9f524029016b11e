from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker import images
from media_worker.drawn_hand import Scene, clip, draw
from media_worker.pipeline import Pipeline, Processed, StillPipeline, try_on_still
from media_worker.polish.looks import Look
from media_worker.vision.models import ModelUnavailable
from protocol import designs
from protocol.errors import VisionFailed

pytestmark = pytest.mark.media

RED, COBALT = Look.of(designs.find(1)), Look.of(designs.find(6))
FRAME_MS = 33


@pytest.fixture
def pipeline(hand_model: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(hand_model, RED)
    yield pipeline
    pipeline.close()


def as_i420(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)


def run(pipeline: Pipeline, scene: Scene, frames: int, start: int = 0) -> Processed:
    for frame in range(start, start + frames):
        result = pipeline.process_rgb(draw(scene, frame / 30).rgb, frame * FRAME_MS)
    return result


def test_polish_appears_on_the_nails_and_nowhere_else(pipeline: Pipeline) -> None:
    for frame, drawing in enumerate(clip(Scene(), 1.0)):
        before = drawing.rgb.copy()
        result = pipeline.process_rgb(drawing.rgb, frame * FRAME_MS)
        if frame < 10:
            continue
        changed = (result.image != before).any(axis=2)
        nails = drawing.mask() > 0
        assert (changed & nails).sum() / nails.sum() > 0.9
        reach = np.ones((11, 11), np.uint8)  # 5 px
        assert not (changed & ~(cv2.dilate(nails.astype(np.uint8), reach) > 0)).any()
        assert result.hands == 1 and len(result.nails) == 5
        assert 0.8 < result.confidence <= 1
        assert result.stages.keys() >= {"vision", "render", "flow"}
        assert "nails" in result.stages or not result.keyframe


def test_without_a_hand_the_frame_is_bit_identical(pipeline: Pipeline) -> None:
    for frame, drawing in enumerate(clip(Scene(hands=0, clutter=True), 0.4)):
        before = as_i420(drawing.rgb)
        result = pipeline.process_i420(before.copy(), frame * FRAME_MS)
        assert np.array_equal(result.image, before)
        assert (result.hands, result.nails, result.confidence) == (0, [], 0.0)


def test_a_palm_stays_bare(pipeline: Pipeline) -> None:
    for frame, drawing in enumerate(clip(Scene(palm=True), 1.0)):
        before = drawing.rgb.copy()
        result = pipeline.process_rgb(drawing.rgb, frame * FRAME_MS)
        assert result.hands == 1
        assert np.array_equal(result.image, before)


def test_a_hand_that_leaves_takes_its_polish_along(pipeline: Pipeline) -> None:
    run(pipeline, Scene(), 15)
    left = [run(pipeline, Scene(hands=0), 1, frame) for frame in range(15, 22)]
    assert left[1].hands == 0, "hands are looked for in every second frame"
    assert [len(result.nails) for result in left[3:]] == [0] * 4, "gone within a tenth of a second"


def test_a_second_hand_is_painted_at_once_and_named_when_it_is_found(pipeline: Pipeline) -> None:
    run(pipeline, Scene(hands=1), 10)
    results = [run(pipeline, Scene(hands=2), 1, frame) for frame in range(10, 30)]
    assert 10 in [len(result.nails) for result in results[:8]], "painted within a quarter of a second"
    assert 2 in [result.hands for result in results]
    result = run(pipeline, Scene(hands=2), 8, 30)
    assert sorted({str(nail.hand) for nail in result.nails}) == ["left", "right"]
    assert len(result.nails) == 10


def test_planes_and_rgb_share_one_track_and_agree(pipeline: Pipeline) -> None:
    run(pipeline, Scene(), 12)
    drawing = draw(Scene(), 12 / 30)
    planes = as_i420(drawing.rgb)
    before = planes.copy()
    result = pipeline.process_i420(planes, 12 * FRAME_MS)
    assert result.image is planes, "painted in place"
    assert len(result.nails) == 5
    assert all(nail.visibility == 1 for nail in result.nails)
    assert 0 < (planes != before).mean() < 0.02
    shown = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
    core = cv2.erode(drawing.mask(), np.ones((9, 9), np.uint8)) > 0
    assert np.abs(np.median(shown[core], axis=0) - (0xB3, 0, 0x1B)).max() < 40


def test_a_new_look_shows_on_the_next_frame(pipeline: Pipeline) -> None:
    run(pipeline, Scene(), 12)
    pipeline.look = COBALT
    result = run(pipeline, Scene(), 1, 12)
    core = cv2.erode(draw(Scene(), 12 / 30).mask(), np.ones((9, 9), np.uint8)) > 0
    assert np.median(result.image[core], axis=0).argmax() == 2


def test_comparing_leaves_the_left_share_untouched(pipeline: Pipeline) -> None:
    run(pipeline, Scene(), 12)
    for compare, painted_right in ((0.5, True), (1.0, False)):
        pipeline.compare = compare
        planes = as_i420(draw(Scene(), 0.4).rgb)
        before = planes.copy()
        pipeline.process_i420(planes, 13 * FRAME_MS)
        split = round(compare * 640)
        assert np.array_equal(planes[:480, :split], before[:480, :split])
        assert (planes[:480, split:] != before[:480, split:]).any() == painted_right


def test_outlines_of_a_still_hand_hardly_tremble(pipeline: Pipeline) -> None:
    """Design section 6: raw finger tips 0.67 px RMS, smoothed 0.24."""
    outlines = []
    for frame in range(70):
        result = pipeline.process_rgb(draw(Scene(still=True, noise=6), frame / 30).rgb, frame * FRAME_MS)
        if frame >= 30:
            outlines.append(np.stack([nail.axis[1] for nail in result.nails]))
    assert np.std(outlines, axis=0).mean() < 0.35


def test_frames_may_change_size_and_time_may_step_back(pipeline: Pipeline) -> None:
    for width, height, start in ((640, 480, 0), (320, 240, 33), (480, 640, 20), (640, 480, 20)):
        time = start
        for _ in range(5):  # the hand may have to be searched anew
            result = pipeline.process_rgb(draw(Scene(width=width, height=height), 0).rgb, time)
            time += FRAME_MS
        assert result.hands == 1, (width, height)


@pytest.mark.parametrize("shape", [(480, 640, 3), (100, 64), (96, 63), (0, 0)])
def test_other_shapes_are_refused_as_planes(pipeline: Pipeline, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 I420 .* got uint8"):
        pipeline.process_i420(np.zeros(shape, np.uint8), 0)


def test_other_types_are_refused_as_rgb(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 RGB .* got float64 \(8, 8, 3\)"):
        pipeline.process_rgb(np.zeros((8, 8, 3)), 0)  # type: ignore[arg-type]


def test_closed_twice_then_unusable(hand_model: Path) -> None:
    pipeline = Pipeline(hand_model, RED)
    pipeline.close()
    pipeline.close()
    with pytest.raises(VisionFailed, match="closed"):
        pipeline.process_rgb(np.zeros((48, 64, 3), np.uint8), 0)


def test_a_missing_model_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        Pipeline(tmp_path / "none.task", RED)


def test_a_photo_is_painted_on_a_copy(hand_model: Path) -> None:
    drawing = draw(Scene(hands=2), 0)
    before = drawing.rgb.copy()
    result = try_on_still(hand_model, drawing.rgb, RED)
    assert np.array_equal(drawing.rgb, before)
    assert (result.hands, len(result.nails)) == (2, 10)
    assert all(nail.visibility == 1 for nail in result.nails), "photos do not fade in"
    core = cv2.erode(drawing.mask(), np.ones((9, 9), np.uint8)) > 0
    assert np.median(result.image[core], axis=0)[1] < 60


def test_most_real_photos_have_a_hand(hand_model: Path, shared_data: Path) -> None:
    photos = sorted((shared_data / "nails/val/images").glob("*.jpg"))
    pipeline = StillPipeline(hand_model)
    try:
        found = [pipeline.find(images.decode(photo.read_bytes(), max_pixels=40_000_000))[1] for photo in photos]
    finally:
        pipeline.close()
    assert np.mean([hands > 0 for hands in found]) >= 0.9


def test_real_palms_stay_bare(hand_model: Path, shared_data: Path) -> None:
    """Folded thumbs and fingers of these palms may show a nail, so a few are right."""
    photos = sorted((shared_data / "negatives/palms_dark").glob("*.jpg"))[:12]
    pipeline = StillPipeline(hand_model)
    try:
        nails = [len(pipeline.find(images.decode(p.read_bytes(), max_pixels=40_000_000))[0]) for p in photos]
    finally:
        pipeline.close()
    assert sum(nails) <= 2
