from __future__ import annotations

import hashlib
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media_worker.vision import models
from media_worker.vision.models import ModelUnavailable

NETWORKS = {"palm/a.tflite": b"palm network " * 50, "hand/b.tflite": b"hand network " * 70}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A stand-in for the mediapipe wheel."""
    path = tmp_path / "mediapipe-0.10.21.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in NETWORKS.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch, wheel: Path) -> None:
    """Pins the stand-in's checksums, and serves it in place of pip."""
    names = ("hand_detector.tflite", "hand_landmarks_detector.tflite")
    parts = {
        name: (member, hashlib.sha256(data).hexdigest())
        for name, (member, data) in zip(names, NETWORKS.items(), strict=True)
    }
    monkeypatch.setattr(models, "PARTS", parts)
    monkeypatch.setattr(models, "SHA256", "unknown")
    monkeypatch.setattr(models, "_sha256", lambda data: "unknown" if data[:2] == b"PK" else digest(data))
    monkeypatch.setattr(models, "SHA256", digest(models.build_task(wheel)))
    monkeypatch.setattr(models, "_sha256", digest)
    monkeypatch.setattr(models, "_download_wheel", lambda folder, report: wheel)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.usefixtures("pins")
def test_the_task_is_stored_aligned_and_the_same_every_time(wheel: Path, tmp_path: Path) -> None:
    data = models.build_task(wheel)
    assert data == models.build_task(wheel)
    path = tmp_path / "model.task"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as task:
        for entry in task.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            start = data.index(task.read(entry))
            assert start % 64 == 0, "MediaPipe copies tensors that are not aligned"


@pytest.mark.usefixtures("pins")
def test_fetched_once_then_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    said: list[str] = []
    path = models.fetch(said.append, environment)
    assert path == tmp_path / "cache" / "lacquer" / "hand_landmarker.task"
    assert models.find(environment=environment) == path
    assert list(path.parent.iterdir()) == [path], "no temporary files stay"
    monkeypatch.setattr(models, "_download_wheel", pytest.fail)
    assert models.fetch(said.append, environment) == path
    assert said[-1] == f"{path} is there and sound"


@pytest.mark.usefixtures("pins")
def test_many_at_once_end_with_one_sound_file(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: models.fetch(lambda line: None, environment), range(8)))
    (path,) = paths
    assert digest(path.read_bytes()) == models.SHA256
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("pins")
def test_a_damaged_cache_is_reported_and_mended(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    path = models.fetch(lambda line: None, environment)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelUnavailable, match="damaged; run `lacquer models`"):
        models.find(environment=environment)
    models.fetch(lambda line: None, environment)
    assert models.find(environment=environment) == path


def test_a_wheel_with_other_networks_is_refused(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match=r"is no mediapipe 0\.10\.21 wheel"):
        models.build_task(wheel)
    monkeypatch.setattr(models, "PARTS", {"hand_detector.tflite": ("palm/a.tflite", "0" * 64)})
    with pytest.raises(ModelUnavailable, match="not the file that Lacquer was tested with"):
        models.build_task(wheel)


def test_a_failed_download_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "noise\nERROR: no matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    said: list[str] = []
    with pytest.raises(ModelUnavailable, match="run `lacquer models` to retry: ERROR: no matching distribution"):
        models.fetch(said.append, {"XDG_CACHE_HOME": str(tmp_path)})
    assert "mediapipe==0.10.21" in said[0]


def test_a_missing_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="run `lacquer models`"):
        models.find(environment={"XDG_CACHE_HOME": str(tmp_path)})


@pytest.mark.usefixtures("pins")
def test_the_operators_file_wins(tmp_path: Path, wheel: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    models.fetch(lambda line: None, cache)
    own, named = tmp_path / "own.task", tmp_path / "named.task"
    for path in (own, named):
        path.write_bytes(models.build_task(wheel) + b"trailing bytes make it another file")
    environment = {**cache, models.ENVIRONMENT: str(named)}
    assert models.find(environment=environment) == named
    assert models.find(own, environment) == own


def test_an_operators_file_must_be_a_hand_model(tmp_path: Path) -> None:
    path = tmp_path / "model.task"
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        models.find(path)
    path.write_text("not a zip")
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        models.find(path)
    with zipfile.ZipFile(path, "w") as task:
        task.writestr("hand_detector.tflite", "")
    with pytest.raises(ModelUnavailable, match=r"lacks hand_landmarks_detector\.tflite"):
        models.find(path)
