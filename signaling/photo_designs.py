"""What a design is called and how it is described where it comes from a photo."""

from __future__ import annotations

import asyncio
import io
from pathlib import PurePath

from PIL import Image

from protocol.designs import Finger
from protocol.nail_sets import NailSet

MAX_NAME = 60


def name_of(file: str) -> str:
    """`rose_gold-2.jpg` → `Rose gold 2`."""
    words = " ".join(PurePath(file).stem.replace("_", " ").replace("-", " ").split())
    return (words[:1].upper() + words[1:])[:MAX_NAME].strip() or "Design"


async def description(nail_set: NailSet) -> dict[str, object]:
    """The fields of a Design that a set of nails tells: its finish, and the mean colours of its nails."""
    return {"finish": nail_set.finish, "colours": await asyncio.to_thread(_colours, nail_set)}


def _colours(nail_set: NailSet) -> list[str]:
    """#RRGGBB of the nails that are worn, thumb first, each once."""
    worn = dict.fromkeys(nail_set.fingers[finger] for finger in Finger)
    return list(dict.fromkeys(_mean_colour(nail_set.nails[place].image) for place in worn))


def _mean_colour(png: bytes) -> str:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        one = image.convert("RGB").resize((1, 1), Image.Resampling.BOX)
    return "#" + one.tobytes().hex().upper()
