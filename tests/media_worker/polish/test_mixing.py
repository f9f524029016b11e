from __future__ import annotations

from dataclasses import replace

import numpy as np

from media_worker.drawn_hand import Scene as DrawnScene
from media_worker.drawn_hand import draw
from media_worker.evaluation.worn import true_nails
from media_worker.polish.canvas import RgbCanvas
from media_worker.polish.light import read_light
from media_worker.polish.looks import Look
from media_worker.polish.mixing import Lit, Mixer
from media_worker.polish.nail_space import NailSpace
from media_worker.polish.painter import Painter
from media_worker.polish.scene import read_scene
from media_worker.polish.surface import shine
from protocol import designs
from protocol.designs import Finger, Finish
from protocol.messages import Wish

DRAWING = draw(DrawnScene(), 0)
NAILS = true_nails(DRAWING)
COAT = Look.of(designs.find(5)).coats[Finger.INDEX]


def lit(angle: float = -1.5) -> Lit:
    canvas = RgbCanvas(DRAWING.rgb)
    light = read_light(canvas, NailSpace.of(NAILS[1].outline, NAILS[1].axis))
    return Lit(light, read_scene(canvas.overview()), shine(angle, 0.1, -0.2).rounded(), 0.8)


def test_what_nobody_could_tell_apart_is_mixed_once() -> None:
    mixer, first = Mixer(), lit()
    film = mixer.film(COAT, first, 48, 1.0)
    hardly_turned = replace(first, shine=shine(-1.5004, 0.1, -0.2).rounded())
    assert mixer.film(COAT, hardly_turned, 48, 1.0) is film


def test_a_turn_other_light_or_another_coat_is_mixed_anew() -> None:
    mixer, first = Mixer(), lit()
    film = mixer.film(COAT, first, 48, 1.0)
    turned = mixer.film(COAT, replace(first, shine=lit(-1.2).shine), 48, 1.0)
    assert np.abs(turned.light - film.light).max() > 0.02
    warm = mixer.film(COAT, replace(first, scene=replace(first.scene, cast=1.0)), 48, 1.0)
    assert warm.light[..., 2].mean() < 0.8 * film.light[..., 2].mean()
    assert mixer.film(Look.of(designs.find(13)).coats[Finger.INDEX], first, 48, 1.0) is not film


def test_painting_again_with_what_was_kept_gives_the_same_bytes() -> None:
    painter, nails = Painter(), [replace(nail, track=index) for index, nail in enumerate(NAILS, 1)]
    pictures = [DRAWING.rgb.copy() for _ in range(3)]
    for picture in pictures:
        painter.paint_rgb(picture, nails, Look.of(designs.find(5)))
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[0], pictures[2])


def test_a_finger_that_turns_a_little_keeps_its_cream() -> None:
    """Cream mirrors no more than a spot: what else a turn changes is not to be seen."""
    painter, cream = Painter(), Look.of(designs.find(1)).wearing(Wish(finish=Finish.CREAM))
    for angle in np.linspace(0, 0.01, 5):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
        turned = [
            replace(nail, outline=nail.outline @ turn, axis=nail.axis @ turn, track=index)
            for index, nail in enumerate(NAILS, 1)
        ]
        painter.paint_rgb(DRAWING.rgb.copy(), turned, cream)
    assert painter._mixer.film.cache_info().misses <= 2 * len(NAILS)
