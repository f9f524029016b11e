"""Pictures of hands that never were, with every nail known to the pixel.

A hand is bent and turned in three dimensions (`synthetic_pose`), its bones and nails become a relief
(`synthetic_relief`, `synthetic_surface`, `synthetic_nail`), skin and polish colour it (`synthetic_paint`,
`synthetic_skin`, `polish`), a lamp lights it (`synthetic_light`) in front of a backdrop (`synthetic_backdrop`), and a
camera spoils it (`camera`). This module places hands and tells the truth about their nails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from media_worker.training.camera import degrade, relight
from media_worker.training.polish import to_bytes
from media_worker.training.synthetic_nail import random_style
from media_worker.training.synthetic_paint import paint
from media_worker.training.synthetic_pose import Hand, Kind, outline_points, place, random_hand, random_view, tips
from media_worker.training.synthetic_relief import Nailed, Relief, put_hand
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.hands import Side
from protocol.designs import Finger

__all__ = ["KINDS", "Kind", "Synthetic", "SyntheticNail", "draw"]

KINDS: dict[Kind, float] = {"open": 0.27, "closeup": 0.38, "curled": 0.2, "pair": 0.08, "palm": 0.07}
"""How often each is drawn."""

SUPERSAMPLING = 1.5

MIN_AREA = 8
"""Pixels of a nail in view from which it is labelled."""


@dataclass(frozen=True)
class SyntheticNail:
    label: int
    """Its value in `Synthetic.labels`."""
    outline: Floats
    """(N, 2): the largest visible part, in pixels."""
    axis: Floats
    """(2, 2): the visible ends of its middle line, cuticle side first."""
    finger: Finger
    hand: Side


@dataclass(frozen=True)
class Synthetic:
    rgb: Pixels
    """(H, W, 3), sRGB."""
    labels: NDArray[np.uint8]
    """(H, W): 0 background, k where nail k covers more than half of a pixel."""
    nails: list[SyntheticNail]
    """In the order of their labels, from 1."""


def draw(
    rng: Generator, size: tuple[int, int], *, kind: Kind | None = None, backgrounds: Sequence[Pixels] = ()
) -> Synthetic:
    """A picture of `size` (width, height); the same generator state draws the same bytes.

    `backgrounds` are photos without nails, sRGB bytes (H, W, 3) of any size. Raises ValueError under 32 pixels.
    """
    if min(size) < 32:
        raise ValueError(f"a picture needs at least 32 pixels either way, not {size[0]}x{size[1]}")
    if kind is None:
        kind = list(KINDS)[int(rng.choice(len(KINDS), p=list(KINDS.values())))]
    large = round(size[0] * SUPERSAMPLING), round(size[1] * SUPERSAMPLING)
    relief = Relief.empty(*large)
    hands = _hands(rng, kind, large)
    style = random_style(rng) if kind != "palm" else None
    nailed: list[Nailed] = []
    for hand in hands:
        nailed += put_hand(relief, hand, style, len(nailed) + 1, rng)
    light = paint(relief, nailed, hands[0].unit, rng, backgrounds=backgrounds)
    rgb = to_bytes(cv2.resize(light, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False))
    labels, nails = _truth(relief, nailed, size)
    if rng.random() < 0.6:
        rgb = relight(rgb, rng)
    return Synthetic(degrade(rgb, rng), labels, nails)


# --- where hands are -------------------------------------------------------------------------------------------------
def _hands(rng: Generator, kind: Kind, size: tuple[int, int]) -> list[Hand]:
    if kind == "closeup":
        return [_close(rng, size)]
    count = 2 if kind == "pair" else 1
    each: Kind = "open" if kind == "pair" and rng.random() < 0.6 else "curled" if kind == "pair" else kind
    return [_framed(rng, each, size, index, count) for index in range(count)]


def _framed(rng: Generator, kind: Kind, size: tuple[int, int], index: int, count: int) -> Hand:
    """A hand that takes about half to all of the picture, or of its half of it."""
    hand = random_hand(rng, kind)
    view = random_view(rng, kind, hand)
    points = outline_points(hand) @ view.T
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([size[0] / count, size[1]])
    unit = float((room / np.maximum((high - low)[:2], 0.3)).min() * rng.uniform(0.5, 1.15))
    middle = np.array([room[0] * (index + 0.5), size[1] / 2]) + rng.normal(0, 0.1, 2) * room
    shift = np.append(middle - unit * (low + high)[:2] / 2, rng.uniform(-0.3, 0.3) * unit * index)
    return place(hand, view, unit, shift)


def _close(rng: Generator, size: tuple[int, int]) -> Hand:
    """One to five finger tips that fill the picture; now and then only some fingers of the hand are there."""
    hand = random_hand(rng, "closeup")
    view = random_view(rng, "closeup", hand)
    first = int(rng.integers(5))
    wanted = np.arange(first, min(first + int(rng.integers(1, 6)), 5))
    points = (tips(hand) @ view.T)[wanted]
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum((high - low)[:2], 0) + rng.uniform(0.2, 0.6)
    unit = float((np.array(size) / extent).min())
    middle = np.array(size) * (0.5 + rng.normal(0, 0.08, 2))
    if rng.random() < 0.3:
        hand = Hand([hand.digits[k] for k in wanted], hand.palm, hand.forearm, hand.bare_arm, hand.unit)
    return place(hand, view, unit, np.append(middle - unit * (low + high)[:2] / 2, 0))


# --- the truth -------------------------------------------------------------------------------------------------------
def _truth(
    relief: Relief, nailed: list[Nailed], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], list[SyntheticNail]]:
    labels = np.zeros(size[::-1], np.uint8)
    nails: list[SyntheticNail] = []
    for nail in nailed:
        mask = np.where(relief.label == nail.label, np.float32(1), np.float32(0))
        seen = cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0.5
        if np.count_nonzero(seen) < MIN_AREA:
            continue
        label = len(nails) + 1
        labels[seen] = label
        outline = _outline(mask)
        axis = _axis(nail, mask > 0)
        nails.append(
            SyntheticNail(label, outline / SUPERSAMPLING, axis / SUPERSAMPLING, nail.digit.finger, nail.digit.side)
        )
    return labels, nails


def _outline(mask: Floats) -> Floats:
    """(N, 2): contour of a mask's largest part, in its pixels, to half of one."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    crop = cv2.copyMakeBorder(mask[top : top + height, left : left + width], 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    fine = cv2.resize(crop, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR) > 0.5
    contours = cv2.findContours(fine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    largest = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
    outline: Floats = (largest + np.float32(0.5)) / np.float32(4) + np.array([left - 2, top - 2], np.float32)
    return outline


def _axis(nail: Nailed, mask: NDArray[np.bool_]) -> Floats:
    """(2, 2): ends of what is visible of the middle line; of hardly any, those of the mask along its direction."""
    line = nail.plate.middle_line(nail.digit.bones[2], np.linspace(0, 1, 64))[:, :2]
    x, y = np.floor(line).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    inside[inside] = mask[y[inside], x[inside]]
    visible = line[inside]
    if len(visible) < 2 or np.hypot(*(visible[-1] - visible[0])) < 3:
        rows, columns = np.nonzero(mask)
        points = np.stack([columns, rows], axis=1) + 0.5
        position = points @ (line[-1] - line[0])
        visible = points[[position.argmin(), position.argmax()]]
    return np.asarray(visible[[0, -1]], np.float32)
