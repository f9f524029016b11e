from __future__ import annotations

import numpy as np
import pytest

from media_worker import memory
from media_worker.vision.networks import MULTIPLE, NailMap

SIDES = [MULTIPLE * number for number in range(1, 12)]
WARM_UP = 60
"""Pictures after which OpenVINO keeps as much as it may."""

FURTHER_MB = 20
"""Each of 60 further shapes would keep 2 MB, 120 in all."""


@pytest.mark.skipif(memory.heap() is None, reason="the C library does not say what is in use")
def test_pictures_of_ever_new_shapes_do_not_pile_up() -> None:
    network = NailMap(exact=True)
    shapes = [(height, width) for height in SIDES for width in SIDES][: 2 * WARM_UP]
    np.random.default_rng(0).shuffle(shapes)
    for height, width in shapes[:WARM_UP]:
        network(np.zeros((height, width, 3), np.uint8))
    before = memory.heap()
    for height, width in shapes[WARM_UP:]:
        network(np.zeros((height, width, 3), np.uint8))
    after = memory.heap()
    assert before and after
    assert (after.used - before.used) / 2**20 < FURTHER_MB
