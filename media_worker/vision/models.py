"""The hand model's file: where it is, how it is fetched, how it is checked.

MediaPipe 1.x ships no model. Its official `hand_landmarker.task` is a zip (stored) of two TensorFlow Lite files; both
lie, under Apache-2.0, in the official mediapipe 0.10.21 wheel. `fetch` downloads that wheel with pip, checks every
byte against pinned SHA-256 sums and keeps the zip in a cache folder. Nothing of it is ever part of the repository.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from protocol.errors import VisionFailed

ENVIRONMENT = "LACQUER_HAND_MODEL"
"""Names an operator's own `.task` file, which wins over the cache."""

FILE_NAME = "hand_landmarker.task"
SHA256 = "6bbbde8c9ceef075c7daa9ccca97dcc45396ba44eaa19eea243e9ea0d2904ccc"

PIP_DOWNLOAD = (
    "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
    "--platform", "manylinux_2_28_x86_64", "mediapipe==0.10.21",
)  # fmt: skip
"""The wheel is only unpacked, never installed, so its platform and Python need not be ours."""

PARTS = {
    "hand_detector.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmarks_detector.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
"""Name inside the task file → (path inside the wheel, SHA-256)."""


class ModelUnavailable(VisionFailed):
    """The hand model is missing, damaged or cannot be fetched; the message says what to run."""


def cache_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where `fetch` keeps the model: `$XDG_CACHE_HOME` or `~/.cache`, then `lacquer/`."""
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lacquer" / FILE_NAME


def find(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The model to use: `path`, else `$LACQUER_HAND_MODEL`, else the cache. Raises ModelUnavailable."""
    named = path or (Path(environment[ENVIRONMENT]) if environment.get(ENVIRONMENT) else None)
    if named is not None:
        check(named)
        return named
    cached = cache_path(environment)
    if not cached.is_file():
        raise ModelUnavailable("The hand model is not installed; run `lacquer models` to fetch it.")
    if _sha256(cached.read_bytes()) != SHA256:
        raise ModelUnavailable(f"The hand model {cached} is damaged; run `lacquer models` to fetch it again.")
    return cached


def fetch(report: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> Path:
    """Makes sure that the cache holds the model, downloading it if need be; returns its path.

    `report` is given one line for each step. Safe to run in many processes at once: each works in a folder of its own
    and the finished file is renamed into place. Raises ModelUnavailable.
    """
    target = cache_path(environment)
    try:
        if target.is_file() and _sha256(target.read_bytes()) == SHA256:
            report(f"{target} is there and sound")
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=target.parent) as folder:
            task = build_task(_download_wheel(Path(folder), report))
            report("checked the SHA-256 of both networks and of the file made of them")
            finished = Path(folder) / FILE_NAME
            finished.write_bytes(task)
            finished.replace(target)
    except OSError as error:
        raise ModelUnavailable(f"The hand model cannot be kept in {target.parent}: {error}.") from error
    report(f"wrote {target}")
    return target


def build_task(wheel: Path) -> bytes:
    """The task file, byte for byte the same on every machine. Raises ModelUnavailable where a checksum is off."""
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as task:
            for name, (member, expected) in PARTS.items():
                data = source.read(member)
                if _sha256(data) != expected:
                    raise ModelUnavailable(f"{member} in {wheel.name} is not the file that Lacquer was tested with.")
                entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # else the writing platform ends up in the bytes
                entry.extra = _alignment(buffer.tell() + 30 + len(name))
                task.writestr(entry, data)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelUnavailable(f"{wheel.name} is no mediapipe 0.10.21 wheel: {error}.") from error
    data = buffer.getvalue()
    if _sha256(data) != SHA256:
        raise ModelUnavailable("The hand model was put together differently than expected; please report this.")
    return data


def _download_wheel(folder: Path, report: Callable[[str], None]) -> Path:
    report(f"$ pip {' '.join(PIP_DOWNLOAD)}   (36 MB, into a temporary folder)")
    command = [sys.executable, "-m", "pip", *PIP_DOWNLOAD, "--quiet", "--dest", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ModelUnavailable(f"The hand model could not be downloaded, run `lacquer models` to retry: {reason}")
    return next(folder.glob("*.whl"))


def _alignment(offset: int) -> bytes:
    """A zip extra field that moves an entry's data from `offset` to the next multiple of 64.

    MediaPipe maps the file into memory; tensors that are not aligned it would copy, once per landmarker. The field's
    id is zipalign's (0xD935): id, length, then that many bytes.
    """
    padding = -(offset + 4) % 64
    return struct.pack("<HH", 0xD935, padding) + bytes(padding)


def check(path: Path) -> None:
    """An operator's own model may differ from ours, but it must be a task file with both networks.

    Raises ModelUnavailable.
    """
    try:
        with zipfile.ZipFile(path) as task:
            missing = PARTS.keys() - set(task.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(
            f"The hand model {path} cannot be read ({error}); give another path or run `lacquer models`."
        ) from error
    if missing:
        raise ModelUnavailable(f"The hand model {path} lacks {', '.join(sorted(missing))}; run `lacquer models`.")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
