"""How light falls on one nail, read from the frame through a coarse grid over the nail.

What an opaque polish hides must not be taken for light: a pink bed, a moon, a white free edge, old polish, a French
tip. All of these lie along the nail and are alike on its left and right. So what tells light is how left and right of
one row differ, and spots that outshine their row. The roundness of a nail is known and needs no reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from media_worker.polish.canvas import Canvas
from media_worker.polish.colour import strongest, to_linear, weakest
from media_worker.polish.nail_space import NailSpace, Place
from media_worker.polish.scene import Scene
from media_worker.vision.arrays import Floats

ROWS, COLUMNS = 24, 16

_V, _U = np.meshgrid(
    (np.arange(ROWS, dtype=np.float32) + np.float32(0.5)) / ROWS,
    (np.arange(COLUMNS, dtype=np.float32) + np.float32(0.5)) / COLUMNS * 2 - 1,
    indexing="ij",
)
_INNER = 1 - np.abs(_U) ** 4
"""Trust: near its sides an outline is not certain enough to tell nail from skin."""
_SKIN_V, _SKIN_U = np.meshgrid(
    np.linspace(-0.32, -0.14, 3, dtype=np.float32), np.linspace(-0.6, 0.6, COLUMNS, dtype=np.float32), indexing="ij"
)
_PLACES = _U.ravel(), _U.ravel() ** 2, _V.ravel()
_ON_PLATE = _INNER * np.clip((np.float32(0.92) - _V) * 8, 0, 1)
"""Where highlights are looked for: not on the free edge, whose white line need not lie straight across."""
_ALL_U, _ALL_V = np.concatenate([_U, _SKIN_U]), np.concatenate([_V, _SKIN_V])

_SLANT = _U
_TWIST = _U * (_V - np.float32(0.5))
_SLANT_SHARE, _TWIST_SHARE = (shape * _INNER / (shape * shape * _INNER).sum() for shape in (_SLANT, _TWIST))
"""Times values, summed up: how much of each shape there is in them, by least squares."""
_BED = (_V[:, 0] > 0.25) & (_V[:, 0] < 0.65)
_BED_V = _V[_BED, 0] - _V[_BED, 0].mean()

DARK = 0.02
"""Linear light below which differences are mostly noise and count less."""

STRONGEST_SLANT = 0.6
STRONGEST_SLOPE = 0.25
"""Limits of what is taken for shading, in logarithms of light."""
_MOST = np.array([STRONGEST_SLANT, STRONGEST_SLANT, STRONGEST_SLOPE], np.float32)
"""Of NailLight.slants, either way."""

PALEST_SKIN, DARKEST_SKIN, DARKEST_NAIL = 0.65, 0.17, 0.4
"""Red light of skin and of bare nails in a well exposed picture, linear: of hardly any hand is it beyond. Of the
darkest hands in the videos at hand it is 0.13 to 0.24, of their nails more than 0.5; against the light 0.05."""


LEAST_EXPOSURE = 0.05

FAINT = 0.004
"""Highlight, linear light on average over a nail, that is half believed."""

HARD = 0.3
"""NailLight.lamp's sureness in the mean of a hand's nails that hard light reaches: 0 to 0.05 below an overcast sky or
before a screen, 0.2 to 0.4 by a window or a lamp."""

LIKE, LIKE_HIGHLIGHTS = 0.05, 0.08
"""Of NailLight.like. Readings of one light, smoothed, in pictures with a noise of 4 differ by 0.03 in their slants, by
0.02 in lamp and skin, and by 0.05 where highlights differ most, in the median."""

SCATTERED = 0.12
"""Variance in u of highlights that are all over the nail."""


@dataclass(frozen=True, eq=False)
class NailLight:
    """Light on one nail, in nail coordinates; all in linear light."""

    slants: Floats
    """(3,) log-brightness per u, per u·(v − 0.5), and per v."""
    highlights: Floats
    """(ROWS, COLUMNS) what small bright spots outshine their surroundings by."""
    skin: Floats
    """(3,) the finger just behind the cuticle."""
    nail: float
    """The lightest quarter of the nail, red light alone."""
    lamp: Floats
    """(3,) u and v of the middle of the highlights, and how much that says, 0–1."""
    worn: float
    """How sure it is that the nail wears polish already, 0–1."""

    def shading(self, place: Place, edge: float = 1.0) -> Floats:
        """(h, w) light on a sheet relative to the middle of the nail; beyond v = `edge` it goes on as it is there."""
        v = np.minimum(place.v / np.float32(edge), 1) - np.float32(0.5)
        across, twist, along = (np.float32(part) for part in self.slants)
        shading: Floats = np.exp(place.u * (across + twist * v) + along * v)
        return shading

    def gleam(self, place: Place, edge: float = 1.0) -> Floats:
        """(h, w) `highlights` on a sheet whose own nail ends at v = `edge`."""
        rows, columns = place.u.shape
        own = max(round(rows * edge), 1)
        gleam = np.zeros((rows, columns), np.float32)
        gleam[:own] = cv2.resize(self.highlights, (columns, own), interpolation=cv2.INTER_LINEAR)
        return gleam

    def exposure(self, scene: float) -> float:
        """How much light falls on the hand where the scene has so much; 1 shows polish in its own colour.

        A hand this dark, skin and nails, lies in the shade; a hand this light is lit better than the room.
        """
        red = float(self.skin[0])
        shade = max(red / DARKEST_SKIN, self.nail / DARKEST_NAIL, LEAST_EXPOSURE)
        return min(max(scene, red / PALEST_SKIN), shade, 1.0)

    def like(self, other: NailLight) -> bool:
        """Whether they differ by no more than a camera's noise makes of one light."""
        few = abs(self.nail - other.nail), abs(self.worn - other.worn)
        pairs = (self.lamp, other.lamp), (self.skin, other.skin), (self.slants, other.slants)
        return (
            max(*few, *(float(np.abs(one - two).max()) for one, two in pairs)) < LIKE
            and float(np.abs(self.highlights - other.highlights).max()) < LIKE_HIGHLIGHTS
        )

    def towards(self, newer: NailLight, share: float) -> NailLight:
        """A step to a newer reading: `share` 1 is all of it."""
        return NailLight(
            self.slants + share * (newer.slants - self.slants),
            self.highlights + np.float32(share) * (newer.highlights - self.highlights),
            self.skin + share * (newer.skin - self.skin),
            self.nail + share * (newer.nail - self.nail),
            self.lamp + np.float32(share) * (newer.lamp - self.lamp),
            self.worn + share * (newer.worn - self.worn),
        )


def read_light(canvas: Canvas, space: NailSpace) -> NailLight:
    """Reads the nail itself, not an extension."""
    x, y = space.pixels(_ALL_U, _ALL_V)
    linear = to_linear(canvas.sample(x.astype(np.float32), y.astype(np.float32)))
    nail, skin = linear[:ROWS], linear[ROWS:].reshape(-1, 3)
    skin = np.sort(skin, axis=0)[len(skin) // 2]
    plate = np.sort(nail.reshape(-1, 3), axis=0)
    middle, light = plate[len(plate) // 2], plate[len(plate) * 3 // 4]
    slants, highlights = _slants(strongest(nail)), _highlights(weakest(nail))
    return NailLight(slants, highlights, skin, float(light[0]), _lamp(highlights), _worn(middle, skin))


def _lamp(highlights: Floats) -> Floats:
    """NailLight.lamp. Highlights all over a nail are of many lamps, or of old polish, and their middle says little."""
    weights = highlights.ravel()
    total = float(weights.sum()) + 1e-6
    u, square, v = (float(weights @ values) / total for values in _PLACES)
    compact = max(1 - (square - u * u) / SCATTERED, 0.0)
    amount = total / weights.size
    return np.array([u, v, compact * amount / (amount + FAINT)], np.float32)


def _worn(nail: Floats, skin: Floats) -> float:
    """Whether a nail's colour, (3,), is one that no bare nail has on this skin: another hue, much darker, or white."""
    logs = [math.log(float(a + DARK / 4) / float(b + DARK / 4)) for a, b in zip(nail, skin, strict=True)]
    hue = math.hypot(logs[0] - logs[1], logs[1] - logs[2])
    pale = float(skin[0] / (skin[1] + 1e-4)) - float(nail[0] / (nail[1] + 1e-4))
    white = (pale - 0.55) / 0.2 if nail[0] < 1.15 * nail[1] else 0.0
    return min(max((hue - 0.7) / 0.3, (abs(sum(logs)) / 3 - 1.1) / 0.3, white, 0.0), 1.0)


def _slants(highest: Floats) -> Floats:
    """The three numbers of NailLight.slants from each point's strongest channel, (ROWS, COLUMNS)."""
    usual = _row_medians(highest)
    relative = np.log((highest + DARK) / (usual + DARK)).clip(-STRONGEST_SLANT, 0.5 * STRONGEST_SLANT)
    uneven = (relative - relative[:, ::-1]) * 0.5
    slant = np.vdot(uneven, _SLANT_SHARE)
    twist = np.vdot(uneven - slant * _SLANT, _TWIST_SHARE)
    bed = np.log(usual[_BED, 0] + DARK)
    slope = 0.5 * (bed @ _BED_V) / (_BED_V @ _BED_V)
    return np.array([slant, twist, slope], np.float32).clip(-_MOST, _MOST)


def _highlights(lowest: Floats) -> Floats:
    """A highlight is white and small: it lifts even the weakest channel above the rest of its row."""
    rest = np.sort(lowest, axis=1)[:, COLUMNS * 3 // 4, None]
    highlights: Floats = np.maximum(lowest - np.float32(1.3) * rest - np.float32(0.015), 0) * _ON_PLATE
    return highlights


def _row_medians(values: Floats) -> Floats:
    """(ROWS, 1)."""
    medians: Floats = np.sort(values, axis=1)[:, COLUMNS // 2, None]
    return medians


READ_EVERY = 5
"""Frames."""

SHARE = 0.65
"""Of the newest reading: nearly nine tenths of a change show after 10 frames, a third of a second."""


SETTLES = 0.08
"""Share of a change of hardness that shows with each frame: all of it within a second."""


@dataclass
class LightMemory:
    """What was read of the scene and of each followed nail, so that noise does not flicker in the paint."""

    _known: dict[int, NailLight] = field(default_factory=dict)
    _scene: Scene | None = None
    _hardness: float | None = None
    _frame: int = 0

    def begin(self, tracks: set[int], read: Callable[[], Scene]) -> Scene:
        """Starts a frame with these nails and forgets others; gives the light of the scene.

        That changes slowly as long as any nail stays; after a cut, or after an empty frame, it is what is read.
        """
        self._known = {track: light for track, light in self._known.items() if track in tracks}
        self._frame += 1
        if not self._known or self._scene is None:
            self._scene, self._hardness = read(), None
        elif self._frame % READ_EVERY == 0:
            newer = self._scene.towards(read(), SHARE)
            self._scene = self._scene if self._scene.like(newer) else newer
        return self._scene

    def steady(self, track: int, read: Callable[[], NailLight]) -> NailLight:
        """The light of a nail, read anew every READ_EVERY frames; track 0 is a stranger each time.

        What was read before stays as long as hardly anything changes, and what was mixed in it serves on.
        """
        known = self._known.get(track)
        if known and (self._frame + track) % READ_EVERY:
            return known
        newest = read()
        light = known.towards(newest, SHARE) if known else newest
        if known and known.like(light):
            return known
        if track:
            self._known[track] = light
        return light

    def hardness(self, lights: Sequence[NailLight]) -> float:
        """Shine.hardness by the highlights of all nails of a frame; it changes slower than any of them."""
        read = min(sum(float(light.lamp[2]) for light in lights) / (HARD * len(lights)), 1.0)
        known = read if self._hardness is None else self._hardness
        self._hardness = known + SETTLES * (read - known)
        return self._hardness
