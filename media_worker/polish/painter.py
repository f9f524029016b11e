"""Paints the nails of a frame: light is read, polish is mixed on a sheet of nail coordinates, and laid on by coverage.

nail ─▶ silhouette ─▶ nail space ─▶ light of the bare nail ─▶ sheet: pattern, finish ─▶ patch of the frame
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from media_worker.polish import edges, finishes, overlaps, patterns, shadows
from media_worker.polish.canvas import Canvas, I420Canvas, Patch, RgbCanvas
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.light import LightMemory, NailLight, read_light
from media_worker.polish.looks import Coat, Look
from media_worker.polish.nail_space import NailSpace, sheet
from media_worker.polish.scene import Scene, read_scene
from media_worker.polish.silhouettes import Silhouette, silhouette
from media_worker.polish.surface import Film, Shine, Wet, lit_at, relief, shine
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail

SHEETS_KEPT = 48
"""Patterns drawn on sheets and kept: of two hands in two sizes, and a bit."""


class Painter:
    """Paints the nails of one stream or photo. Not thread-safe."""

    def __init__(self) -> None:
        self._memory = LightMemory()
        self._pattern = lru_cache(maxsize=SHEETS_KEPT)(_drawn)

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
        lit = [self._lit(canvas, nail, scene) for nail in nails]  # all before any: paint is not to be taken for light
        for nail, light in zip(nails, lit, strict=True):
            self._paint_nail(canvas, nail, look.coats[nail.worn_as], light, others=nails, left=left)

    def _lit(self, canvas: Canvas, nail: Nail, scene: Scene) -> _Lit:
        space = NailSpace.of(nail.outline, nail.axis)
        light = self._memory.steady(nail.track, lambda: read_light(canvas, space))
        across, down = 2 * space.cuticle[0] / canvas.width - 1, 2 * space.cuticle[1] / canvas.height - 1
        guessed = shine(space.angle, float(across), float(down))
        return _Lit(space, light, scene, lit_at(guessed, light.lamp))

    def _paint_nail(self, canvas: Canvas, nail: Nail, coat: Coat, lit: _Lit, *, others: list[Nail], left: int) -> None:
        shape = silhouette(nail, coat.shape, coat.length)
        space = lit.space if shape.outline is nail.outline else NailSpace.of(shape.outline, shape.axis)
        outline = edges.with_margin(shape.outline, space, lit.nail.worn)
        patch = Patch.around(shadows.within(outline, shape), canvas.width, canvas.height, left=left)
        if patch is None:
            return
        before = canvas.read(patch)
        seen = _seen(nail, shape, patch, others, left)
        cover = seen * edges.softened(coverage(outline - (patch.left, patch.top), patch.width, patch.height), space)
        bare = shadows.dimmed(to_linear(before), shadows.shadow(shape, patch), seen)
        wet = lit.wet(coat, self._pattern(coat, space.rows), space.rows, shape.edge)
        polish = _laid_on(bare, finishes.finished(coat.finish, wet), cover, space, patch)
        canvas.write(patch, before, to_srgb(polish))


def _seen(nail: Nail, shape: Silhouette, patch: Patch, others: list[Nail], left: int) -> Floats:
    """(h, w) share of what belongs to a nail that shows at each pixel."""
    seen = np.full((patch.height, patch.width), nail.visibility, np.float32)
    seen[:, : max(left - patch.left, 0)] = 0
    uncovered = overlaps.uncovered(shape, patch, others)
    return seen if uncovered is None else seen * uncovered


@dataclass(frozen=True)
class _Lit:
    """The light on one nail, and round it."""

    space: NailSpace
    """Of the nail itself."""
    nail: NailLight
    scene: Scene
    shine: Shine

    def wet(self, coat: Coat, colour: Floats, rows: int, edge: float) -> Wet:
        """A coat in this light, on a sheet of `rows` rows; the own nail ends at v = `edge`."""
        surface = relief(rows)
        light = self.scene.tint * np.float32(self.nail.exposure(self.scene.exposure))
        shading, gleam = _uneven(self.nail, rows, round(edge, 2))
        if edge < 1:
            shading = shading * edges.rim(surface.place, edge, -float(self.space.along @ shadows.FALLS))
        return Wet(colour, coat.colours, surface, light, shading, gleam, self.shine)


@lru_cache(maxsize=32)
def _uneven(light: NailLight, rows: int, edge: float) -> tuple[Floats, Floats]:
    """Shading and highlights on a sheet. Kept, as a nail's light is read anew only every few frames."""
    place = sheet(rows)
    return light.shading(place, edge) * edges.fold(rows, edge), light.gleam(place, edge)


def _drawn(coat: Coat, rows: int) -> Floats:
    """What lies where on a nail, (rows, columns, 3), or (1, 1, 3) of one colour only."""
    if coat.texture is not None:
        return _resized(coat.texture, rows)
    return patterns.colour_of(coat, sheet(rows)).astype(np.float32, copy=False)


def _resized(texture: Floats, rows: int) -> Floats:
    shrinks = rows < len(texture)
    size = sheet(rows).u.shape[::-1]
    resized = cv2.resize(texture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(np.float32, copy=False)


def _laid_on(bare: Floats, film: Film, cover: Floats, space: NailSpace, patch: Patch) -> Floats:
    """The patch, (h, w, 3) in linear light, with the nail painted; exactly as it was where there is no paint."""
    u, v = space.coordinates(patch.left, patch.top, patch.width, patch.height)
    rows, columns = film.light.shape[:2]
    x, y = (u + 1) * np.float32(columns / 2) - np.float32(0.5), v * np.float32(rows) - np.float32(0.5)
    np.maximum(y, 0, out=y)  # below the cuticle the fold's shade must not lift again
    polish = _unrolled(film.light, x, y)
    if film.through is not None:
        polish += _unrolled(film.through, x, y) * bare
    polish -= bare
    polish *= _threefold(cover)
    polish += bare
    return polish


def _threefold(values: Floats) -> Floats:
    """(h, w) as (h, w, 3): numpy's broadcasting to three channels takes five times as long."""
    return cv2.merge((values, values, values)).astype(np.float32, copy=False)


def _unrolled(values: Floats, x: Floats, y: Floats) -> Floats:
    """A sheet, (rows, columns, 3), as it lies in the picture."""
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32, copy=False)
