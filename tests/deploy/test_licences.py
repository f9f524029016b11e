"""Nothing is shipped whose licence nobody has looked at."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from deploy import licences

HERE = sys.platform == "linux" and platform.machine() == "x86_64"


def test_every_licence_of_what_is_shipped_is_known() -> None:
    assert list(licences.problems(licences.locked())) == []


def test_the_list_beside_it_is_what_is_installed() -> None:
    if not HERE:
        pytest.skip("wheels for other platforms carry other libraries; the list is of those for Linux on x86-64")
    assert licences.WRITTEN.read_text("utf-8") == licences.document(), "run `make licences`"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("AGPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only OR GPL-2.0-only", False),
        ("(MIT OR GPL-3.0-only) AND MIT", False),
        ("", False),
    ],
)
def test_expressions(expression: str, allowed: bool) -> None:
    assert licences.is_allowed(expression) is allowed


def package(folder: Path, name: str, about: str, *libraries: str) -> None:
    """As pip leaves it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{about}\n")
    files = [f"{name}.libs/{library}" for library in libraries]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_what_slips_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(
        tmp_path, "fine", "License-Expression: MIT", "libwebp-0123abcd.so.7", "libxcb-render-util-89abcdef.so.0.0.0"
    )
    package(tmp_path, "viral", "License-Expression: AGPL-3.0-only")
    package(tmp_path, "silent", "License: see the file")
    package(tmp_path, "laden", "Classifier: License :: OSI Approved :: MIT License", "libsecret-0123abcd.so.1")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = list(licences.problems(["fine", "viral", "silent", "laden", "nowhere"]))
    assert [line.split(":")[0] for line in told] == ["viral", "silent", "laden carries libsecret", "nowhere"]


def test_names_of_libraries_lose_versions_and_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "libgfortran-040039e1-0352e75f.so.5.0.0",
        "libopenblasp-r0-59ffcd50.3.15.so",
        "libavcodec-5809ad29.so.62.1",
    )
    package(tmp_path, "laden", "", *names)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert licences.carried("laden") == ["libavcodec", "libgfortran", "libopenblas"]
    assert licences.library_licence("opencv-contrib-python", "libavcodec") == "LGPL-2.1-or-later"
    assert licences.library_licence("av", "libavcodec") == "LGPL-3.0-or-later"


def test_npm_packages_are_for_tests_and_permissive() -> None:
    for lock in licences.NPM_LOCKS:
        for name, said in licences.npm_packages(lock).items():
            assert licences.is_allowed(said), name
