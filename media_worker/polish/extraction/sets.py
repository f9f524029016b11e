"""Any picture as a set of nails: a manicure on a hand, loose tips or a design sheet, or a flat swatch."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from media_worker.polish.extraction.albedo import Worn, worn_by
from media_worker.polish.extraction.fingers import assign
from media_worker.polish.extraction.surface import finish_of
from media_worker.polish.extraction.tips import find_tips
from media_worker.polish.scene import read_scene
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import FINGERS, Nail
from protocol.designs import Finish
from protocol.errors import BadImage
from protocol.nail_sets import MAX_NAILS, NAIL_SIZE, NailPicture, NailSet, SetKind

Finder = Callable[[Pixels], tuple[list[Nail], int]]
"""Nails of a photo, uint8 (H, W, 3), and the number of hands: `StillPipeline.find`."""

LARGEST_PHOTO = 2048
"""Pixels of the longer side; a larger photo is averaged down, as its nails are finer than what is kept of them."""

SMALLEST_PHOTO, SLIMMEST_PHOTO = 24, 12
"""Pixels of the shorter side from which nails are looked for, and how many times it the longer one may be."""

FEWEST_NAMELESS = 2
"""Nails without a hand must be so many, or one of them as sure as SURE: a swatch has spots, too."""

SURE = 0.9

BUSY = 60.0
"""Grey levels by which the parts of a picture differ that is hardly a swatch."""

FILLED = 0.8
"""How sure it is of the whole, for each finger that it had to make up: times this."""


def extract(rgb: Pixels, finder: Finder) -> NailSet:
    """The nails shown by a picture, uint8 (H, W, 3). Takes about a second.

    Raises BadImage for an empty picture, and what `finder` raises.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise BadImage(f"expected an RGB picture, got {rgb.dtype} {rgb.shape}")
    rgb = _reduced(rgb)
    nails, hands = finder(rgb) if _may_show_nails(rgb) else ([], 0)
    if not hands and not _believable(nails):
        nails = find_tips(rgb)
    white = white_of(rgb)
    seen = [worn for nail in nails if (worn := worn_by(rgb, nail, white)) is not None]
    return _set_of(seen, SetKind.HAND if hands and _named(seen) else SetKind.TIPS) if seen else _swatch(rgb)


def white_of(rgb: Pixels) -> Floats:
    """(3,) linear light of a white surface in this picture, as the painter takes it to be, so that paint comes back."""
    height, width = rgb.shape[:2]
    step = max(height, width) / 64
    size = max(round(width / step), 1), max(round(height / step), 1)
    scene = read_scene(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
    return scene.exposure * scene.tint


def _reduced(rgb: Pixels) -> Pixels:
    scale = LARGEST_PHOTO / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _may_show_nails(rgb: Pixels) -> bool:
    """Whether a picture is neither tiny nor a strip."""
    shorter, longer = sorted(rgb.shape[:2])
    return bool(shorter >= SMALLEST_PHOTO and longer <= SLIMMEST_PHOTO * shorter)


def _believable(nails: Sequence[Nail]) -> bool:
    return len(nails) >= FEWEST_NAMELESS or any(nail.confidence >= SURE for nail in nails)


def _named(seen: Sequence[Worn]) -> bool:
    return any(worn.nail.finger for worn in seen)


def _set_of(seen: Sequence[Worn], kind: SetKind) -> NailSet:
    best = sorted(seen, key=lambda worn: -worn.sureness)[:MAX_NAILS]
    best.sort(key=lambda worn: worn.nail.number)
    sureness = [worn.sureness for worn in best]
    assignment = assign([worn.nail for worn in best], [worn.picture for worn in best], sureness)
    whole = float(np.mean([sureness[k] for k in set(assignment.worn.values())]))
    return NailSet(
        kind=kind,
        nails=[_picture(worn) for worn in best],
        fingers=assignment.worn,
        filled=assignment.filled,
        confidence=whole * assignment.certainty * FILLED ** len(assignment.filled),
        finish=finish_of([worn.surface for worn in best]),
    )


def _picture(worn: Worn) -> NailPicture:
    return NailPicture(image=_png(worn.picture), finger=worn.nail.finger, confidence=min(worn.sureness, 1.0))


def _swatch(rgb: Pixels) -> NailSet:
    """The middle square, worn on all five, its top at the cuticle. Its colours stay as they are."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    interpolation = cv2.INTER_AREA if side > NAIL_SIZE else cv2.INTER_LINEAR
    picture = cv2.resize(square, (NAIL_SIZE, NAIL_SIZE), interpolation=interpolation).astype(np.uint8, copy=False)
    sureness = _evenness(picture)
    nail = NailPicture(image=_png(picture), finger=None, confidence=sureness)
    fingers = dict.fromkeys(FINGERS, 0)
    return NailSet(kind=SetKind.SWATCH, nails=[nail], fingers=fingers, confidence=sureness, finish=Finish.CREAM)


def _evenness(picture: Pixels) -> float:
    """How sure it is that a picture is a swatch: 1 where it looks alike everywhere, 0.2 for a view of all sorts."""
    coarse = cv2.resize(picture, (6, 6), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    return float(np.clip(1 - coarse.std(axis=0).max() / BUSY, 0.2, 1))


def _png(rgb: Pixels) -> bytes:
    """Base64 of a PNG, as the model takes it."""
    data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    return base64.b64encode(data.tobytes())
