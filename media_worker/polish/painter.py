"""Paints the nails of a frame: light is read, polish is mixed on a sheet of nail coordinates, and laid on by coverage.

nail ─▶ silhouette ─▶ nail space ─▶ light of the bare nail ─▶ sheet: pattern, finish ─▶ patch of the frame
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import cv2
import numpy as np

from media_worker.polish import edges, overlaps, shadows
from media_worker.polish.canvas import Canvas, I420Canvas, Patch, RgbCanvas
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.light import LightMemory, NailLight, read_light
from media_worker.polish.looks import Coat, Look
from media_worker.polish.mixing import Lit, Mixer
from media_worker.polish.nail_space import NailSpace
from media_worker.polish.scene import Scene, read_scene
from media_worker.polish.silhouettes import Silhouette, silhouette
from media_worker.polish.surface import Film, lit_at, shine
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail


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
        lit = self._lit(canvas, nails, spaces, scene)
        for nail, space, light in zip(nails, spaces, lit, strict=True):
            self._paint_nail(canvas, nail, look.coats[nail.worn_as], space, light, others=nails, left=left)

    def _lit(self, canvas: Canvas, nails: list[Nail], spaces: list[NailSpace], scene: Scene) -> list[Lit]:
        lights = [
            self._memory.steady(nail.track, partial(read_light, canvas, space))
            for nail, space in zip(nails, spaces, strict=True)
        ]
        hardness = self._memory.hardness(lights)
        return [_lit(canvas, light, space, scene, hardness) for light, space in zip(lights, spaces, strict=True)]

    def _paint_nail(
        self, canvas: Canvas, nail: Nail, coat: Coat, own: NailSpace, lit: Lit, *, others: list[Nail], left: int
    ) -> None:
        shape = silhouette(nail, coat.shape, coat.length)
        space = own if shape.outline is nail.outline else NailSpace.of(shape.outline, shape.axis)
        outline = edges.with_margin(shape.outline, space, lit.nail.worn)
        width = 2 * own.half_width
        margin = 1 + shadows.reach(width)
        patch = Patch.around(shadows.within(outline, shape), canvas.width, canvas.height, margin=margin, left=left)
        if patch is None:
            return
        before = canvas.read(patch)
        seen = _seen(nail, shape, patch, others, left)
        whole = edges.softened(coverage(outline - (patch.left, patch.top), patch.width, patch.height), space)
        cover, bare = seen * whole, to_linear(before)
        light, cast = shadows.crevice(whole, width), shadows.shadow(shape, patch)
        shaded = shadows.dimmed(bare, light if cast is None else light * cast, seen)
        film = self._mixer.film(coat, lit, space.rows, round(shape.edge, 2))
        # a nail casts no shadow on what it is glued to: through sheer polish that shows unshaded
        worn = _worn(film, bare, space, patch)
        canvas.write(patch, before, to_srgb(_blended(worn, shaded, cover)))


def _lit(canvas: Canvas, light: NailLight, space: NailSpace, scene: Scene, hardness: float) -> Lit:
    across, down = 2 * space.cuticle[0] / canvas.width - 1, 2 * space.cuticle[1] / canvas.height - 1
    guessed = shine(space.angle, float(across), float(down))
    towards_light = -float(space.along @ shadows.FALLS)
    return Lit(light, scene, lit_at(guessed, light.lamp, hardness).rounded(), round(towards_light, 1))


def _seen(nail: Nail, shape: Silhouette, patch: Patch, others: list[Nail], left: int) -> Floats:
    """Share of what belongs to a nail that shows at each pixel, (h, w), or everywhere, (1, 1)."""
    uncovered = overlaps.uncovered(shape, patch, others)
    seen = np.full((1, 1) if uncovered is None else uncovered.shape, nail.visibility, np.float32)
    if uncovered is not None:
        seen *= uncovered
    if left > patch.left:
        seen = seen.repeat(patch.width // seen.shape[1], axis=1)
        seen[:, : left - patch.left] = 0
    return seen


def _worn(film: Film, bare: Floats, space: NailSpace, patch: Patch) -> Floats:
    """The patch, (h, w, 3) in linear light, as if all of it were polish on what is `bare`."""
    u, v = space.coordinates(patch.left, patch.top, patch.width, patch.height)
    rows, columns = film.light.shape[:2]
    # beyond its ends a sheet goes on as it is there; remap is slow outside
    x = _held(u * np.float32(columns / 2) + np.float32(columns / 2 - 0.5), columns - 1)
    y = _held(v * np.float32(rows) - np.float32(0.5), rows - 1)
    polish = _unrolled(film.light, x, y)
    if film.through is not None:
        polish += cv2.multiply(_unrolled(film.through, x, y), bare)
    return polish


def _held(values: Floats, most: int) -> Floats:
    """Cut to 0–`most`, in place."""
    return values.clip(0, np.float32(most), out=values)


def _blended(over: Floats, under: Floats, share: Floats) -> Floats:
    """(h, w, 3): as much of `over` as `share`, (h, w), says."""
    return cv2.blendLinear(over, under, share, 1 - share).astype(np.float32, copy=False)


def _unrolled(values: Floats, x: Floats, y: Floats) -> Floats:
    """A sheet, (rows, columns, 3), as it lies in the picture."""
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)
