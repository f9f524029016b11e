"""Paints the nails of a frame: light is read, polish is mixed on a sheet of nail coordinates, and laid on by coverage.

nail ─▶ silhouette ─▶ nail space ─▶ light of the bare nail ─▶ sheet: pattern, finish ─▶ patch of the frame
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from media_worker.polish import edges, finishes, overlaps, shadows
from media_worker.polish.canvas import Canvas, I420Canvas, Patch, RgbCanvas
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.light import LightMemory, NailLight, read_light
from media_worker.polish.looks import Coat, Look
from media_worker.polish.mixing import Lit, Mixer
from media_worker.polish.nail_space import NailSpace
from media_worker.polish.scene import read_scene
from media_worker.polish.silhouettes import Silhouette, silhouette
from media_worker.polish.surface import Film, Shine, lit_at, shine
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail


class _Job(NamedTuple):
    """One nail to paint."""

    nail: Nail
    shape: Silhouette
    coat: Coat
    own: NailSpace
    """Of the bare nail."""
    lit: Lit


class Painter:
    """Paints the nails of one stream or photo. Not thread-safe."""

    def __init__(self) -> None:
        self._memory = LightMemory()
        self._mixer = Mixer()

    def paint_rgb(self, rgb: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
        """Paints into `rgb`, uint8 (H, W, 3) sRGB, in place. Columns before `left` stay as they are."""
        self._paint(RgbCanvas(rgb), list(nails), look, left)

    def paint_i420(self, i420: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
        """Paints into `i420`, uint8 (H·3/2, W) with even H and W, in place."""
        self._paint(I420Canvas(i420), list(nails), look, left)

    def _paint(self, canvas: Canvas, nails: list[Nail], look: Look, left: int) -> None:
        if not nails:
            return
        scene = self._memory.begin({nail.track for nail in nails}, lambda: read_scene(canvas.overview()))
        spaces = [NailSpace.of(nail.outline, nail.axis) for nail in nails]
        # all before any: paint is not to be taken for light
        lights = [
            self._memory.steady(nail.track, partial(read_light, canvas, space))
            for nail, space in zip(nails, spaces, strict=True)
        ]
        hardness = self._memory.hardness(lights)
        for nail, space, light in zip(nails, spaces, lights, strict=True):
            coat = look.coats[nail.worn_as]
            shape = silhouette(nail, coat.shape, coat.length)
            mirrored = _mirrored(canvas, space, light, hardness).rounded(finishes.TURNING[coat.finish])
            lit = Lit(light, scene, mirrored, _towards_light(space) if shape.extended else 0.0)
            self._paint_nail(canvas, _Job(nail, shape, coat, space, lit), others=nails, left=left)

    def _paint_nail(self, canvas: Canvas, job: _Job, *, others: list[Nail], left: int) -> None:
        nail, shape, coat, own, lit = job
        space = own if shape.outline is nail.outline else NailSpace.of(shape.outline, shape.axis)
        outline = edges.with_margin(shape.outline, space, lit.nail.worn)
        width = 2 * own.half_width
        margin = 1 + shadows.reach(width)
        polish = patch = Patch.around(outline, canvas.width, canvas.height, margin=margin, left=left)
        if shape.extended:  # its shadow falls on far more than is painted
            patch = Patch.around(shadows.within(outline, shape), canvas.width, canvas.height, margin=margin, left=left)
        if patch is None or polish is None:
            return
        inside = polish.slices_of(patch)
        before = canvas.read(patch)
        seen, bare = _seen(nail, shape, patch, others, left), to_linear(before)
        whole = edges.softened(coverage(outline - polish.corner, polish.width, polish.height), space)
        light = shadows.crevice(whole, width)
        cast = shadows.shadow(shape, patch)
        if cast is not None:
            cast[inside] *= light
            light = cast
        picture = shadows.dimmed(bare, light, seen)
        film = self._mixer.film(coat, lit, space.rows, round(shape.edge, 2))
        # a nail casts no shadow on what it is glued to: through sheer polish that shows unshaded
        worn = _worn(film, bare[inside], space, polish)
        picture[inside] = _blended(worn, picture[inside], whole * seen[inside])
        canvas.write(patch, before, to_srgb(picture))


def _mirrored(canvas: Canvas, space: NailSpace, light: NailLight, hardness: float) -> Shine:
    """What a nail mirrors at its place in the picture."""
    x, y = space.cuticle.tolist()
    guessed = shine(space.angle, 2 * x / canvas.width - 1, 2 * y / canvas.height - 1)
    return lit_at(guessed, light.lamp, hardness)


def _towards_light(space: NailSpace) -> float:
    """Lit.towards_light, in steps that nobody sees."""
    return round(-float(space.along @ shadows.FALLS), 1)


def _seen(nail: Nail, shape: Silhouette, patch: Patch, others: list[Nail], left: int) -> Floats:
    """Share of what belongs to a nail that shows at each pixel, (h, w); (1, w) or (1, 1) of one not extended."""
    seen: Floats = np.full((patch.height, patch.width) if shape.extended else (1, 1), nail.visibility, np.float32)
    if left > patch.left:
        seen = seen * (np.arange(patch.left, patch.right) >= left)
    uncovered = overlaps.uncovered(shape, patch, others)
    return (seen if uncovered is None else seen * uncovered).astype(np.float32, copy=False)


def _worn(film: Film, bare: Floats, space: NailSpace, patch: Patch) -> Floats:
    """The patch, (h, w, 3) in linear light, as if all of it were polish on what is `bare`."""
    u, v = space.coordinates(patch.left, patch.top, patch.width, patch.height)
    rows, columns = film.light.shape[:2]
    x, y = _cells(u, -1, columns, 2 / columns), _cells(v, 0, rows, 1 / rows)
    polish = _unrolled(film.light, x, y)
    if film.through is not None:
        polish += cv2.multiply(_unrolled(film.through, x, y), bare)
    return polish


def _cells(values: Floats, start: float, count: int, size: float) -> Floats:
    """Which of `count` cells of a sheet, the middle of the first being 0, a coordinate lies in; in place.

    A sheet goes on beyond its ends as it is there. remap is slow outside, and where it needs the cell after the last.
    """
    values *= np.float32(1 / size)
    values += np.float32(-start / size - 0.5)
    return values.clip(0, np.float32(count - 1.001), out=values)


def _blended(over: Floats, under: Floats, share: Floats) -> Floats:
    """(h, w, 3): as much of `over` as `share`, (h, w), says."""
    return cv2.blendLinear(over, under, share, 1 - share).astype(np.float32, copy=False)


def _unrolled(values: Floats, x: Floats, y: Floats) -> Floats:
    """A sheet, (rows, columns, 3), as it lies in the picture."""
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)
