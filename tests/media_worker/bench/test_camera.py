from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from media_worker import frame_code
from media_worker.bench import camera
from media_worker.bench.errors import BenchError


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Half a second of wide video: grey, with a white left and a black right fifth."""
    path = tmp_path / "wide.mp4"
    picture = np.full((180, 320, 3), 128, np.uint8)
    picture[:, :64], picture[:, 256:] = 255, 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(15):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_a_short_video_is_played_again(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SECONDS", 1)
    frames = list(camera.numbered(video))
    assert [frame_code.read(rgb) for rgb in frames] == list(range(30))


def test_the_loop_has_no_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SECONDS", 1)
    frames = [rgb[30:].astype(int) for rgb in camera.numbered(None)]
    steps = [np.abs(after - before).mean() for before, after in pairwise([*frames, frames[0]])]
    assert steps[14] == steps[-1] == 0, "where it turns round, a frame is shown twice"
    assert max(steps) < 3


def test_a_wide_video_is_cut_not_squeezed(video: Path) -> None:
    rgb = next(iter(camera.numbered(video)))
    assert rgb.shape == (480, 640, 3)
    white = (rgb[300, :, 0] > 190).sum()
    assert white == pytest.approx(640 * (64 - 40) / 240, abs=6), "320x180 loses 40 pixels on each side"


def test_chromium_gets_one_jpeg_a_frame(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SECONDS", 1)
    ticks: list[tuple[int, int]] = []
    camera.write(tmp_path / "camera.mjpeg", video, lambda done, total: ticks.append((done, total)))
    with av.open(str(tmp_path / "camera.mjpeg")) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]
    numbers = [frame_code.read(picture) for picture in pictures]
    assert numbers == list(range(30))
    assert ticks[-1] == (30, 30)


def test_without_a_video_a_hand_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SECONDS", 1)
    rgb = next(iter(camera.numbered(None)))
    assert rgb.shape == (480, 640, 3)
    assert frame_code.read(rgb) == 0


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("not a video")
    with pytest.raises(BenchError, match=r"notes\.mp4 is no video"):
        next(iter(camera.numbered(path)))
    with pytest.raises(FileNotFoundError):
        next(iter(camera.numbered(tmp_path / "missing.mp4")))
