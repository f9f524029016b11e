from __future__ import annotations

import itertools

import pytest

from tests.relay import Link


def test_a_link_of_its_own_does_nothing() -> None:
    link = Link()
    assert [link.arrival(t, 1200) for t in (0.0, 0.1, 0.2)] == [0.0, 0.1, 0.2]


def test_rate_delays_and_then_drops() -> None:
    link = Link(rate=96_000, delay=0.05, queue=0.25)
    arrivals = [link.arrival(1.0, 1200) for _ in range(5)]  # 0.1 s each
    assert arrivals[:3] == pytest.approx([1.15, 1.25, 1.35])
    assert arrivals[3:] == [None, None]
    assert link.arrival(2.0, 1200) == pytest.approx(2.15)
    assert (link.carried, link.lost) == (4 * 9600, 2)


@pytest.mark.parametrize("burst", [1.0, 5.0])
def test_loss_has_its_share_and_its_bursts(burst: float) -> None:
    link = Link(loss=0.05, burst=burst)
    came = [link.arrival(float(n), 100) is not None for n in range(40_000)]
    assert came.count(False) / len(came) == pytest.approx(0.05, abs=0.01)
    ends = sum(not a and b for a, b in itertools.pairwise(came))
    assert came.count(False) / ends == pytest.approx(burst, rel=0.2)
    assert link.lost == came.count(False)


def test_gaps_come_by_the_clock_and_have_their_length() -> None:
    link = Link(gap_every=1.0, gap=10)
    came = [link.arrival(n / 200, 100) is not None for n in range(2000)]
    gaps = [len(list(run)) for arrived, run in itertools.groupby(came) if not arrived]
    assert gaps == [10] * 10


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    def arrivals(link: Link) -> list[float]:
        return [link.arrival(n / 1000, 100) or 0.0 for n in range(500)]

    jittery = arrivals(Link(jitter=0.03))
    assert jittery == sorted(jittery)
    assert max(at - n / 1000 for n, at in enumerate(jittery)) > 0.02
    assert arrivals(Link(reordered=0.1)) != sorted(arrivals(Link(reordered=0.1)))
