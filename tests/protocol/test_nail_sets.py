"""Sets of nails: what is refused before anything is decoded."""

from __future__ import annotations

import base64
import io
import struct

import pytest
from PIL import Image
from pydantic import ValidationError

from protocol.designs import Finger
from protocol.nail_sets import NAIL_SIZE, NailPicture, NailSet
from tests.nail_sets import nail_set, png


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (width, height)).save(output, kind)
    return output.getvalue()


def test_a_set_goes_through_json_unchanged() -> None:
    assert NailSet.model_validate_json(nail_set().model_dump_json()) == nail_set()
    assert nail_set().nails[0].image == png("#B3001B")


@pytest.mark.parametrize(
    "image",
    [
        b"",
        picture(NAIL_SIZE, NAIL_SIZE, "JPEG"),
        picture(NAIL_SIZE, NAIL_SIZE - 1),
        png("#B3001B")[:16] + struct.pack(">II", 60_000, 60_000) + png("#B3001B")[24:],
        picture(NAIL_SIZE, NAIL_SIZE)[:20],
    ],
    ids=["empty", "JPEG", "smaller", "huge", "cut short"],
)
def test_a_nail_is_a_png_of_one_size(image: bytes) -> None:
    with pytest.raises(ValidationError, match="128x128"):
        NailPicture(image=base64.b64encode(image), finger=None, confidence=1)


@pytest.mark.parametrize("fingers", [{}, {finger: 5 for finger in Finger}, {Finger.THUMB: 0}])
def test_each_finger_wears_a_nail_of_the_set(fingers: dict[Finger, int]) -> None:
    raw = {**nail_set().model_dump(mode="json"), "fingers": fingers}
    with pytest.raises(ValidationError, match="each of the five fingers"):
        NailSet.model_validate(raw)
