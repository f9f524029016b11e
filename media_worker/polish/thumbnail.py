"""Pictures of a look, painted by the same brush as a stream: a finger tip for a shop's design strip, and a whole hand.

The same look gives the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from media_worker.drawn_hand import SKIN_TONES
from media_worker.drawn_skeleton import SHAPES, FingerShape, Points, Pose, finger_joints, fingertip
from media_worker.drawn_skin import Colour, draw_hand
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.polish.silhouettes import BEYOND, POINT
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail
from protocol.designs import Finger

OVERSIZE = {"thumbnail": 3, "hand": 2}
"""Drawn this many times larger and averaged down, for smooth edges."""


def thumbnail(look: Look, size: int = 160) -> Pixels:
    """uint8 (size, size, 3), sRGB: a finger tip that wears what `look` has for the middle finger. About 15 ms."""
    if size < 16:
        raise ValueError(f"a thumbnail has at least 16 pixels a side, not {size}")
    coat = look.coats[Finger.MIDDLE]
    reach = BEYOND[coat.length] + POINT.get(coat.shape, 0.0)
    return _painted(*_bare_fingertip(size * OVERSIZE["thumbnail"], reach), look, size, size)


def hand_picture(look: Look, width: int = 640, skin: str = "light") -> Pixels:
    """uint8 (0.9·width, width, 3), sRGB: a hand that wears `look`, its five nails about a tenth of the picture wide.

    `skin` is one of SKIN_TONES. About 20 ms, and 200 ms for the first of a skin and width.
    """
    if width < 64:
        raise ValueError(f"a hand needs a picture at least 64 pixels wide, not {width}")
    if skin not in SKIN_TONES:
        raise ValueError(f"skin is one of {', '.join(SKIN_TONES)}, not {skin!r}")
    return _painted(*_bare_hand(width * OVERSIZE["hand"], SKIN_TONES[skin]), look, width, round(0.9 * width))


def _painted(bare: Pixels, nails: list[Nail], look: Look, width: int, height: int) -> Pixels:
    picture = bare.copy()
    Painter().paint_rgb(picture, nails, look)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


@lru_cache(maxsize=8)
def _bare_fingertip(size: int, reach: float) -> tuple[Pixels, list[Nail]]:
    """A finger tip that leaves room for a nail that reaches `reach` nail widths beyond it."""
    x, y, unit = (float(np.interp(reach, _REACHES, values)) * size for values in zip(*_VIEWS, strict=True))
    finger = fingertip((x, y), unit, lean=-9)
    return _drawn(finger, SKIN_TONES["light"], size, size, [finger.joints[9:13]])


_REACHES = (0.0, 0.25, 0.7, 1.3, 1.7)
_VIEWS = ((0.495, 0.47, 2.75), (0.495, 0.54, 2.5), (0.51, 0.63, 2.2), (0.525, 0.7, 1.95), (0.535, 0.74, 1.8))
"""Middle of the nail, and wrist to middle knuckle, in pictures."""


@lru_cache(maxsize=6)
def _bare_hand(width: int, skin: Colour) -> tuple[Pixels, list[Nail]]:
    hand = _shown_hand((0.56 * width, 1.54 * width), 0.665 * width)
    fingers = [hand.joints[4 * index + 1 : 4 * index + 5] for index in range(5)]
    return _drawn(hand, skin, width, round(0.9 * width), fingers)


_SHOWN: dict[Finger, FingerShape] = {
    Finger.THUMB: replace(SHAPES[Finger.THUMB], direction=-21, nail=(0.52, 1.30, 0.160), taper=0.1),
    Finger.INDEX: FingerShape((-0.27, -0.97), (0.36, 0.27, 0.235), -6, (0.115, 0.084), (0.52, 1.32, 0.142), 0.1),
    Finger.MIDDLE: FingerShape((-0.02, -1.00), (0.42, 0.30, 0.245), -1, (0.118, 0.086), (0.50, 1.31, 0.148), 0.1),
    Finger.RING: FingerShape((0.22, -0.95), (0.38, 0.29, 0.240), 4, (0.112, 0.082), (0.50, 1.31, 0.142), 0.1),
    Finger.PINKY: FingerShape((0.43, -0.84), (0.31, 0.22, 0.205), 10, (0.095, 0.071), (0.54, 1.33, 0.119), 0.1),
}
"""Fingers side by side, bent at the knuckles so that they look shorter and their nails larger."""


def _shown_hand(wrist: tuple[float, float], unit: float, lean: float = -4) -> Pose:
    """A right hand with its fingers nearly straight, in pixels."""
    tilt = np.radians(lean)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    joints: list[Points] = [np.zeros(2)]
    for finger, shape in _SHOWN.items():
        joints += finger_joints(shape, shape.direction, 0.02, curve=0.12 if finger is Finger.THUMB else 0.0)
    place = np.array(wrist)
    elbow = np.array([0.0, 4.0]) @ turn * unit + place
    return Pose(np.array(joints) @ turn * unit + place, unit, "right", False, elbow, _SHOWN)


def _drawn(pose: Pose, skin: Colour, width: int, height: int, fingers: list[Points]) -> tuple[Pixels, list[Nail]]:
    """A bare hand on a soft background, uint8 (height, width, 3), and its nails. Shared: copy before painting."""
    canvas = _background(width, height)
    _cast_shadow(canvas, fingers, pose.unit)
    nails = draw_hand(canvas, pose, skin, None)
    return canvas.clip(0, 255).astype(np.uint8), [
        Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0) for n in nails
    ]


def _background(width: int, height: int) -> Floats:
    """Warm white, brightest at the upper left."""
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    far = np.clip((x + 0.3) ** 2 + (y + 0.4) ** 2, 0, 3)[..., None] / 3
    return np.array([240, 231, 225], np.float32) - far * np.array([52, 58, 60], np.float32)


def _cast_shadow(canvas: Floats, fingers: list[Points], unit: float) -> None:
    """Darkens where the light from the upper left does not reach, to the lower right of each finger."""
    height, width = canvas.shape[:2]
    small = np.zeros((height // 8, width // 8), np.float32)
    for joints in fingers:
        along = (joints + 0.024 * unit) / 8
        cv2.polylines(small, [along.round().astype(np.int32)], False, (1.0,), max(1, round(0.021 * unit)))
    soft = cv2.GaussianBlur(small, (0, 0), max(0.0024 * unit, 0.5))
    canvas *= 1 - np.float32(0.26) * cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
