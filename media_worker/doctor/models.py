"""Whether what finds hands and nails is there, and loads."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from media_worker.pipeline import load_networks
from media_worker.vision import models
from protocol.checkup import Verdict, failed, ok, warning
from protocol.errors import LacquerError

SOURCE = "MediaPipe hand landmarker, Apache-2.0"


async def hand_model(path: Path | None) -> Verdict:
    """`path` is the operator's own, where one is set."""
    return await asyncio.to_thread(_hand_model, path)


def _hand_model(path: Path | None) -> Verdict:
    try:
        found = models.find(path)
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
    except (LacquerError, OSError) as error:
        return failed(str(error), "run `lacquer models`, or give the path of one in LACQUER_HAND_MODEL")
    if digest == models.SHA256:
        return ok(f"{found} is the one that Lacquer was tested with ({SOURCE})")
    return warning(
        f"{found} can be read, but is not the one that Lacquer was tested with",
        "measure it with `lacquer evaluate`, or take LACQUER_HAND_MODEL away and run `lacquer models`",
    )


async def networks(path: Path | None) -> Verdict:
    return await asyncio.to_thread(_networks, path)


def _networks(path: Path | None) -> Verdict:
    try:
        load_networks(models.find(path))
    except LacquerError as error:
        return failed(f"they do not load: {error}", "install Lacquer anew, or look for a damaged disk")
    return ok("both nail networks and both hand networks load")
