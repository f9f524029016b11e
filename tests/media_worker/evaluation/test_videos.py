from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, clip
from media_worker.evaluation import video_page, videos
from media_worker.evaluation.videos import Seen, Times, VideoReport
from media_worker.vision.nails import Nail
from media_worker.vision.video_metrics import NailTracks
from protocol.designs import Finger
from protocol.errors import BadRequest

NAIL = Nail(
    Finger.INDEX,
    "right",
    np.array([(10, 10), (20, 10), (20, 30), (10, 30)], np.float32),
    np.array([(15, 30), (15, 10)], np.float32),
    0.9,
    1.0,
)


def silent(done: int, total: int) -> None:
    pass


def write_video(path: Path, scene: Scene, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=30, options={"crf": "12", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = scene.width, scene.height, "yuv420p"
        for drawing in clip(scene, frames / 30):
            container.mux(video.encode(av.VideoFrame.from_ndarray(drawing.rgb, "rgb24")))
        container.mux(video.encode(None))
    return path


def report(seen: list[Seen], *, no_hands: bool = False) -> VideoReport:
    tracks = NailTracks()
    for each in seen:
        tracks.update(each.nails, None)
    return VideoReport(Path("v.mp4"), (640, 480), seen, tracks, no_hands)


def test_times_are_told_apart_by_keyframe() -> None:
    seen = [Seen([], 20.0 if k % 4 == 0 else 8.0, k % 4 == 0) for k in range(100)]
    both = report(seen)
    assert both.times() == Times(100, 8.0, 11.0, 20.0)
    assert both.times(keyframe=True) == Times(25, 20.0, 20.0, 20.0)
    assert both.times(keyframe=False) == Times(75, 8.0, 8.0, 8.0)
    followed = report([Seen([], 8.0, False)])
    assert followed.times() == followed.times(keyframe=False) == Times(1, 8.0, 8.0, 8.0)
    assert followed.times(keyframe=True) is None and followed.as_dict()["vision_ms"]["keyframes"] is None


def test_every_false_nail_counts_in_every_frame() -> None:
    seen = [Seen([NAIL, NAIL] if k < 3 else [], 8.0, False) for k in range(400)]
    assert report(seen, no_hands=True).false_nails_per_1000_frames == pytest.approx(15)
    assert report(seen).false_nails_per_1000_frames is None
    assert report(seen, no_hands=True).figures()[1].met is False


def test_the_sheet_shows_pops_and_the_worst() -> None:
    agreements = [0.95] * 300
    agreements[100], agreements[101], agreements[200] = 0.1, 0.2, 0.3
    seen = [Seen([] if k == 150 else [NAIL], 8.0, False, agreements[k]) for k in range(300)]
    reasons = video_page.chosen(report(seen))
    assert reasons[100] == "agreement 0.10" and reasons[200] == "agreement 0.30"
    assert 101 not in reasons, "the neighbour of a worse frame"
    assert reasons[151] == "pop"
    assert {0, 299} <= set(reasons)
    assert list(reasons) == sorted(reasons) and len(reasons) <= 12 + 8 + 1
    assert video_page.chosen(report(seen[:1])).keys() == {0}


def test_frames_fit_a_session_and_keep_their_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.mp4", Scene(width=960, height=540, hands=0), 4)
    frames = list(videos.frames(path))
    assert [i420.shape for i420, _ in frames] == [(360 * 3 // 2, 640)] * 4
    assert [timestamp for _, timestamp in frames] == [0, 33, 67, 100]
    assert next(videos.frames(path, 270))[0].shape == (270 * 3 // 2, 480)
    assert videos.count(path) == 4


def test_pictures_stored_sideways_are_turned() -> None:
    rgb = np.zeros((64, 96, 3), np.uint8)
    rgb[:32, :32] = (250, 20, 20)  # top left
    for turns in range(4):
        turned = videos.rgb_of(videos._turned(videos.i420_of(rgb), turns))
        assert np.abs(turned.astype(int) - np.rot90(videos.rgb_of(videos.i420_of(rgb)), turns)).max() <= 2
    stored = av.VideoFrame.from_ndarray(rgb, "rgb24")
    stored.time_base = Fraction(1, 30)
    assert videos._size(640, 352, 480, sideways=True) == (480, 264), "480 high once it stands"


@pytest.mark.media
def test_a_drawn_hand_at_rest(tmp_path: Path, hand_model: Path) -> None:
    path = write_video(tmp_path / "still.mp4", Scene(width=480, height=360, still=True), 40)
    measured = videos.evaluate(path, hand_model, silent)
    found = measured.as_dict()
    assert found["frames"] == 40 and found["nails_per_frame"] == pytest.approx(5, abs=0.5)
    assert found["still_nail_frames"] > 100 and 0 < found["jitter_px_rms"] < 0.5
    assert found["agreement_mean"] > 0.85
    assert found["pops"] == 0
    frames = {name: times["frames"] for name, times in found["vision_ms"].items()}
    assert frames["keyframes"] + frames["followed"] == frames["all"] and min(frames.values()) > 5
    page = video_page.write([measured], None, tmp_path / "report", "Still")
    assert len(list((tmp_path / "report").glob("01-*.jpg"))) >= video_page.EVEN
    assert "still.mp4" in page.read_text("utf-8")


@pytest.mark.parametrize("content", [b"", b"not a video" * 50])
def test_what_is_no_video_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(BadRequest, match=r"broken.mp4 cannot be read"):
        list(videos.frames(path))
