"""Where parallel rays meet a hand: each bone is a flattened cone with round ends, each nail a part of a paraboloid.

Heights `z` are in pixels towards the viewer, `FAR` where a ray misses. Every function works on a `Window` of the
picture and solves its quadratic for all pixels at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_worker.training.synthetic_pose import Bone
from media_worker.vision.arrays import Floats, Mask

FAR = np.float32(-1e6)
"""Height of a miss."""


@dataclass(frozen=True)
class Window:
    """Pixels of the picture, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, points: Floats, margin: float, size: tuple[int, int]) -> Window:
        """What lies within `margin` of points (N, 2 or 3), inside a picture of `size` (width, height)."""
        low, high = points[:, :2].min(axis=0) - margin, points[:, :2].max(axis=0) + margin
        left, top = np.clip(np.floor(low), 0, size).astype(int).tolist()
        right, bottom = np.clip(np.ceil(high), 0, size).astype(int).tolist()
        return cls(left, top, right, bottom)

    @property
    def empty(self) -> bool:
        return self.right - self.left < 2 or self.bottom - self.top < 2

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def within(self, outer: Window) -> Window:
        """The same pixels, counted from another window's corner."""
        left, top = self.left - outer.left, self.top - outer.top
        return Window(left, top, left + self.right - self.left, top + self.bottom - self.top)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Frame:
    """A bone's own coordinates for a window's rays: along, across, out of its back; each is `start + z * rate`."""

    along: Floats
    """(h, w) at z = 0, pixels from the bone's first end."""
    across: Floats
    dorsal: Floats
    rates: tuple[float, float, float]
    """Change of the three with z."""
    length: float

    @classmethod
    def of(cls, bone: Bone, window: Window) -> Frame:
        axis = bone.ends[1] - bone.ends[0]
        length = float(np.linalg.norm(axis))
        along = axis / max(length, 1e-6)
        dorsal = bone.dorsal - along * float(bone.dorsal @ along)
        dorsal = dorsal / np.linalg.norm(dorsal)
        across = np.cross(along, dorsal)
        x = np.arange(window.left, window.right, dtype=np.float32)[None, :] + np.float32(0.5 - bone.ends[0, 0])
        y = np.arange(window.top, window.bottom, dtype=np.float32)[:, None] + np.float32(0.5 - bone.ends[0, 1])
        depth = bone.ends[0, 2]
        starts = [
            (x * np.float32(axis[0]) - np.float32(depth * axis[2])) + y * np.float32(axis[1])
            for axis in (along, across, dorsal)
        ]
        rates = float(along[2]), float(across[2]), float(dorsal[2])
        return cls(starts[0], starts[1], starts[2], rates, length)


def bone_height(bone: Bone, frame: Frame, *, first_end: bool = True) -> Floats:
    """z of the bone's flesh, float32 (h, w). Without its first end's ball where another bone's ball is there anyway."""
    first, last = (np.float32(radius) for radius in bone.radii)
    t0, y0, d0 = frame.along, frame.across, frame.dorsal * np.float32(1 / bone.flat)
    wt, wy, wd = (np.float32(rate) for rate in (*frame.rates[:2], frame.rates[2] / bone.flat))
    ball = wt * wt + wy * wy + wd * wd
    round_part = y0 * wy + d0 * wd
    square_part = y0 * y0 + d0 * d0
    z: Floats = np.full(t0.shape, FAR)
    for centre, end in ((0.0, first), (frame.length, last)) if first_end else ((frame.length, last),):
        t = t0 - np.float32(centre)
        b = round_part + t * wt
        disc = b * b - ball * (square_part + t * t - end * end)
        z = np.maximum(z, np.where(disc > 0, (np.sqrt(np.maximum(disc, 0)) - b) / ball, FAR))
    slope = np.float32((last - first) / frame.length)
    a = wy * wy + wd * wd - slope * slope * wt * wt
    if a > 1e-3:  # else it points at the viewer and its round end hides the rest
        radius = first + slope * t0
        b = round_part - slope * wt * radius
        disc = b * b - a * (square_part - radius * radius)
        side = (np.sqrt(np.maximum(disc, 0)) - b) / a
        t = t0 + side * wt
        z = np.maximum(z, np.where((disc > 0) & (t > 0) & (t < frame.length), side, FAR))
    return z


def paraboloid_height(
    frame: Frame, top: tuple[float, float], curvature: tuple[float, float], *, outer: bool
) -> tuple[Floats, Mask]:
    """z of a curved plate's outer or inner side, float32 (h, w), and where rays meet that side at all.

    `top` is where the plate is highest, (along, dorsal) in the bone's pixels; `curvature` is 1/radius along and across.
    """
    wt, wy, wd = frame.rates
    kt, ky = curvature
    t0 = frame.along - np.float32(top[0])
    a = np.float32(0.5 * (kt * wt * wt + ky * wy * wy))
    b = np.float32(wd) + t0 * np.float32(kt * wt) + frame.across * np.float32(ky * wy)
    c = frame.dorsal - np.float32(top[1]) + t0 * t0 * np.float32(kt / 2) + frame.across**2 * np.float32(ky / 2)
    disc = b * b - 4 * a * c
    # the larger root is the outer side; of either, the form in which nothing cancels when a → 0
    root = np.sqrt(np.maximum(disc, 0)) * (1 if outer else -1)
    direct = (b > 0) == outer
    divisor = np.where(direct, b + root, 2 * a)
    met: Mask = (disc > 0) & (np.abs(divisor) > 1e-6)
    z = np.where(direct, -2 * c, root - b) / np.where(met, divisor, 1)
    return z.astype(np.float32, copy=False), met


def smooth_max(first: Floats, second: Floats, width: float) -> Floats:
    """The higher of two surfaces, joined by a fillet `width` pixels wide."""
    gap = np.maximum(np.float32(width) - np.abs(first - second), 0)
    return np.maximum(first, second) + gap * gap * np.float32(0.25 / width)
