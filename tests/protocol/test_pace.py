from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocol.pace import Allowance


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Clock()
    allowance = Allowance(10, 20, clock)
    assert sum(allowance.take() for _ in range(100)) == 20
    clock.now += 0.5
    assert sum(allowance.take() for _ in range(100)) == 5
    clock.now += 3600
    assert sum(allowance.take() for _ in range(100)) == 20, "rest is not saved up"


def test_what_is_refused_costs_nothing() -> None:
    allowance = Allowance(10, 20, Clock())
    assert not allowance.take(21)
    assert allowance.take(20)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 30)), max_size=60))
def test_never_more_than_burst_and_rate(takes: list[tuple[float, float]]) -> None:
    clock = Clock()
    allowance, taken = Allowance(5, 25, clock), 0.0
    for pause, amount in takes:
        clock.now += pause
        taken += amount if allowance.take(amount) else 0
        assert taken <= 25 + 5 * (clock.now - 50) + 1e-6
