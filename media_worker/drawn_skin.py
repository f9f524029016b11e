"""The pixels of a drawn hand: bones make a height map, light from the upper left shades it, nails go on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.drawn_skeleton import DrawnNail, Points, Pose, nail

Floats = NDArray[np.floating[Any]]
Colour = tuple[int, int, int]
"""sRGB bytes."""

PALM_FLESH: Colour = (246, 190, 175)
BLUSH = (4.0, -14.0, -12.0)
"""What blood adds to the skin over knuckles and finger tips, in bytes."""

CREASE_DEPTH = 0.28
"""Share of the light that a crease swallows."""

_LEVELS = 6
"""Terraces of the height map before it is blurred."""

_FIXED_POINT = 16
"""cv2 draws with 4 fractional bits."""


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def origin(self) -> Points:
        return np.array([self.left, self.top])

    @property
    def shape(self) -> tuple[int, int]:
        return max(self.bottom - self.top, 0), max(self.right - self.left, 0)

    def of(self, picture: Floats) -> Floats:
        return picture[self.top : self.bottom, self.left : self.right]

    def within(self, outer: Box) -> Box:
        """What lies inside `outer`, too."""
        left, top = max(self.left, outer.left), max(self.top, outer.top)
        return Box(left, top, min(self.right, outer.right), min(self.bottom, outer.bottom))


def draw_hand(
    canvas: Floats, pose: Pose, skin: Colour, nail_colour: Colour | None, worn: tuple[Colour, ...] = ()
) -> list[DrawnNail]:
    """Draws into `canvas`, float32 (H, W, 3) in bytes' range, and returns the nails whose middle is in view.

    `worn` is the polish on the nails: none, one colour, or two for a French manicure, the tips' last.
    """
    height, width = canvas.shape[:2]
    box = _around(np.vstack([pose.joints, pose.elbow]), 0.5 * pose.unit).within(Box(0, 0, width, height))
    if min(box.shape) < 8:
        return []
    lit, cover = _lit_skin(pose, box, skin)
    nails = [] if pose.palm else [nail(pose, index) for index in range(5)]
    plate = np.array(nail_colour, np.float32) if nail_colour else np.float32(0.72) * np.array(skin, np.float32) + _PINK
    for each in nails:
        _draw_nail(lit, box, each, pose.unit, plate=plate, worn=worn)
        if pose.shapes[each.finger].taper:  # a grown nail reaches beyond the finger
            cover = np.maximum(cover, coverage(each.outline, box))
    region = box.of(canvas)
    region[...] = cv2.blendLinear(lit, np.ascontiguousarray(region), cover, 1 - cover)
    return [each for each in nails if _in_view(each, width, height)]


def coverage(outline: Points, box: Box) -> Floats:
    """Share of each pixel of `box` that lies inside a polygon, float32 (h, w), from 8 by 8 samples."""
    result = np.zeros(box.shape, np.float32)
    near = _around(outline, 1).within(box)
    height, width = near.shape
    if height == 0 or width == 0:
        return result
    fine = np.zeros((height * 8, width * 8), np.uint8)
    cv2.fillPoly(fine, [_fixed((outline - near.origin) * 8 - 0.5)], 255, shift=4)
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    shifted = Box(near.left - box.left, near.top - box.top, near.right - box.left, near.bottom - box.top)
    shifted.of(result)[...] = small.astype(np.float32) / 255
    return result


def _around(points: Points, margin: float) -> Box:
    low, high = np.floor(points.min(axis=0) - margin), np.ceil(points.max(axis=0) + margin)
    return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _in_view(each: DrawnNail, width: int, height: int) -> bool:
    x, y = each.axis.mean(axis=0)
    return bool(0 <= x < width and 0 <= y < height)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.round(points * _FIXED_POINT).astype(np.int32)


# --- skin ------------------------------------------------------------------------------------------------------------
def _lit_skin(pose: Pose, box: Box, skin: Colour) -> tuple[Floats, Floats]:
    """Shaded skin, float32 (h, w, 3), and the silhouette's coverage, float32 (h, w)."""
    heights, cover = _height_map(pose, box)
    shade, gleam = _light(heights, pose.unit)
    blush, creases = _blush(pose, box), _creases(pose, box)
    tone = np.array(skin) if not pose.palm else 0.75 * np.array(skin) + 0.25 * np.array(PALM_FLESH)
    plain = shade * (1 - np.float32(CREASE_DEPTH) * creases)
    warm = shade * blush
    channels = [cv2.addWeighted(plain, float(tone[k]), warm, BLUSH[k], 0) + gleam for k in range(3)]
    return cv2.merge(channels).astype(np.float32, copy=False), cover


@dataclass(frozen=True)
class _Bone:
    """A capsule, in pixels."""

    ends: Points
    """(2, 2)."""
    radii: tuple[float, float]
    height: float


def _height_map(pose: Pose, box: Box) -> tuple[Floats, Floats]:
    """Height above the background, 0 to about 1, and coverage 0–1; both float32 (h, w)."""
    heights = np.zeros(box.shape, np.uint8)
    silhouette = np.zeros(box.shape, np.uint8)
    bones = list(_bones(pose, box.origin))
    for bone in bones:
        _capsule(silhouette, bone, 1.0, 255)
    for rise in np.arange(_LEVELS) / _LEVELS:
        shrink = float(np.sqrt(1 - rise * rise))  # a bone is round: half a circle in cross-section
        for bone in bones:
            _capsule(heights, bone, shrink, round(255 * bone.height * (0.15 + rise) / 1.2))
    scaled = heights.astype(np.float32) / np.float32(255)
    smooth = cv2.GaussianBlur(scaled, (0, 0), max(0.028 * pose.unit, 0.8))
    soft = cv2.GaussianBlur(silhouette, (3, 3), 0).astype(np.float32) / np.float32(255)
    return smooth.astype(np.float32, copy=False), soft


def _bones(pose: Pose, origin: Points) -> Iterator[_Bone]:
    """Flat ones first: later ones lie on top."""
    joints, unit = pose.joints - origin, pose.unit
    wrist = joints[0]
    yield _Bone(np.stack([wrist, pose.elbow - origin]), (0.30 * unit, 0.42 * unit), 0.62)
    for index, radius in ((5, 0.15), (9, 0.16), (13, 0.15), (17, 0.13), (1, 0.16)):
        yield _Bone(np.stack([wrist, joints[index]]), (0.27 * unit, radius * unit), 0.66)
    yield _Bone(np.stack([joints[1], joints[5]]), (0.16 * unit, 0.12 * unit), 0.60)
    for order, shape in enumerate(pose.shapes.values()):
        radii = np.linspace(*shape.thickness, 4) * unit
        for step in range(3):
            first = 4 * order + 1 + step
            yield _Bone(joints[first : first + 2], (float(radii[step]), float(radii[step + 1])), 0.72 + 0.02 * step)


def _capsule(target: NDArray[np.uint8], bone: _Bone, shrink: float, value: int) -> None:
    """Fills the hull of two circles."""
    a, b = bone.ends
    radius_a, radius_b = bone.radii[0] * shrink, bone.radii[1] * shrink
    along = b - a
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
    corners = np.array([a + across * radius_a, b + across * radius_b, b - across * radius_b, a - across * radius_a])
    cv2.fillConvexPoly(target, _fixed(corners), value, cv2.LINE_AA, 4)
    for centre, radius in ((a, radius_a), (b, radius_b)):
        cv2.circle(target, _fixed(centre).tolist(), round(radius * _FIXED_POINT), value, -1, cv2.LINE_AA, 4)


def _light(heights: Floats, unit: float) -> tuple[Floats, Floats]:
    """Brightness factor and white gleam (bytes) of a surface lit from the upper left."""
    steepness = 0.02 * unit
    slope_x = cv2.Sobel(heights, cv2.CV_32F, 1, 0, scale=steepness)
    slope_y = cv2.Sobel(heights, cv2.CV_32F, 0, 1, scale=steepness)
    length = cv2.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    facing = (1 + np.float32(0.45) * slope_x + np.float32(0.5) * slope_y) / length
    shade = np.float32(0.38) + np.float32(0.64) * np.minimum(np.maximum(facing, 0), np.float32(1.25))
    return shade, np.float32(9) * np.minimum(np.maximum(facing - np.float32(1.02), 0), 1)


def _blush(pose: Pose, box: Box) -> Floats:
    """How red the skin is, 0–1: more over knuckles and tips. Drawn at a quarter of the size; it is blurred anyway."""
    height, width = box.shape
    small = np.zeros((height // 4 + 1, width // 4 + 1), np.float32)
    for joint in (joint for order in range(5) for joint in range(4 * order + 2, 4 * order + 5)):
        centre = _fixed((pose.joints[joint] - box.origin) / 4)
        cv2.circle(small, centre.tolist(), round(0.0225 * pose.unit * _FIXED_POINT), (0.8,), -1, cv2.LINE_8, 4)
    blurred = cv2.GaussianBlur(small, (0, 0), max(0.01 * pose.unit, 0.6))
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _creases(pose: Pose, box: Box) -> Floats:
    """Folds of the skin, 0–1: over the joints, and the three great lines of a palm."""
    creases = np.zeros(box.shape, np.uint8)
    joints = pose.joints - box.origin
    for order, shape in enumerate(pose.shapes.values()):
        for joint in (4 * order + 2, 4 * order + 3):
            _joint_creases(creases, joints[joint - 1 : joint + 2], shape.thickness[1] * pose.unit, pose.unit)
    if pose.palm:
        _palm_lines(creases, joints, pose.unit)
    blurred = cv2.GaussianBlur(creases, (0, 0), max(0.008 * pose.unit, 0.6))
    return blurred.astype(np.float32) / np.float32(255)


def _joint_creases(creases: NDArray[np.uint8], joints: Points, radius: float, unit: float) -> None:
    """Three short lines across a finger at the middle one of three joints."""
    along = joints[2] - joints[0]
    along = along / max(float(np.hypot(*along)), 1e-6)
    across = np.array([-along[1], along[0]]) * radius
    for offset, reach in ((-0.028, 0.55), (0.0, 0.75), (0.028, 0.55)):
        middle = joints[1] + along * offset * unit
        ends = _fixed(np.stack([middle - across * reach, middle + across * reach]))
        cv2.line(creases, ends[0].tolist(), ends[1].tolist(), 180, max(1, round(0.008 * unit)), cv2.LINE_AA, 4)


def _palm_lines(creases: NDArray[np.uint8], joints: Points, unit: float) -> None:
    wrist, thumb, index, middle, ring, pinky = (joints[k] for k in (0, 1, 5, 9, 13, 17))
    lines = (
        (0.55 * index + 0.45 * thumb, 0.45 * middle + 0.4 * wrist + 0.15 * ring, 0.75 * wrist + 0.25 * thumb),
        (0.8 * index + 0.2 * thumb, 0.6 * middle + 0.4 * wrist, 0.5 * pinky + 0.5 * wrist),
        (0.95 * middle + 0.05 * wrist, 0.8 * ring + 0.2 * wrist, 0.8 * pinky + 0.2 * wrist),
    )
    for a, b, c in lines:  # quadratic Bézier curves
        curve = np.array([(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for t in np.linspace(0, 1, 12)])
        cv2.polylines(creases, [_fixed(curve)], False, 255, max(1, round(0.016 * unit)), cv2.LINE_AA, 4)


# --- nails -----------------------------------------------------------------------------------------------------------
def _draw_nail(lit: Floats, box: Box, each: DrawnNail, unit: float, *, plate: Floats, worn: tuple[Colour, ...]) -> None:
    """A plate of colour `plate`, (3,), or the polish it wears, with a highlight, in a shallow groove."""
    near = _around(each.outline, max(3, 0.036 * unit)).within(box)  # as far as the groove's shadow reaches
    if min(near.shape) < 2:
        return
    u, v = _nail_coordinates(each, near)
    colour = _polished(worn, u, v) if worn else _bare(plate, u, v)
    curve = 1.02 - 0.22 * (u + 0.15) ** 2
    gleam = 70 * np.exp(-(((u + 0.35) / 0.16) ** 2) - ((v - 0.5) / 0.26) ** 2)
    cover = coverage(each.outline, near)
    region = Box(near.left - box.left, near.top - box.top, near.right - box.left, near.bottom - box.top).of(lit)
    region *= 1 - np.float32(0.22) * cv2.GaussianBlur(cover, (0, 0), max(0.012 * unit, 0.7))[..., None]
    region += (colour * curve[..., None] + gleam[..., None] - region) * cover[..., None]


def _bare(plate: Floats, u: Floats, v: Floats) -> Floats:
    """With a pale moon and a whitish free edge, (h, w, 3)."""
    free_edge = np.float32(0.45) * np.clip((v - 0.80 - 0.06 * u * u) / 0.06, 0, 1)
    moon = np.float32(0.25) * np.clip((0.20 - 0.16 * u * u - v) / 0.06, 0, 1)
    bare: Floats = plate + (_HORN - plate) * np.maximum(free_edge, moon)[..., None]
    return bare


def _polished(worn: tuple[Colour, ...], u: Floats, v: Floats) -> Floats:
    """Polish hides moon and free edge, (h, w, 3); a French tip ends in an arch."""
    base, tip = np.array(worn[0], np.float32), np.array(worn[-1], np.float32)
    accent = np.clip((v - 0.74 + 0.12 * u * u) / 0.04, 0, 1)
    polished: Floats = base + (tip - base) * accent[..., None]
    return polished


_PINK = 0.28 * np.array([255, 205, 205], np.float32)
_HORN = np.array([250, 244, 236], np.float32)


def _nail_coordinates(each: DrawnNail, box: Box) -> tuple[Floats, Floats]:
    """u −1 to 1 across, v 0 at the cuticle to 1 at the free edge, for the pixel centres of a box."""
    along = each.axis[1] - each.axis[0]
    length = max(float(np.hypot(*along)), 1e-6)
    along = along / length
    x = np.arange(box.left, box.right)[None, :] + 0.5 - each.axis[0, 0]
    y = np.arange(box.top, box.bottom)[:, None] + 0.5 - each.axis[0, 1]
    half_width = float(np.ptp(each.outline @ np.array([-along[1], along[0]]))) / 2
    u = (y * along[0] - x * along[1]) / half_width
    v = (x * along[0] + y * along[1]) / length
    return u.astype(np.float32), v.astype(np.float32)
