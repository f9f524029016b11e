from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from media_worker.drawn_hand import Drawing, Sweep, draw
from media_worker.training.photos import UNKNOWN
from media_worker.training.unlabelled import VIDEO_STEP, Marker, read_photos, read_videos
from media_worker.vision.metrics import components
from media_worker.vision.still_finder import StillFinder
from tests.media_worker.training import drawn_photos
from tests.media_worker.training.drawn_photos import TrueCrops, TrueMap, coloured

pytestmark = pytest.mark.media

SCENE = replace(drawn_photos.SCENE, nail=(40, 240, 60))
"""Nails in a colour that the stand-ins for networks know."""


@pytest.fixture(scope="module")
def marker(hand_model: Path) -> Iterator[Marker]:
    marker = Marker(hand_model, StillFinder(TrueMap(), TrueCrops()))
    yield marker
    marker.close()


def overlaps(drawing: Drawing, labels: np.ndarray) -> list[float]:
    """IoU of each true nail with the label that covers most of it."""
    found = []
    for truth in components(drawing.mask() > 0):
        inside = labels[truth]
        number = int(np.bincount(inside[inside > 0]).argmax()) if (inside > 0).any() else -9
        found.append(float((truth & (labels == number)).sum() / (truth | (labels == number)).sum()))
    return found


def test_the_back_of_a_hand_has_nails_and_no_pads(marker: Marker) -> None:
    drawing = draw(SCENE, 0)
    assert coloured(drawing.rgb).any()
    marked = marker.mark("back", drawing.rgb)
    assert marked.pads == []
    assert len(marked.photo.nails) >= 4
    assert all(nail.directed and nail.along[1] < 0 for nail in marked.photo.nails)
    assert sum(overlap > 0.6 for overlap in overlaps(drawing, marked.photo.labels)) == len(marked.photo.nails)


def test_a_palm_has_pads_and_no_nails(marker: Marker) -> None:
    drawing = draw(replace(SCENE, palm=True), 0)
    marked = marker.mark("palm", drawing.rgb)
    assert marked.photo.nails == []
    assert len(marked.pads) >= 3
    tips = drawing.joints[0][[8, 12, 16, 20]]
    for pad in marked.pads:
        assert np.hypot(*(tips - pad.guess.centre).T).min() < 1.5 * pad.guess.length
        x, y = pad.guess.centre.astype(int)
        assert marked.photo.labels[y, x] == 0  # surely no nail


def test_a_nail_that_only_the_networks_see_is_in_doubt(marker: Marker) -> None:
    drawing = draw(SCENE, 0)
    rgb = drawing.rgb.copy()
    rgb[20:60, 20:48] = SCENE.nail or 0
    photo = marker.mark("sticker", rgb).photo
    assert (photo.labels[22:58, 22:46] == UNKNOWN).all()
    assert photo.labels[300, 20] == 0


def test_in_a_video_the_next_frame_must_agree(marker: Marker) -> None:
    drawing, later = draw(SCENE, 0), draw(SCENE, 0.04)
    without = draw(replace(drawn_photos.SCENE), 0.04)
    assert len(marker.mark("steady", drawing.rgb, later.rgb).photo.nails) >= 4
    lost = marker.mark("lost", drawing.rgb, without.rgb).photo
    assert lost.nails == []
    assert (lost.labels[drawing.mask() > 0] == UNKNOWN).mean() > 0.9


def test_photos_are_read_from_all_folders_below(marker: Marker, tmp_path: Path) -> None:
    for name in ("one/a.png", "one/two/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        drawn_photos.save(tmp_path / name, draw(SCENE, 0).rgb)
    told: list[tuple[str, int, int]] = []
    marked = read_photos(tmp_path, marker, lambda *each: told.append(each))
    assert [each.photo.name for each in marked] == ["a", "b"]
    assert [each[1:] for each in told] == [(1, 2), (2, 2)]


def test_every_twelfth_frame_of_a_video_is_marked(marker: Marker, tmp_path: Path) -> None:
    scene = replace(SCENE, still=True, sweep=Sweep(speed=30))
    with av.open(str(tmp_path / "hand.mp4"), "w") as container:
        stream = container.add_stream("h264", rate=30, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = scene.width, scene.height, "yuv444p"
        for index in range(VIDEO_STEP + 2):
            frame = av.VideoFrame.from_ndarray(draw(scene, index / 30).rgb, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    marked = read_videos(tmp_path, marker, lambda *_: None)
    assert [each.photo.name for each in marked] == ["hand_0", f"hand_{VIDEO_STEP}"]
    assert all(len(each.photo.nails) >= 4 for each in marked)
