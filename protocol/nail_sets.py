"""A design taken from a picture: what each nail in it wears, flat and in neutral light.

Made by a worker (`media_worker/polish`), kept by signaling, worn by any worker: a session that moves takes it along.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from protocol.designs import Finger, Finish

NAIL_SIZE = 128
"""Side of a nail's picture in pixels: more than a nail has in a 720p stream, about a phone photo's."""

MAX_NAILS = 20
"""A design sheet may show more tips; the surest ones are kept."""

_PNG_HEAD = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", NAIL_SIZE, NAIL_SIZE)
"""Signature and size: https://www.w3.org/TR/png-3/#11IHDR."""


def _of_nail_size(image: bytes) -> bytes:
    """By its header alone, so that no small file unfolds into gigabytes where it is decoded."""
    if not image.startswith(_PNG_HEAD):
        raise ValueError(f"should be a PNG of {NAIL_SIZE}x{NAIL_SIZE} pixels")
    return image


Share = Annotated[float, Field(ge=0, le=1)]


class SetKind(StrEnum):
    """What the picture shows."""

    HAND = "hand"
    TIPS = "tips"
    """Loose tips, a design sheet, or nails of a hand that cannot be told apart by finger."""
    SWATCH = "swatch"
    """No nail: the middle of the picture is worn on all five."""


class NailPicture(BaseModel):
    """One nail of the picture."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    image: Annotated[Base64Bytes, AfterValidator(_of_nail_size)]
    """PNG, NAIL_SIZE a side, sRGB albedo: left to right across the nail, cuticle at the top."""
    finger: Finger | None
    """On whose finger it was seen."""
    confidence: Share
    """How sure it is that this is a nail and what it wears."""


class NailSet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: SetKind
    nails: Annotated[list[NailPicture], Field(min_length=1, max_length=MAX_NAILS)]
    fingers: dict[Finger, Annotated[int, Field(ge=0)]]
    """Place in `nails` that each of the five fingers wears unless the person says otherwise."""
    filled: list[Finger] = []
    """Fingers that were not seen and wear another one's nail."""
    confidence: Share
    """How sure the whole set is."""
    finish: Finish = Finish.GLOSS
    """The surface it seems to have."""

    @model_validator(mode="after")
    def _fingers_wear_nails_of_the_set(self) -> NailSet:
        if set(self.fingers) != set(Finger) or max(self.fingers.values()) >= len(self.nails):
            raise ValueError("each of the five fingers wears one of the set's nails")
        return self
