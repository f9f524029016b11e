"""What the camera sees of hands before light falls on them: heights, and which place of which part is where."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from media_worker.training.synthetic_nail import NailStyle, Plate
from media_worker.training.synthetic_pose import Bone, Digit, Hand
from media_worker.training.synthetic_surface import (
    FAR,
    Frame,
    Window,
    bone_height,
    paraboloid_height,
    smooth_max,
)
from media_worker.vision.arrays import Floats, Mask

FOREARM, PALM, BACK, DIGITS = 1, 2, 3, 4
"""Parts: 0 is the background, PALM and BACK the sides of a hand, DIGITS + k its k-th finger."""

SEATED = 0.45
"""A plate wins over flesh this far above it, in the finger's radii: it grows in a groove."""


@dataclass(frozen=True)
class Relief:
    """Maps (H, W) of one hand or of a scene."""

    z: Floats
    """Height in pixels; FAR is the background."""
    part: NDArray[np.uint8]
    along: Floats
    """Place along a finger: 0 knuckle, 1 middle joint, 2 end joint, 3 tip."""
    dorsal: Floats
    """1 on the back of a finger to −1 on its pad."""
    label: NDArray[np.uint8]
    """k on nail k."""
    under: NDArray[np.uint8]
    """1 on the underside of a nail, which is no nail to be painted."""
    u: Floats
    v: Floats
    """Nail coordinates on nails."""

    @classmethod
    def empty(cls, width: int, height: int) -> Relief:
        floats = [np.zeros((height, width), np.float32) for _ in range(4)]
        bytes_ = [np.zeros((height, width), np.uint8) for _ in range(3)]
        z = np.full((height, width), FAR, np.float32)
        return cls(z, bytes_[0], floats[0], floats[1], bytes_[1], bytes_[2], floats[2], floats[3])

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.z.shape
        return width, height


@dataclass(frozen=True)
class Nailed:
    """A nail that was put into a relief."""

    label: int
    digit: Digit
    plate: Plate


def put_hand(relief: Relief, hand: Hand, style: NailStyle | None, first_label: int, rng: Generator) -> list[Nailed]:
    """Puts a hand, in the camera's frame, in front of what `relief` holds. Without a style it has no nails."""
    if not hand.bare_arm:
        _put_flesh(relief, [hand.forearm], FOREARM, 0.02 * hand.unit)
    middle = [hand.forearm, *hand.palm] if hand.bare_arm else hand.palm
    _put_flesh(relief, middle, PALM if hand.palm[0].dorsal[2] < 0 else BACK, 0.07 * hand.unit)
    nailed: list[Nailed] = []
    for k, digit in enumerate(hand.digits):
        _put_digit(relief, digit, DIGITS + k, 0.1 * hand.unit)
        if style is not None:
            nail = Nailed(first_label + len(nailed), digit, Plate.on(digit.bones[2], style, rng))
            _put_nail(relief, nail, DIGITS + k)
            nailed.append(nail)
    _smooth_knuckles(relief, 0.06 * hand.unit)
    _crease_palm(relief, hand)
    return nailed


def _window(bones: list[Bone], size: tuple[int, int]) -> Window:
    points = np.concatenate([bone.ends for bone in bones])
    return Window.around(points, 1.1 * max(max(bone.radii) for bone in bones), size)


def _put_flesh(relief: Relief, bones: list[Bone], part: int, fillet: float) -> None:
    """Puts bones as one surface, blurred by `fillet` pixels: the skin over several bones shows no seams."""
    window = _window(bones, relief.size)
    if window.empty:
        return
    surface = np.full(window.shape, FAR)
    for bone in bones:
        own = _window([bone], relief.size)
        if not own.empty:
            part_of_it = surface[own.within(window).slices]
            np.maximum(part_of_it, bone_height(bone, Frame.of(bone, own)), out=part_of_it)
    flesh = surface > FAR / 2
    surface = np.where(flesh, _blurred(surface, flesh, fillet), FAR)
    here = window.slices
    _cover(relief, here, surface > relief.z[here], part, z=surface, along=None, dorsal=None)


def _put_digit(relief: Relief, digit: Digit, part: int, fillet: float) -> None:
    window = _window(list(digit.bones), relief.size)
    if window.empty:
        return
    here = window.slices
    surface, along, dorsal, first_bone = _bare_digit(digit, window, relief.size)
    flesh = surface > FAR / 2
    joints = np.exp(-np.square((along - 1) / 0.3)) + np.exp(-np.square((along - 2) / 0.4))
    even = _blurred(surface, flesh, 0.5 * digit.bones[2].radii[0])
    surface = np.where(flesh, surface + np.minimum(joints, 1) * (even - surface), FAR)
    below, palm = relief.z[here], np.isin(relief.part[here], (PALM, BACK))
    root = smooth_max(first_bone, np.where(palm, below, FAR), fillet)  # the web between finger and palm
    relief.z[here][palm] = np.maximum(below, root)[palm]
    surface = np.maximum(surface, np.where((first_bone > FAR / 2) & (along < 0.7), root, FAR))
    _cover(relief, here, flesh & (surface > below), part, z=surface, along=along, dorsal=dorsal)


def _smooth_knuckles(relief: Relief, width: float) -> None:
    """One skin over the hand and the roots of its fingers."""
    until = np.where(relief.part == DIGITS, np.float32(1), np.float32(0.7))  # a thumb's first bone lies in the hand
    roots = np.where(relief.part >= DIGITS, np.clip((until - relief.along) / 0.4, 0, 1), 0)
    share = np.where(np.isin(relief.part, (PALM, BACK)), np.float32(1), roots.astype(np.float32))
    even = _blurred(relief.z, share > 0, width)
    relief.z[...] = np.where(share > 0, relief.z + share * (even - relief.z), relief.z)


def _crease_palm(relief: Relief, hand: Hand) -> None:
    """The three great lines of a palm, as grooves; Bézier curves between the wrist and the knuckles."""
    if not (relief.part == PALM).any() or len(hand.digits) < 5:
        return
    wrist = hand.forearm.ends[0, :2]
    thumb, index, middle, ring, pinky = (digit.bones[0].ends[0, :2] for digit in hand.digits)
    lines = (
        (0.8 * index + 0.2 * thumb, 0.5 * middle + 0.5 * wrist, 0.85 * wrist + 0.15 * index),
        (0.75 * index + 0.25 * thumb, 0.65 * middle + 0.35 * wrist, 0.5 * pinky + 0.5 * wrist),
        (0.95 * middle + 0.05 * wrist, 0.75 * ring + 0.25 * wrist, 0.8 * pinky + 0.2 * wrist),
    )
    t = np.linspace(0, 1, 12)[:, None]
    groove = np.zeros(relief.z.shape, np.float32)
    for a, b, c in lines:
        curve = np.round(((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c) * 16).astype(np.int32)
        cv2.polylines(groove, [curve], False, 1.0, max(round(0.012 * hand.unit), 1), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(groove, (0, 0), max(0.008 * hand.unit, 0.7))
    relief.z[...] = np.where(relief.part == PALM, relief.z - soft * np.float32(0.012 * hand.unit), relief.z)


def _bare_digit(digit: Digit, window: Window, size: tuple[int, int]) -> tuple[Floats, Floats, Floats, Floats]:
    """Maps (h, w) of a digit by itself: z, `along`, `dorsal`, and z of its first bone alone.

    Around a joint, where two bones share a ball, `along` stands still.
    """
    z, first_bone = (np.full(window.shape, FAR) for _ in range(2))
    along, dorsal = (np.zeros(window.shape, np.float32) for _ in range(2))
    for k, bone in enumerate(digit.bones):
        own = _window([bone], size)
        if own.empty:
            continue
        here = own.within(window).slices
        frame = Frame.of(bone, own)
        height = bone_height(bone, frame, first_end=k == 0)
        if k == 0:
            first_bone[here] = height
        higher = height > z[here]
        z[here][higher] = height[higher]
        share = (frame.along + height * np.float32(frame.rates[0])) * np.float32(1 / frame.length)
        along[here][higher] = k + np.clip(share, None if k == 0 else 0, None if k == 2 else 1)[higher]
        out = (frame.dorsal + height * np.float32(frame.rates[2])) * np.float32(1 / (bone.flat * bone.radii[1]))
        dorsal[here][higher] = np.clip(out, -1, 1)[higher]
    return z, along, dorsal, first_bone


def _blurred(surface: Floats, inside: Mask, width: float) -> Floats:
    """Mean of the heights about `width` pixels around, of those inside only."""
    size = 2 * max(round(width), 1) + 1
    weight = inside.astype(np.float32)
    total = cv2.blur(np.where(inside, surface, np.float32(0)), (size, size))
    mean: Floats = total / np.maximum(cv2.blur(weight, (size, size)), np.float32(1e-6))
    return mean


def _cover(
    relief: Relief,
    here: tuple[slice, slice],
    seen: Mask,
    part: int,
    *,
    z: Floats,
    along: Floats | None,
    dorsal: Floats | None,
) -> None:
    """Writes flesh into the pixels `seen` of a window."""
    relief.z[here][seen] = z[seen]
    relief.part[here][seen] = part
    relief.along[here][seen] = 0 if along is None else along[seen]
    relief.dorsal[here][seen] = 0 if dorsal is None else dorsal[seen]
    relief.label[here][seen] = 0
    relief.under[here][seen] = 0


def _put_nail(relief: Relief, nail: Nailed, part: int) -> None:
    """The plate, and the underside of its free edge."""
    bone, plate = nail.digit.bones[2], nail.plate
    line = plate.middle_line(bone, np.array([0.0, 0.5, 1.0]))
    window = Window.around(line, 1.2 * plate.half_width + 2, relief.size)
    if window.empty:
        return
    here = window.slices
    frame = Frame.of(bone, window)
    length = plate.free_edge - plate.cuticle
    own = relief.part[here] == part
    depth = SEATED * bone.radii[1] / max(frame.rates[2], 0.35)  # along the ray: more where it grazes the plate
    seat = relief.z[here] - np.where(own, np.float32(depth), 0)
    for outer in (True, False):
        z, met = paraboloid_height(frame, plate.top, plate.curvature, outer=outer)
        u = (frame.across + z * np.float32(frame.rates[1])) / np.float32(plate.half_width)
        v = (frame.along + z * np.float32(frame.rates[0]) - np.float32(plate.cuticle)) / np.float32(length)
        met &= plate.covers(u, v) & (z > (seat if outer else relief.z[here]))
        relief.z[here][met] = z[met]
        relief.part[here][met] = part
        relief.label[here][met] = nail.label if outer else 0
        relief.under[here][met] = not outer
        relief.u[here][met] = u[met]
        relief.v[here][met] = v[met]
        relief.along[here][met] = 3
        if outer:
            relief.dorsal[here][met] = 1
