from __future__ import annotations

import numpy as np

from media_worker.polish.extraction.burnt import burnt
from media_worker.vision.arrays import Floats, Mask
from tests.media_worker.polish.extraction.flat_nails import DOTS, FRENCH, INSIDE, STRIPES, U, V, lit, plain

LAMP: Mask = (((U + 0.3) / 0.16) ** 2 + ((V - 0.45) / 0.2) ** 2) < 1


def under_a_lamp(paint: Floats) -> Floats:
    photo = paint.copy()
    photo[LAMP] = 1
    return photo


def test_a_burnt_highlight_is_found_with_a_rim() -> None:
    found = burnt(under_a_lamp(plain()), INSIDE)
    assert found[LAMP].all()
    assert np.count_nonzero(found) < 2.5 * np.count_nonzero(LAMP)


def test_white_paint_is_no_highlight() -> None:
    for paint in (plain(), FRENCH, STRIPES, DOTS):
        assert not burnt(paint, INSIDE).any()
        assert np.count_nonzero(burnt(lit(paint), INSIDE)) < 0.03 * np.count_nonzero(INSIDE)


def test_one_highlight_among_many_dots_stands_out() -> None:
    rows = ((V * 8) % 1 - 0.5, ((U + 1) * 4) % 1 - 0.5)
    tiny = plain()
    tiny[(np.hypot(*rows) < 0.2) & ~LAMP] = 0.9
    found = burnt(under_a_lamp(tiny), INSIDE)
    assert found[LAMP & INSIDE].mean() > 0.95
