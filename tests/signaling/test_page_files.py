"""Files in memory: as they are on disk now."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import brotli
import pytest

from protocol.errors import NotFound
from signaling.page_files import PageFiles


def test_a_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    file, files = tmp_path / "a.js", PageFiles(tmp_path)
    file.write_text("one")
    first, version = files.get("a.js"), files.version(".js")
    assert files.get("a.js") is first
    file.write_text("two")
    os.utime(file, ns=(1, 1))  # also where a clock is too coarse to tell
    assert files.get("a.js").body == b"two"
    assert files.get("a.js").tag != first.tag
    assert files.version(".js") != version


def test_the_version_is_that_of_the_files_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("one")
    version = PageFiles(tmp_path).version(".js", ".css")
    (tmp_path / "README.md").write_text("words")
    assert PageFiles(tmp_path).version(".js", ".css") == version
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.css").write_text("")
    assert PageFiles(tmp_path).version(".js", ".css") != version


def test_only_what_gains_is_compressed(tmp_path: Path) -> None:
    (tmp_path / "long.svg").write_text("x" * 1000)
    (tmp_path / "short.svg").write_text("x")
    (tmp_path / "a.png").write_bytes(b"x" * 1000)
    files = PageFiles(tmp_path)
    small = files.get("long.svg").compressed
    assert list(small) == ["br", "gzip"]
    assert gzip.decompress(small["gzip"]) == brotli.decompress(small["br"]) == b"x" * 1000
    assert files.get("short.svg").compressed == files.get("a.png").compressed == {}


def test_types_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    types = {"a.js": "text/javascript", "a.webmanifest": "application/manifest+json", "a": "application/octet-stream"}
    for name, content_type in types.items():
        (tmp_path / name).touch()
        assert PageFiles(tmp_path).get(name).content_type == content_type


def test_links_out_of_the_folder_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "secret").touch()
    (tmp_path / "web" / "link").symlink_to(tmp_path / "secret")
    for name in ("link", "../secret", "", ".", "missing"):
        with pytest.raises(NotFound):
            PageFiles(tmp_path / "web").get(name)


def test_a_file_is_of_a_version_until_it_changes(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "b.js").write_text("2")
    files = PageFiles(tmp_path)
    version = files.version(".js")
    assert files.is_of(version, "a.js")
    assert not files.is_of("another", "a.js")
    (tmp_path / "a.js").write_text("11")
    assert (files.is_of(version, "a.js"), files.is_of(version, "b.js")) == (False, True)
