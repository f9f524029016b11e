"""The files of the `web` folder as they are sent: read and compressed once, kept until they change on disk."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import brotli

from protocol.errors import NotFound

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".webmanifest": "application/manifest+json",
}
"""Where the machine's own table may not know or say otherwise. Browsers refuse modules of another type."""

_PACKED = frozenset({"image/png", "image/jpeg", "image/webp"})
"""Compressed already."""

VERSIONS_KEPT = 4


@dataclass(frozen=True)
class PageFile:
    """Bytes to send, with what HTTP says of them."""

    body: bytes
    content_type: str

    @cached_property
    def tag(self) -> str:
        """Names these very bytes."""
        return hashlib.sha256(self.body).hexdigest()[:16]

    @cached_property
    def compressed(self) -> dict[str, bytes]:
        """By content coding, the smallest first; none that would save nothing. Slow (ms): ask in a thread."""
        if self.content_type in _PACKED:
            return {}
        codings = {"br": brotli.compress(self.body), "gzip": gzip.compress(self.body, 9, mtime=0)}
        return {coding: small for coding, small in codings.items() if len(small) < len(self.body)}


@dataclass
class PageFiles:
    """The folder. Every method touches the disk: call them in a thread."""

    folder: Path
    _kept: dict[str, tuple[tuple[int, int], PageFile]] = field(default_factory=dict)
    _made: dict[str, tuple[str, PageFile]] = field(default_factory=dict)
    _versions: dict[str, dict[str, str]] = field(default_factory=dict)
    """What the last versions are made of: the tag of each file."""

    def get(self, name: str) -> PageFile:
        """Raises NotFound, also for what lies outside the folder."""
        path = self._path(name)
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        kept = self._kept.get(name)
        if kept is None or kept[0] != stamp:
            kept = (stamp, _compressed(PageFile(path.read_bytes(), _content_type(path))))
            self._kept[name] = kept
        return kept[1]

    def made(self, name: str, version: str, make: Callable[[], str]) -> PageFile:
        """What is made of the file `name` and others; made anew for another `version` of them."""
        made = self._made.get(name)
        if made is None or made[0] != version:
            made = (version, _compressed(PageFile(make().encode(), self.get(name).content_type)))
            self._made[name] = made
        return made[1]

    def text(self, name: str) -> str:
        return self.get(name).body.decode()

    def names(self, *suffixes: str) -> list[str]:
        """All files that end so, sorted."""
        found = (path for path in self.folder.rglob("*") if path.suffix in suffixes and path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def version(self, *suffixes: str) -> str:
        """A hash over names and contents of all files that end so."""
        tags = {name: self.get(name).tag for name in self.names(*suffixes)}
        lines = "".join(f"{name} {tag}\n" for name, tag in tags.items())
        version = hashlib.sha256(lines.encode()).hexdigest()[:12]
        self._versions.pop(version, None)
        self._versions[version] = tags
        while len(self._versions) > VERSIONS_KEPT:
            self._versions.pop(next(iter(self._versions)))
        return version

    def is_of(self, version: str, name: str) -> bool:
        """Whether the file is still what it was when that version was made, by this process. Looks at no other file."""
        return self._versions.get(version, {}).get(name) == self.get(name).tag

    def _path(self, name: str) -> Path:
        try:
            path = (self.folder / name).resolve()
            if path.is_relative_to(self.folder.resolve()) and path.is_file():
                return path
        except (OSError, ValueError):  # a name too long for the disk, or with a NUL in it
            pass
        raise NotFound(f"there is no file {name!r:.80}")


def _content_type(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _compressed(file: PageFile) -> PageFile:
    """Fills in what is computed, here in the thread and not later on the event loop."""
    _ = file.tag, file.compressed
    return file
