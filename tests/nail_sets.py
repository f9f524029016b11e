"""Sets of nails in plain colours."""

from __future__ import annotations

import base64
import io

from PIL import Image

from protocol.designs import Finger
from protocol.nail_sets import NAIL_SIZE, NailPicture, NailSet, SetKind

COLOURS = ("#B3001B", "#1F3FBF", "#1E4D38", "#F3D3D1", "#111111")
"""Thumb to pinky."""


def png(colour: str) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (NAIL_SIZE, NAIL_SIZE), colour).save(output, "PNG")
    return output.getvalue()


def nail_set(*colours: str) -> NailSet:
    """As if a hand had been photographed whose nails wear these colours; COLOURS without any."""
    nails = [
        NailPicture(image=base64.b64encode(png(colour)), finger=finger, confidence=0.9)
        for finger, colour in zip(Finger, colours or COLOURS, strict=False)
    ]
    seen = len(nails)
    return NailSet(
        kind=SetKind.HAND,
        nails=nails,
        fingers={finger: min(place, seen - 1) for place, finger in enumerate(Finger)},
        filled=list(Finger)[seen:],
        confidence=0.8,
    )
