from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from media_worker import cli, images
from media_worker.drawn_hand import Drawing, DrawnNail, Scene, clip, draw
from media_worker.vision import models
from protocol.designs import Finger
from protocol.messages import ImageFormat

SCENE = Scene(width=480, height=360, noise=1)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def save(drawing: Drawing, path: Path) -> Path:
    kind = ImageFormat.PNG if path.suffix == ".png" else ImageFormat.JPEG
    path.write_bytes(images.encode(drawing.rgb, kind, quality=95))
    return path


def load(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return images.decode(path.read_bytes(), max_pixels=10**7)


def pixel(nail: DrawnNail, along: float) -> tuple[int, int]:
    """Row and column on a nail's middle line, 0 at the cuticle, 1 at its own free edge."""
    x, y = nail.axis[0] + along * (nail.axis[1] - nail.axis[0])
    return int(y), int(x)


def grey(path: Path) -> Any:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.mark.media
def test_apply_paints_a_photo(tmp_path: Path, hand_model: Path) -> None:
    drawing = draw(SCENE, 0)
    target = tmp_path / "red.png"
    code, out, err = run("apply", save(drawing, tmp_path / "hand.png"), target, "--design", "1", "--model", hand_model)
    assert (code, err) == (0, "")
    assert out.strip() == f"{target}: 5 nails painted"
    core = cv2.erode(drawing.mask(), np.ones((5, 5), np.uint8)) > 0
    assert np.median(load(target)[core], axis=0)[1] < 60


@pytest.mark.media
def test_apply_copies_from_a_picture(tmp_path: Path, hand_model: Path) -> None:
    swatch = tmp_path / "swatch.png"
    swatch.write_bytes(images.encode(np.full((40, 40, 3), (20, 40, 200), np.uint8), ImageFormat.PNG))
    drawing = draw(SCENE, 0)
    source, target = save(drawing, tmp_path / "hand.jpg"), tmp_path / "blue.webp"
    code, _, _ = run("apply", source, target, "--design", swatch, "--finish", "matte", "--model", hand_model)
    assert code == 0
    core = cv2.erode(drawing.mask(), np.ones((5, 5), np.uint8)) > 0
    assert np.median(load(target)[core], axis=0).argmax() == 2


@pytest.mark.media
def test_apply_takes_all_that_a_session_can_be_told(tmp_path: Path, hand_model: Path) -> None:
    drawing = draw(SCENE, 0)
    source, target = save(drawing, tmp_path / "hand.png"), tmp_path / "worn.png"
    wish = "--colour", "0000C0", "--finish", "matte", "--pattern", "solid", "--shape", "square", "--length", "long"
    one = "--finger", "ring.colour=00A000", "--finger", "ring.length=natural", "--finger", "middle=1"
    code, _, err = run("apply", source, target, *wish, *one, "--compare", "0.45", "--model", hand_model)
    assert (code, err) == (0, "")
    before, after = drawing.rgb, load(target)
    assert np.array_equal(before[:, :216], after[:, :216]), "left of the split nothing changes"
    ring = next(nail for nail in drawing.nails if nail.finger is Finger.RING)
    pinky = next(nail for nail in drawing.nails if nail.finger is Finger.PINKY)
    assert after[pixel(ring, 0.5)].argmax() == 1
    assert after[pixel(pinky, 0.5)].argmax() == 2
    beyond = pixel(pinky, 1.5)
    assert before[beyond][0] > 100 > after[beyond][0], "it has grown over the wall"
    assert np.array_equal(after[pixel(ring, 1.6)], before[pixel(ring, 1.6)]), "this one has not"


@pytest.mark.media
@pytest.mark.parametrize("sound", [False, True])
def test_apply_paints_a_video_and_keeps_its_times_and_sound(sound: bool, tmp_path: Path, hand_model: Path) -> None:
    source, target = tmp_path / "hand.mp4", tmp_path / "red.mp4"
    write_video(source, frames=12, sound=sound)
    code, out, _ = run("apply", source, target, "--design", "1", "--compare", "0.2", "--model", hand_model)
    assert (code, out.strip()) == (0, f"{target}: 12 frames")
    with av.open(str(source)) as before, av.open(str(target)) as after:
        assert after.streams.video[0].average_rate == before.streams.video[0].average_rate == 25
        assert len(after.streams.audio) == int(sound)
        old, new = ([f for f in c.decode(video=0)] for c in (before, after))
    assert [frame.time for frame in new] == [frame.time for frame in old]
    core = cv2.erode(draw(SCENE, 11 / 25).mask(), np.ones((7, 7), np.uint8)) > 0
    assert np.median(new[-1].to_ndarray(format="rgb24")[core], axis=0)[1] < 90


@pytest.mark.media
def test_segment_writes_a_mask_for_each_photo(tmp_path: Path, hand_model: Path) -> None:
    drawing = draw(SCENE, 0)
    photos = [save(drawing, tmp_path / "a.jpg"), save(draw(Scene(hands=0), 0), tmp_path / "b.png")]
    code, out, _ = run("segment", *photos, "--out", tmp_path / "masks", "--model", hand_model)
    assert code == 0
    assert "2 masks" in out and "no hand found in 1" in out
    mask, empty = (grey(tmp_path / "masks" / name) for name in ("a.png", "b.png"))
    assert mask.shape == (360, 480) and mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    truth = drawing.mask() > 0
    assert ((mask > 0) & truth).sum() / ((mask > 0) | truth).sum() > 0.4
    assert empty.shape == (480, 640) and not empty.any()


@pytest.mark.media
def test_evaluate_agrees_with_segment(tmp_path: Path, hand_model: Path) -> None:
    for folder in ("images", "truth"):
        (tmp_path / folder).mkdir()
    drawings = {"a": draw(SCENE, 0), "b": draw(Scene(palm=True), 1), "c": draw(Scene(hands=0), 0)}
    for name, drawing in drawings.items():
        save(drawing, tmp_path / "images" / f"{name}.png")
        cv2.imwrite(str(tmp_path / "truth" / f"{name}.png"), drawing.mask())
    folders = "--images", tmp_path / "images", "--masks", tmp_path / "truth", "--model", hand_model
    code, out, _ = run("evaluate", *folders, "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["images"], report["no_hand"]) == (3, 1)
    assert report["mean_iou"] == pytest.approx((report["pooled_iou"] + 2) / 3), "two empty pictures are right"
    assert 0.8 < report["pooled_iou"] < 1
    code, table, _ = run("evaluate", *folders)
    assert code == 0
    assert f"{report['pooled_iou']:.3f}" in next(line for line in table.splitlines() if line.startswith("pooled IoU"))
    assert report["two_class_miou"] > report["mean_iou"]
    assert sum(each["nails"] for each in report["calibration"]["bins"]) == 5


@pytest.mark.media
def test_evaluate_shows_the_worst_first(tmp_path: Path, hand_model: Path) -> None:
    for folder in ("images", "truth"):
        (tmp_path / folder).mkdir()
    hostile = "a & <b>"
    for name, drawing in {"good": draw(Scene(hands=0), 0), hostile: draw(SCENE, 0)}.items():
        save(drawing, tmp_path / "images" / f"{name}.png")
        cv2.imwrite(str(tmp_path / "truth" / f"{name}.png"), drawing.mask())
    folders = "--images", tmp_path / "images", "--masks", tmp_path / "truth", "--model", hand_model
    code, out, err = run("evaluate", *folders, "--json", "--report", tmp_path / "report")
    assert code == 0 and json.loads(out)["images"] == 2
    assert err.strip() == f"report: {tmp_path / 'report' / 'index.html'}"
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert page.index("<strong>a &amp; &lt;b&gt;.png") < page.index("<strong>good.png")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"index.html"} | {
        f"{number}-{panel}.jpg" for number in ("001", "002") for panel in ("photo", "true", "found")
    }


@pytest.mark.media
def test_evaluate_without_masks_counts_what_is_false(tmp_path: Path, hand_model: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, drawing in {"hand": draw(SCENE, 0), "wall": draw(Scene(hands=0), 0)}.items():
        save(drawing, photos / f"{name}.png")
    code, out, _ = run("evaluate", "--images", photos, "--json", "--report", tmp_path / "report", "--model", hand_model)
    assert code == 0
    assert json.loads(out)["false_nails_per_image"] == 2.5
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "hand.png" in page and "wall.png" not in page, "only where something is false"
    (tmp_path / "skip.txt").write_text("hand\n", "utf-8")
    code, out, _ = run("evaluate", "--images", photos, "--skip", tmp_path / "skip.txt", "--model", hand_model)
    assert code == 0
    assert "1 skipped" in out and "met" in out


@pytest.mark.media
def test_evaluate_video_is_a_line_of_json_a_video(tmp_path: Path, hand_model: Path) -> None:
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"
    for path in (first, second):
        write_video(path, frames=6, sound=False)
    code, out, _ = run(
        "evaluate-video", first, second, "--json", "--height", "240", "--no-hands", "--model", hand_model
    )
    assert code == 0
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["video"] for report in reports] == [str(first), str(second)]
    assert (reports[0]["width"], reports[0]["height"], reports[0]["frames"]) == (320, 240, 6)
    assert reports[0]["false_nails_per_1000_frames"] > 1000
    code, out, _ = run("evaluate-video", first, "--report", tmp_path / "report", "--model", hand_model)
    assert code == 0
    assert out.startswith(f"{first}\nframes") and "warped agreement" in out
    assert (tmp_path / "report" / "index.html").is_file()


def test_evaluate_wants_a_mask_for_each_photo(tmp_path: Path, a_model: Path) -> None:
    save(draw(Scene(hands=0), 0), tmp_path / "a.png")
    (tmp_path / "masks").mkdir()
    code, _, err = run("evaluate", "--images", tmp_path, "--masks", tmp_path / "masks", "--model", a_model)
    assert code == 1
    assert err.count("\n") == 1 and "a.png is missing (1 of 1 photos have no mask)" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("apply", "missing.jpg", "out.jpg", "--design", "1"), "missing.jpg: no such file"),
        (("apply", "missing.mp4", "out.mp4", "--design", "1"), "missing.mp4"),
        (("apply", "broken.jpg", "out.jpg", "--design", "1"), "broken.jpg: this is no picture"),
        (("apply", "wide.png", "out.png", "--design", "1"), "wide.png: the image has 17000x1 pixels"),
        (("apply", "broken.mp4", "out.mp4", "--design", "1"), "broken.mp4 cannot be painted"),
        (("apply", "broken.jpg", "out.tiff", "--design", "1"), "out.tiff: a photo is written as .jpg"),
        (("apply", "broken.jpg", "out.jpg", "--design", "999"), "there is no design 999"),
        (("apply", "broken.jpg", "out.jpg", "--design", "red"), "red is neither"),
        (("apply", "broken.mp4", "broken.mp4", "--design", "1"), "would overwrite"),
        (("apply", "broken.mp4", "out.jpg"), "out.jpg: a video is written as .mp4"),
        (("apply", "broken.mp4", "out.txt"), "out.txt: a video is written as .mp4"),
        (("apply", "broken.jpg", "out.jpg", "--colour", "red"), "for example B3001B"),
        (("apply", "broken.jpg", "out.jpg", "--finger", "toe=1"), "fingers are thumb, index"),
        (("apply", "broken.jpg", "out.jpg", "--finger", "ring=999"), "there is no design 999"),
        (("apply", "broken.jpg", "out.jpg", "--finger", "ring.nail=2"), "was not taken from a picture"),
        (("segment", "a/x.jpg", "b/x.png", "--out", "masks"), "two images are called x"),
        (("evaluate", "--images", "nowhere", "--masks", "nowhere"), "nowhere: no such file or folder"),
        (("evaluate", "--images", ".", "--skip", "nowhere"), "nowhere: no such file or folder"),
        (("evaluate", "--images", ".", "--skin-tone"), "give their --masks"),
        (("evaluate-video", "--drawn", "--report", "broken.jpg"), "broken.jpg: File exists"),
        (("evaluate-polish", "--report", "broken.jpg"), "broken.jpg: File exists"),
        (("evaluate-video",), "give one or more videos, or --drawn"),
        (("evaluate-video", "broken.mp4", "--drawn"), "not both"),
        (("evaluate-video", "missing.mp4"), "missing.mp4"),
        (("evaluate-video", "broken.mp4"), "broken.mp4 cannot be read"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, a_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("broken.jpg", "broken.mp4"):
        (tmp_path / name).write_bytes(b"not what it says" * 20)
    (tmp_path / "wide.png").write_bytes(images.encode(np.zeros((1, 17_000, 3), np.uint8), ImageFormat.PNG))
    code, out, err = run(*arguments, "--model", a_model)
    assert (code, out) == (1, "")
    assert message in err
    assert err.startswith("error: ") and err.count("\n") == 1


def test_a_missing_model_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(models.ENVIRONMENT, raising=False)
    code, _, err = run("apply", "a.jpg", "b.jpg", "--design", "1")
    assert code == 1
    assert "run `lacquer models`" in err


def test_models_verifies_what_is_there(a_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.ENVIRONMENT, str(a_model))
    code, out, _ = run("models")
    assert (code, out.strip()) == (0, f"{a_model} (from LACQUER_HAND_MODEL) can be read")


@pytest.mark.parametrize(
    "command", ["apply", "segment", "evaluate", "evaluate-video", "evaluate-polish", "gallery", "models"]
)
def test_help_teaches_with_an_example(command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: lacquer {command}" in " ".join(out.split())


def test_usage_errors_end_with_two() -> None:
    assert run("apply", "only-one.jpg")[0] == 2


@pytest.mark.media
def test_only_our_own_words_are_printed(tmp_path: Path, hand_model: Path) -> None:
    source = save(draw(SCENE, 0), tmp_path / "hand.jpg")
    files = str(source), str(tmp_path / "red.jpg")
    command = [sys.executable, "-m", "media_worker.cli", "apply", *files, "--design"]
    painted = subprocess.run([*command, "1"], capture_output=True, text=True, check=True)
    assert painted.stderr == "", "not MediaPipe's native log"
    assert painted.stdout.endswith("5 nails painted\n")
    refused = subprocess.run([*command, "999"], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: there is no design 999") and refused.stderr.count("\n") == 1


def test_it_runs_as_a_module_without_loading_vision() -> None:
    script = "import media_worker.cli, sys; sys.exit(bool({'cv2', 'mediapipe', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    help_text = subprocess.run(
        [sys.executable, "-m", "media_worker.cli", "--help"], check=True, capture_output=True, text=True
    )
    assert "evaluate" in help_text.stdout


@pytest.fixture
def a_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Passes for a hand model until it is loaded."""
    path = tmp_path_factory.mktemp("model") / "model.task"
    with zipfile.ZipFile(path, "w") as task:
        for name in models.PARTS:
            task.writestr(name, "")
    return path


def write_video(path: Path, *, frames: int, sound: bool) -> None:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"crf": "12"})
        video.width, video.height, video.pix_fmt = SCENE.width, SCENE.height, "yuv420p"
        audio: Any = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for drawing in clip(SCENE, frames / 25, 25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(drawing.rgb, "rgb24")))
        container.mux(video.encode(None))
        for index in range(20 if audio else 0):
            tone = np.sin(np.arange(1024) / 20, dtype=np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 1024, Fraction(1, 48_000)
            container.mux(audio.encode(frame))
        if audio:
            container.mux(audio.encode(None))
