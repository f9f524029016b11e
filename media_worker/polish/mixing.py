"""Mixes polish on sheets of nail coordinates: what a coat looks like in the light that falls on one nail.

What was mixed is kept: light is read anew every few frames only, and a hand that hardly turns shines where it shone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2

from media_worker.polish import edges, finishes, patterns
from media_worker.polish.colour import rolled_off
from media_worker.polish.light import NailLight
from media_worker.polish.looks import Coat
from media_worker.polish.nail_space import sheet
from media_worker.polish.scene import Scene
from media_worker.polish.surface import Film, Shine, Wet, relief
from media_worker.vision.arrays import Floats

PATTERNS_KEPT = 24
"""Drawn on sheets: of two hands in two sizes, and a bit."""

FILMS_KEPT = 16
"""Of two hands, and a bit. In a close-up one takes 2 MB."""


@dataclass(frozen=True)
class Lit:
    """The light on one nail, and round it."""

    nail: NailLight
    scene: Scene
    shine: Shine
    towards_light: float
    """−1 to 1: how far the nail points to where light comes from, which the end of an extension shows; else 0."""


class Mixer:
    """Not thread-safe."""

    def __init__(self) -> None:
        self.film = lru_cache(maxsize=FILMS_KEPT)(self._mixed)
        self._pattern = lru_cache(maxsize=PATTERNS_KEPT)(_drawn)
        self._uneven = lru_cache(maxsize=FILMS_KEPT)(_uneven)

    def _mixed(self, coat: Coat, lit: Lit, rows: int, edge: float) -> Film:
        """On a sheet of `rows` rows; the own nail ends at v = `edge`. Shared: read only."""
        surface = relief(rows)
        light = lit.scene.tint * lit.nail.exposure(lit.scene.exposure)
        shading, gleam = self._uneven(lit.nail, rows, edge)
        if edge < 1:
            shading = shading * edges.rim(surface.place, edge, lit.towards_light)
        wet = Wet(self._pattern(coat, rows), coat.colours, surface, light, shading, gleam, lit.shine)
        film = finishes.finished(coat.finish, wet)
        film = film if edge == 1 else edges.over_tip(film, wet, edge)
        return Film(rolled_off(film.light), film.through)


def _uneven(light: NailLight, rows: int, edge: float) -> tuple[Floats, Floats]:
    """Shading and highlights on a sheet."""
    place = sheet(rows)
    return light.shading(place, edge) * edges.fold(rows, edge), light.gleam(place, edge)


def _drawn(coat: Coat, rows: int) -> Floats:
    """What lies where on a nail, (rows, columns, 3), or (1, 1, 3) of one colour only."""
    if coat.texture is not None:
        return _resized(coat.texture, rows)
    return patterns.colour_of(coat, sheet(rows)).astype("float32", copy=False)


def _resized(texture: Floats, rows: int) -> Floats:
    shrinks = rows < len(texture)
    size = sheet(rows).u.shape[::-1]
    resized = cv2.resize(texture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype("float32", copy=False)
