"""Sets of nails: taken from a picture, and worn."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from media_worker import images
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.looks import TEXTURE_SIZE, Coat, Look
from media_worker.vision.arrays import Pixels
from protocol.designs import Finger, Pattern
from protocol.messages import ImageFormat
from protocol.nail_sets import NAIL_SIZE, NailPicture, NailSet, SetKind


def take(rgb: Pixels, model_path: Path) -> NailSet:
    """The set that a picture, uint8 (H, W, 3), shows. Raises ModelUnavailable, VisionFailed."""
    look = Look.from_image(rgb, model_path)
    nails = [_picture(look.coats[finger], finger) for finger in Finger]
    fingers = {finger: place for place, finger in enumerate(Finger)}
    return NailSet(kind=SetKind.HAND, nails=nails, fingers=fingers, confidence=0.5)


def look_of(nail_set: NailSet, fingers: Mapping[Finger, int]) -> Look:
    """The set as five coats; `fingers` are places in its nails."""
    return Look({finger: _coat(nail_set, nail_set.nails[place]) for finger, place in fingers.items()})


def _picture(coat: Coat, finger: Finger) -> NailPicture:
    linear = coat.texture if coat.texture is not None else coat.colours[0]
    rgb = np.broadcast_to(to_srgb(linear), (NAIL_SIZE, NAIL_SIZE, 3)).copy()
    return NailPicture(image=b64encode(images.encode(rgb, ImageFormat.PNG)), finger=finger, confidence=0.5)


def _coat(nail_set: NailSet, nail: NailPicture) -> Coat:
    rgb = images.decode(nail.image, max_pixels=NAIL_SIZE * NAIL_SIZE)
    texture = to_linear(cv2.resize(rgb, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8))
    return Coat(nail_set.finish, Pattern.SOLID, texture.mean(axis=(0, 1)).reshape(1, 3), texture)
