"""Where the joints of a drawn hand are: proportions, pose and gentle motion. No pixels here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from protocol.designs import Finger

Points = NDArray[np.floating[Any]]
"""(N, 2) or (2,): x right and y down, in pixels unless said otherwise."""

Side = Literal["left", "right"]

PERIOD = 8.0
"""Seconds after which the motion repeats: a clip of this length loops without a jump."""

_TURN = 2 * np.pi / PERIOD


@dataclass(frozen=True)
class FingerShape:
    """Lengths are in units of wrist to middle knuckle; y up is negative; a right hand seen from the back."""

    base: tuple[float, float]
    """Knuckle; for the thumb its first joint."""
    bones: tuple[float, float, float]
    direction: float
    """Degrees from straight up, positive to the right."""
    thickness: tuple[float, float]
    """Radius at the base and at the tip."""
    nail: tuple[float, float, float]
    """Cuticle and free edge along the last bone (shares of its length), width in units."""
    taper: float = 0.0
    """Share of the nail's width that is gone at its free edge: 0 is oval, 0.5 an almond."""


SHAPES: dict[Finger, FingerShape] = {
    Finger.THUMB: FingerShape((-0.27, -0.22), (0.40, 0.36, 0.29), -37, (0.15, 0.098), (0.68, 1.36, 0.118)),
    Finger.INDEX: FingerShape((-0.30, -0.97), (0.50, 0.31, 0.235), -8, (0.115, 0.080), (0.66, 1.29, 0.114)),
    Finger.MIDDLE: FingerShape((-0.02, -1.02), (0.55, 0.35, 0.245), -1, (0.118, 0.082), (0.55, 1.22, 0.120)),
    Finger.RING: FingerShape((0.23, -0.95), (0.51, 0.33, 0.240), 7, (0.112, 0.078), (0.52, 1.20, 0.114)),
    Finger.PINKY: FingerShape((0.45, -0.80), (0.38, 0.23, 0.205), 17, (0.095, 0.068), (0.66, 1.35, 0.094)),
}
"""The nails lie where MediaPipe's DIP and TIP would expect them on a photo (design section 6), found by trying."""

MANICURED = replace(SHAPES[Finger.MIDDLE], direction=0, thickness=(0.118, 0.086), nail=(0.42, 1.38, 0.144), taper=0.22)
"""A finger for close-ups, its nail grown to a soft almond."""

POINTING = {finger: replace(shape, base=(8.0, 0.0)) for finger, shape in SHAPES.items()} | {Finger.MIDDLE: MANICURED}
"""One finger, the others far away."""


@dataclass(frozen=True)
class Pose:
    """A hand ready to draw, in pixels."""

    joints: Points
    """(21, 2) in MediaPipe's order."""
    unit: float
    """Wrist to middle knuckle."""
    side: Side
    palm: bool
    """The palm faces the camera."""
    elbow: Points
    """Where the forearm ends, well outside the picture."""
    shapes: Mapping[Finger, FingerShape]


@dataclass(frozen=True)
class DrawnNail:
    finger: Finger
    hand: Side
    outline: Points
    """(N, 2) polygon; pixel (0, 0) spans 0 to 1."""
    axis: Points
    """(2, 2): middle of the cuticle, middle of the free edge."""


def pose(
    side: Side, wrist: tuple[float, float], unit: float, seconds: float, *, palm: bool = False, lean: float = 0.0
) -> Pose:
    """A hand whose wrist sways round a point; `lean` is its mean turn in degrees, clockwise."""
    phase = 0.0 if side == "right" else 1.7
    beat = _TURN * seconds + phase
    size = unit * float(1 + 0.02 * np.sin(beat + 2))
    sway = np.array([0.13 * np.sin(beat), 0.07 * np.sin(2 * beat + 0.6)]) * unit
    tilt = np.radians(lean + 3.0 * np.sin(beat + 1.1))
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    # the back of a right hand has its thumb on the left; a left hand or a palm is the mirror image of that
    mirror = -1.0 if (side == "left") != palm else 1.0
    place = np.array(wrist) + sway
    joints = (_joints(seconds, phase) * (mirror, 1.0)) @ turn * size + place
    return Pose(joints, size, side, palm, np.array([0.0, 4.0]) @ turn * size + place, SHAPES)


def fingertip(middle: tuple[float, float], unit: float, *, lean: float = 0.0) -> Pose:
    """A single finger, placed so that the middle of its nail is at `middle`; for close-ups."""
    tilt = np.radians(lean)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    joints: list[Points] = [np.zeros(2)]
    for shape in POINTING.values():
        joints += finger_joints(shape, shape.direction, 0.0)
    joint, tip = joints[11], joints[12]
    nail_middle = joint + (tip - joint) * sum(MANICURED.nail[:2]) / 2
    place = np.array(middle) - nail_middle @ turn * unit
    elbow = np.array([0.0, 4.0]) @ turn * unit + place
    return Pose(np.array(joints) @ turn * unit + place, unit, "right", False, elbow, POINTING)


def _joints(seconds: float, phase: float) -> Points:
    """(21, 2) in units from the wrist. Fingers spread and bend a little, each in its own rhythm."""
    joints: list[Points] = [np.zeros(2)]
    for order, shape in enumerate(SHAPES.values()):
        beat = _TURN * seconds * (1 + order % 2) + 1.3 * order + phase
        angle = shape.direction + 2.5 * float(np.sin(beat))
        bend = 0.05 + 0.05 * float(np.sin(beat + 0.7))
        joints += finger_joints(shape, angle, bend, curve=0.12 if order == 0 else 0.0)
    return np.array(joints)


def finger_joints(shape: FingerShape, angle: float, bend: float, *, curve: float = 0.0) -> list[Points]:
    """A finger's four joints in units. Bent towards the palm by `bend`, bones look shorter, the last one most."""
    point: Points = np.array(shape.base)
    joints = [point]
    for step, bone in enumerate(shape.bones):
        lean = np.radians(angle * (1 - curve * step))
        point = point + np.array([np.sin(lean), -np.cos(lean)]) * bone * (1 - bend * (0.3 + 0.5 * step))
        joints.append(point)
    return joints


def nail(pose: Pose, index: int) -> DrawnNail:
    """The exact outline of finger `index`'s nail, 0 thumb to 4 pinky: a superellipse, tapered for an almond."""
    finger = tuple(Finger)[index]
    shape = pose.shapes[finger]
    cuticle, free_edge, width = shape.nail
    joint, tip = pose.joints[4 * index + 3], pose.joints[4 * index + 4]
    along = tip - joint
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) * width * pose.unit
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    u, v = np.sign(cos) * np.abs(cos) ** 0.8, np.sign(sin) * np.abs(sin) ** 0.8
    u *= 1 - shape.taper * ((v + 1) / 2) ** 2
    axis = np.stack([joint + along * cuticle, joint + along * free_edge])
    outline = axis.mean(axis=0) + np.outer(u / 2, across) + np.outer(v / 2, axis[1] - axis[0])
    return DrawnNail(finger, pose.side, outline, axis)
