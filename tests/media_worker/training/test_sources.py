from __future__ import annotations

import re
from pathlib import Path

import pytest

from media_worker.training import sources
from media_worker.training.errors import CannotTrain
from media_worker.training.sources import Boxed, Drawn, Empty, Masked, Unlabelled

OWN = '[[source]]\npath = "mine"\nkind = "masked"\nweight = 1.0\nlicence = "mine"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def test_what_lacquer_trains_on() -> None:
    read = sources.read()
    assert {type(source) for source in read.source} == {Masked, Boxed, Unlabelled, Empty, Drawn}
    found = [*read.of(Masked), *read.of(Boxed), *read.of(Unlabelled), *read.of(Empty), *read.of(Drawn)]
    assert len(found) == len(read.source)
    assert all(source.weight > 0 for source in read.source)
    assert all(source.licence.strip() for source in read.source)


def test_the_example_in_the_header_is_a_sources_file(tmp_path: Path) -> None:
    header = sources.DEFAULT.read_text("utf-8").split("\n\n")[0]
    example = "\n".join(re.findall(r"^#   (.*)$", header, re.MULTILINE))
    (source,) = sources.read(written(tmp_path, example)).of(Masked)
    assert (source.path, source.weight, source.leave_out) == (Path("my_photos"), 1.0, [])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (OWN + "paths = 3\n", "source 1, masked, paths: there is no such key"),
        (OWN.replace("masked", "painted"), "source 1: Input tag 'painted' found .* 'masked', 'boxed'"),
        (OWN.replace("1.0", "0"), r"source 1, masked, weight: Input should be greater than 0 \(got 0\)"),
        (OWN + OWN.replace('licence = "mine"', ""), "source 2, masked, licence: Field required"),
        (OWN.replace('"mine"\n', '""\n'), "licence: String should have at least 1 character"),
        (OWN.replace("weight = 1.0", "weight ="), r"own\.toml is no TOML: .*line 4"),
        ("", "Field required"),
    ],
    ids=["key", "kind", "weight", "missing", "licence", "syntax", "empty"],
)
def test_a_wrong_file_is_told_in_one_line(wrong: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CannotTrain, match=told) as error:
        sources.read(written(tmp_path, wrong))
    assert "own.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_folders_are_named_before_anything_starts(tmp_path: Path) -> None:
    drawn = '[[source]]\nkind = "drawn"\npictures = 1\npalms = 0\nweight = 1\nlicence = "mine"\n'
    read = sources.read(written(tmp_path, OWN + drawn))
    (tmp_path / "mine" / "images").mkdir(parents=True)
    with pytest.raises(CannotTrain, match=r"mine/masks is missing; correct --data"):
        read.check(tmp_path)
    (tmp_path / "mine" / "masks").mkdir()
    read.check(tmp_path)


def test_pictures_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "views" / "data" / "far").mkdir(parents=True)
    (tmp_path / "views" / "__init__.py").touch()
    for name in ("b.png", "far/a.jpg", "notes.txt"):
        (tmp_path / "views" / "data" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    inside = Empty(kind="empty", package="views", path=Path("data"), install="views", weight=1, licence="mine")
    assert [path.name for path in inside.pictures(tmp_path)] == ["b.png", "a.jpg"]
    folder = Empty(kind="empty", path=Path("views"), install="it", weight=1, licence="mine")
    assert len(folder.pictures(tmp_path)) == 2
    missing = Empty(kind="empty", package="nowhere", path=Path("data"), install="nowhere", weight=1, licence="mine")
    with pytest.raises(CannotTrain, match="no pictures; install nowhere"):
        missing.pictures(tmp_path)
