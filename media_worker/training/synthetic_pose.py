"""Hands in three dimensions: bones, bends and the camera's place. No pixels are drawn here.

The hand's own frame is that of a right hand: x towards the little finger, y from wrist to fingers, z out of the back of
the hand, in units of wrist to middle knuckle (about 95 mm). The camera's frame is the picture's: x right, y down, z
towards the viewer, in pixels. The projection is parallel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from media_worker.vision.arrays import Floats
from media_worker.vision.hands import Side
from protocol.designs import Finger

Kind = Literal["open", "curled", "closeup", "pair", "palm"]
"""What a picture shows; of a palm no nail."""


@dataclass(frozen=True)
class Bone:
    """A flattened cone with round ends."""

    ends: Floats
    """(2, 3)."""
    radii: tuple[float, float]
    dorsal: Floats
    """(3,), unit: the side that nails are on."""
    flat: float
    """Thickness over width."""


@dataclass(frozen=True)
class Digit:
    finger: Finger
    side: Side
    bones: tuple[Bone, Bone, Bone]
    """From knuckle to tip."""


@dataclass(frozen=True)
class Hand:
    digits: list[Digit]
    palm: list[Bone]
    forearm: Bone
    bare_arm: bool
    """Without a sleeve."""
    unit: float
    """Length of the frame's unit: 1 in the hand's frame, pixels in the camera's."""


@dataclass(frozen=True)
class _Anatomy:
    base: tuple[float, float, float]
    """Knuckle; of the thumb its root at the wrist."""
    lengths: tuple[float, float, float]
    radii: tuple[float, float, float, float]
    """At the knuckle, the two joints and near the tip."""
    fan: float
    """Degrees from straight ahead, positive towards the little finger."""
    roll: float
    """Degrees that the nail faces away from the back of the hand."""


_ANATOMY = {
    Finger.THUMB: _Anatomy((-0.19, 0.17, -0.08), (0.40, 0.33, 0.23), (0.160, 0.122, 0.108, 0.094), -42, -50),
    Finger.INDEX: _Anatomy((-0.26, 0.94, 0.0), (0.47, 0.27, 0.18), (0.115, 0.098, 0.086, 0.077), -6, -6),
    Finger.MIDDLE: _Anatomy((-0.03, 1.0, 0.02), (0.52, 0.32, 0.19), (0.115, 0.100, 0.088, 0.079), 0, 0),
    Finger.RING: _Anatomy((0.19, 0.94, 0.0), (0.48, 0.30, 0.19), (0.108, 0.094, 0.083, 0.075), 6, 5),
    Finger.PINKY: _Anatomy((0.38, 0.81, -0.03), (0.37, 0.21, 0.165), (0.095, 0.082, 0.073, 0.065), 13, 10),
}
"""After hand survey means: finger breadths 16–20 mm, distal bones with flesh 24–27 mm, thumb 32 mm."""


def random_hand(rng: Generator, kind: Kind) -> Hand:
    """A right hand in its own frame, its wrist at the origin, bent as the kind asks."""
    slim, plump = rng.normal(1, 0.06), float(np.clip(rng.normal(1, 0.1), 0.78, 1.3))
    curl, spread = _curl(rng, kind), rng.uniform(0.2, 1.9)
    digits = [_thumb(rng, curl, slim, plump)]
    for finger in tuple(_ANATOMY)[1:]:
        anatomy = _ANATOMY[finger]
        bends = curl * rng.uniform(0.8, 1.2, 3) + rng.normal(0, 3, 3)
        turns = rotation("z", -np.radians(anatomy.fan * spread + rng.normal(0, 2)))
        turns = turns @ rotation("y", np.radians(anatomy.roll + rng.normal(0, 7)))
        digits.append(_digit(finger, bends, turns, slim=slim, plump=plump))
    wrist = np.zeros(3)
    palm = [_bone(wrist, digit.bones[0].ends[0], (0.25, 0.135 * plump), 0.55) for digit in digits[1:]]
    palm.append(_bone(np.array([-0.2, 0.5, -0.05]), np.array([-0.22, 0.85, -0.03]), (0.17, 0.12), 0.6))
    forearm = _bone(wrist, np.array([rng.normal(0, 0.3), -2.5, 0]), (0.26, 0.36), 0.7)
    return Hand(digits, palm, forearm, bool(rng.random() < 0.6), 1.0)


def _curl(rng: Generator, kind: Kind) -> Floats:
    """(3,): degrees by which fingers bend at knuckle, middle and end joint."""
    if kind == "curled":
        return np.array([rng.uniform(25, 85), rng.uniform(55, 100), rng.uniform(15, 50)])
    if kind == "closeup" and rng.random() < 0.35:
        return np.array([rng.uniform(20, 85), rng.uniform(40, 100), rng.uniform(10, 50)])
    return np.array([rng.uniform(-8, 25), rng.uniform(0, 35), rng.uniform(-4, 20)])


def _bone(start: Floats, end: Floats, radii: tuple[float, float], flat: float) -> Bone:
    return Bone(np.stack([start, end]), radii, np.array([0.0, 0.0, 1.0]), flat)


def _thumb(rng: Generator, curl: Floats, slim: float, plump: float) -> Digit:
    """Beside the hand; on fists often across the palm, its nail turned away from the back of the hand."""
    anatomy = _ANATOMY[Finger.THUMB]
    if curl.sum() > 100 and rng.random() < 0.5:
        fan, tilt, roll, bend = rng.uniform(-30, 8), rng.uniform(15, 50), rng.uniform(-140, -90), rng.uniform(10, 45)
    else:
        fan, tilt, roll, bend = anatomy.fan + rng.normal(0, 7), 0.0, anatomy.roll + rng.normal(0, 18), 0.3 * curl[1]
    turns = rotation("z", -np.radians(fan)) @ rotation("x", -np.radians(tilt)) @ rotation("y", np.radians(roll))
    return _digit(Finger.THUMB, np.array([0.0, bend, bend]), turns, slim=slim, plump=plump)


def _digit(finger: Finger, bends: Floats, frame: Floats, *, slim: float, plump: float) -> Digit:
    """`frame` (3, 3) has columns across, along and dorsal; `bends` (3,) are degrees towards the palm in that frame."""
    anatomy = _ANATOMY[finger]
    point = np.array(anatomy.base)
    bones = []
    for k, (length, bend) in enumerate(zip(anatomy.lengths, bends, strict=True)):
        frame = frame @ rotation("x", -float(np.radians(bend)))
        end = point + frame[:, 1] * length * slim
        radii = anatomy.radii[k] * plump, anatomy.radii[k + 1] * plump
        bones.append(Bone(np.stack([point, end]), radii, frame[:, 2], (0.95, 0.92, 0.84)[k]))
        point = end
    return Digit(finger, "right", (bones[0], bones[1], bones[2]))


def rotation(axis: Literal["x", "y", "z"], angle: float) -> Floats:
    """(3, 3): turns by `angle` radians, right-handed."""
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


# --- the camera's place ----------------------------------------------------------------------------------------------
def random_view(rng: Generator, kind: Kind, hand: Hand) -> Floats:
    """(3, 3): the hand's frame to the camera's, without scale. Mirrors half of the hands into left ones."""
    tilt, turn = np.radians(rng.normal(0, 18)), np.radians(rng.normal(0, 20))
    total_bend = _bend_of(hand)
    if kind == "palm" or total_bend > np.radians(135):
        turn += np.pi
    elif total_bend > np.radians(60):  # tips towards the camera: tilt the hand until nails show
        tilt += rng.uniform(0.2, 0.75) * total_bend
    roll = rng.normal(0, 0.5) if rng.random() < 0.5 else rng.uniform(-np.pi, np.pi)
    mirror = np.diag([rng.choice([-1.0, 1.0]), -1.0, 1.0])  # y points down in pictures
    return rotation("z", roll) @ mirror @ rotation("x", tilt) @ rotation("y", turn)


def _bend_of(hand: Hand) -> float:
    """Mean angle between the back of the hand and the nails of the four fingers, radians."""
    facing = [digit.bones[2].dorsal[2] for digit in hand.digits[1:]]
    return float(np.arccos(np.clip(np.mean(facing), -1, 1)))


def place(hand: Hand, view: Floats, unit: float, shift: Floats) -> Hand:
    """The hand in the camera's frame: turned, `unit` pixels long, its origin at `shift` (3,)."""

    def bone(each: Bone) -> Bone:
        radii = each.radii[0] * unit, each.radii[1] * unit
        return replace(each, ends=each.ends @ view.T * unit + shift, radii=radii, dorsal=view @ each.dorsal)

    # the camera's frame is left-handed, y being down: a right hand keeps det −1
    side: Side = "right" if np.linalg.det(view) < 0 else "left"
    digits = []
    for digit in hand.digits:
        first, second, third = (bone(each) for each in digit.bones)
        digits.append(Digit(digit.finger, side, (first, second, third)))
    return Hand(digits, [bone(each) for each in hand.palm], bone(hand.forearm), hand.bare_arm, unit)


def tips(hand: Hand) -> Floats:
    """(digits, 3): about the middle of each nail."""
    return np.array([digit.bones[2].ends.mean(axis=0) for digit in hand.digits])


def outline_points(hand: Hand) -> Floats:
    """(N, 3): wrist and joints, what a photographer frames."""
    joints = [digit.bones[k].ends[1] for digit in hand.digits for k in range(3)]
    return np.array([hand.forearm.ends[0], *joints])
