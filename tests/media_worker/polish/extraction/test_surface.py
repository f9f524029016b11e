from __future__ import annotations

import numpy as np

from media_worker.polish.extraction.surface import SPARKLES, Surface, finish_of, grain
from protocol.designs import Finish
from tests.media_worker.polish.extraction.flat_nails import DOTS, INSIDE, STRIPES, plain


def test_finishes_are_told_by_light_and_grain() -> None:
    assert finish_of([Surface(0.2, 0.0, 0.01)] * 3) is Finish.GLOSS
    assert finish_of([Surface(0.01, 0.0, 0.01)] * 3) is Finish.MATTE
    assert finish_of([Surface(0.01, 0.05, 0.01)] * 3) is Finish.GLOSS
    assert finish_of([Surface(0.2, 0.0, 0.4)] * 2 + [Surface(0.2, 0.0, 0.01)]) is Finish.GLITTER


def test_glitter_has_grain_and_patterns_have_none() -> None:
    sparks = plain() + (np.random.default_rng(1).random(INSIDE.shape) > 0.8)[..., None] * 0.5
    assert grain(sparks.astype(np.float32), INSIDE) > SPARKLES
    for paint in (plain(), STRIPES, DOTS):
        assert grain(paint, INSIDE) < SPARKLES
