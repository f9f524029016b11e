"""Under which licences everything is that Lacquer ships with: `make licences` writes THIRD_PARTY.md beside this file.

What is shipped is what requirements.lock names; licences are read from the installed packages, and what no package says
of itself stands here by hand: the libraries inside wheels, and the networks. A licence that is not on the lists below
is refused, so that none slips in with an upgrade: `python -m deploy.licences --check`, which `make test` does as well.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
NPM_LOCKS = (ROOT / "tests/web/package-lock.json", ROOT / "tests/interop/package-lock.json")
WRITTEN = Path(__file__).with_name("THIRD_PARTY.md")

PERMISSIVE = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC0-1.0", "FTL", "HPND", "IJG"),
        *("ISC", "libpng-2.0", "libtiff", "MIT", "MIT-0", "MIT-CMU", "OpenSSL", "PSF-2.0", "Zlib"),
    }
)
FILE_COPYLEFT = frozenset({"MPL-2.0"})
"""Changes to its own files must be shown; we change none."""

LIBRARY_COPYLEFT = frozenset(
    {
        "LGPL-2.0-or-later",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
    }
)
"""Of shared libraries, which whoever gets them may replace; so they are."""

STRONG_COPYLEFT = {"libx264": "GPL-2.0-or-later", "libx265": "GPL-2.0-or-later"}
"""In PyAV's wheel, and known: read THIRD_PARTY.md before you hand out images or machines."""

FROM_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""As packages without a License-Expression write it."""

LOOKED_UP = {
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "PSF-2.0",
    "protobuf": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
}
"""Where its metadata is no exact licence; read in its licence file."""

_LIBRARIES = {
    "Apache-2.0": "libopencore-amrnb libopencore-amrwb",
    "BSD-2-Clause": "libaom libavif libdav1d libopenjp2",
    "BSD-3-Clause": "libcrc32c libopenblas libopus libpcre2-16 libscipy_openblas64_ libsharpyuv libvpx libwebp "
    "libwebpdemux libwebpmux libzstd",
    "BSD-3-Clause-Clear": "libSvtAv1Enc",
    "FTL": "libfreetype",
    "0BSD": "liblzma",
    "GPL-3.0-or-later WITH GCC-exception-3.1": "libgfortran",
    "HPND": "libXau",
    "IJG": "libjpeg",
    "LGPL-2.0-or-later": "libmp3lame",
    "LGPL-2.1-or-later": "libasound libgnutls libquadmath",
    "LGPL-3.0-only": "libQt5Core libQt5Gui libQt5Test libQt5Widgets libQt5XcbQpa",
    "LGPL-3.0-or-later": "libavcodec libavdevice libavfilter libavformat libavutil libgmp libhogweed libnettle "
    "libswresample libswscale libunistring",
    "libpng-2.0": "libpng16",
    "libtiff": "libtiff",
    "OpenSSL": "libcrypto libssl",
    "MIT": "libX11-xcb libbrotlicommon libbrotlidec libdrm libharfbuzz liblcms2 libvpl libxcb libxcb-icccm "
    "libxcb-image libxcb-keysyms libxcb-randr libxcb-render libxcb-render-util libxcb-shape libxcb-shm libxcb-sync "
    "libxcb-util libxcb-xfixes libxcb-xinerama libxcb-xkb libxkbcommon libxkbcommon-x11",
}
LIBRARIES = {name: licence for licence, names in _LIBRARIES.items() for name in names.split()} | STRONG_COPYLEFT
"""Shared libraries that wheels carry, by the names of their files; FFmpeg as PyAV builds it."""

OPENCV_FFMPEG = "LGPL-2.1-or-later"
"""OpenCV builds it without what needs version 3."""

MODELS = """\
`hand_landmarker.task`, fetched by `lacquer models` and checked by SHA-256: two TensorFlow Lite networks of Google's
MediaPipe, out of its wheel mediapipe 0.10.21, Apache-2.0.

`nail_map.onnx` and `nail_crops.onnx`, in the package: Lacquer's own, trained by `media_worker/training` from
EfficientNet-Lite0 (Apache-2.0); the source and the licence of every picture they learned from are in the
[model card](../media_worker/vision/weights/README.md).
"""

HEAD = """\
# What Lacquer ships with

Written by `make licences`; `make test` compares it with what is installed, and refuses a licence that is not known.

"""

STRONG = """\
**Before you hand out images or machines with Lacquer on them:** PyAV's wheel carries x264 and x265, which are under
the GPL 2 or later, and Lacquer makes H.264 with x264. Running a service for others is no handing out. Who ships
without them builds PyAV against an FFmpeg of their own (`pip install --no-binary av av`) and serves VP8, or buys
x264's commercial licence. H.264 itself is patented in some countries, which is another matter.
"""


def locked(lock: Path = LOCK) -> list[str]:
    """Names of packages in a lock file, in its order."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text("utf-8"), re.M)


def licence(name: str) -> str:
    """SPDX expression of an installed package. Raises LookupError with what it says instead."""
    about = metadata.metadata(name)
    if "License-Expression" in about:
        return str(about["License-Expression"])
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    lines = [str(line) for line in about.get_all("Classifier") or []]
    classifiers = [line.rpartition(" :: ")[2] for line in lines if line.startswith("License")]
    field = str(about["License"]).strip() if "License" in about else ""
    for words in [field, *classifiers]:
        if words in PERMISSIVE | FILE_COPYLEFT:
            return words
        if words in FROM_WORDS:
            return FROM_WORDS[words]
    raise LookupError(f"{name}: its licence is not clear ({field!r:.60}, {classifiers}); see LOOKED_UP")


def is_allowed(expression: str, allowed: frozenset[str] = PERMISSIVE | FILE_COPYLEFT) -> bool:
    """All that are joined by AND, one of those joined by OR; AND binds more tightly (SPDX 2.3, annex D.4)."""
    if "(" in expression:
        return False  # none so far; look at it when one comes
    return any(all(part.strip() in allowed for part in side.split(" AND ")) for side in expression.split(" OR "))


def carried(name: str) -> list[str]:
    """Shared libraries that an installed wheel brings along, without versions and hashes."""
    found = set()
    for file in metadata.files(name) or []:
        folder = file.parts[0]
        if folder.endswith(".libs") and ".so" in file.name:
            plain = re.sub(r"-[0-9a-f]{8}(?![0-9a-z])", "", file.name.partition(".so")[0])
            found.add(re.sub(r"(p-r\d+)?(\.\d+)*$", "", plain))
    return sorted(found)


def library_licence(name: str, library: str) -> str | None:
    """Of a shared library in the wheel of a package."""
    if name.startswith("opencv") and library.startswith(("libav", "libsw")) and library != "libavif":
        return OPENCV_FFMPEG
    return LIBRARIES.get(library)


def problems(names: Iterable[str]) -> Iterator[str]:
    """What somebody has to look at before it is shipped."""
    for name in names:
        try:
            if not is_allowed(licence(name)):
                yield f"{name}: {licence(name)} is on no list of deploy/licences.py"
        except LookupError as error:
            yield str(error)
        except metadata.PackageNotFoundError:
            yield f"{name}: locked and not installed"
            continue
        for library in carried(name):
            said = library_licence(name, library)
            if said is None:
                yield f"{name} carries {library}: find out its licence, and add it to LIBRARIES"
            elif library not in STRONG_COPYLEFT and not is_allowed(said, PERMISSIVE | LIBRARY_COPYLEFT):
                yield f"{name} carries {library}: {said} is on no list of deploy/licences.py"


def npm_packages(lock: Path) -> Mapping[str, str]:
    """Licences of what a package-lock.json names."""
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    return {path.rpartition("node_modules/")[2]: about.get("license", "?") for path, about in packages.items() if path}


def document() -> str:
    """THIRD_PARTY.md."""
    names = locked()
    carriers = {name: libraries for name in names if (libraries := carried(name))}
    parts = [
        HEAD,
        "## Python packages\n\nVersions and hashes: `requirements.lock`.\n\n",
        _table(("package", "licence"), ((name, licence(name)) for name in names)),
        "\n## Libraries inside their wheels\n\n",
        _table(
            ("wheel", "libraries"),
            ((name, _by_licence(name, libraries)) for name, libraries in carriers.items()),
        ),
        f"\n{STRONG}\n## Networks\n\n{MODELS}",
        "\n## The page\n\nNothing of others: modules, icons and styles are Lacquer's own.\n",
        "\n## Not shipped\n\nOnly for tests: `tests/requirements.lock`, and from npm ",
        ", ".join(f"{name} ({said})" for lock in NPM_LOCKS for name, said in npm_packages(lock).items()),
        ".\n",
    ]
    return "".join(parts)


def _by_licence(name: str, libraries: Iterable[str]) -> str:
    """`MIT: drm, xcb · …`"""
    grouped: dict[str, list[str]] = {}
    for library in libraries:
        grouped.setdefault(library_licence(name, library) or "?", []).append(library.removeprefix("lib"))
    return " · ".join(f"{said}: {', '.join(grouped[said])}" for said in sorted(grouped))


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [heads, ("---", "---"), *sorted(rows)]
    return "".join(f"| {left} | {right} |\n" for left, right in lines)


def main() -> int:
    arguments = argparse.ArgumentParser(description="Writes deploy/THIRD_PARTY.md: the licences of what is shipped.")
    arguments.add_argument(
        "--check", action="store_true", help="only compare; exit code 1 where something is to be done"
    )
    check = arguments.parse_args().check
    found = list(problems(locked()))
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    if found:
        return 1
    if not check:
        WRITTEN.write_text(document(), "utf-8")
        print(f"wrote {WRITTEN.relative_to(ROOT)}")
        return 0
    if WRITTEN.read_text("utf-8") != document():
        print("deploy/THIRD_PARTY.md is not what is installed: run `make licences`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
