from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.looks import Look
from media_worker.polish.thumbnail import thumbnail
from protocol import designs


def test_it_shows_the_design() -> None:
    red, cobalt = (thumbnail(Look.of(designs.find(number))) for number in (1, 6))
    assert red.shape == (160, 160, 3) and red.dtype == np.uint8
    changed = np.abs(red.astype(int) - cobalt).max(axis=2) > 60
    assert 0.05 < changed.mean() < 0.3, "the nails, and they are large enough to see"
    assert np.abs(np.median(red[changed], axis=0) - (0xB3, 0, 0x1B)).max() < 30


def test_it_is_the_same_every_time_at_any_size() -> None:
    look = Look.of(designs.find(31))
    assert np.array_equal(thumbnail(look, 96), thumbnail(look, 96))
    assert thumbnail(look, 96).shape == (96, 96, 3)
    with pytest.raises(ValueError, match="at least 16 pixels"):
        thumbnail(look, 8)


def test_every_design_has_its_own() -> None:
    pictures = [thumbnail(Look.of(design), 48) for design in designs.catalogue().values()]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
