"""Each target for a moment, with the same inputs each time; `make fuzz` does it for long."""

from __future__ import annotations

import random
import time

import pytest

from tests.fuzz import seeds
from tests.fuzz.campaign import SEEDS
from tests.fuzz.targets import TARGETS, run

SECONDS = 0.3
"""Of processor time, for each."""

HANG = 1.0


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_our_errors_comes_out(name: str) -> None:
    chance, began = random.Random(name), time.process_time()
    accepted = tried = 0
    while time.process_time() - began < SECONDS:
        seed = chance.choice(SEEDS[name]())
        mutate = seeds.mutated_lines if name in ("offers", "fragments") and tried % 2 else seeds.mutated
        data = mutate(seed, chance) if tried >= len(SEEDS[name]()) else SEEDS[name]()[tried]
        started = time.process_time()
        accepted += run(TARGETS[name], data)
        assert time.process_time() - started < HANG, data[:200]
        tried += 1
    assert accepted and tried > 20
