"""Token buckets, by a clock that tests move."""

from __future__ import annotations

import time

import pytest

from signaling.buckets import MAX_KEYS, Buckets, Held, Rate


def allowed(buckets: Buckets, key: str, times: int, now: float) -> int:
    return sum(buckets.take(key, now).allowed for _ in range(times))


def test_all_at_once_or_bit_by_bit() -> None:
    buckets = Buckets(Rate(6, 60))
    assert allowed(buckets, "a", 10, now=0) == 6
    assert allowed(buckets, "a", 10, now=30) == 3
    assert allowed(buckets, "a", 10, now=1000) == 6, "no more than a bucket full"


def test_a_verdict_tells_what_is_left_and_how_long_to_wait() -> None:
    buckets = Buckets(Rate(2, 60))
    assert [buckets.take("a", 0).remaining for _ in range(2)] == [1, 0]
    refused = buckets.take("a", 10)
    assert (refused.allowed, refused.remaining, round(refused.wait, 6)) == (False, 0, 20)
    assert not buckets.take("a", 10 + refused.wait - 0.01).allowed
    assert buckets.take("a", 10 + refused.wait + 1e-6).allowed


def test_asking_too_early_does_not_make_the_wait_longer() -> None:
    buckets = Buckets(Rate(1, 10))
    assert buckets.take("a", 0).allowed
    assert not any(buckets.take("a", now / 10).allowed for now in range(99))
    assert buckets.take("a", 10).allowed


def test_keys_do_not_share() -> None:
    buckets = Buckets(Rate(1, 60))
    assert buckets.take("a", 0).allowed and buckets.take("b", 0).allowed
    assert not buckets.take("a", 0).allowed


@pytest.mark.parametrize("now", [-3600.0, 0.0])
def test_a_clock_set_back_neither_gives_nor_takes(now: float) -> None:
    buckets = Buckets(Rate(2, 60))
    buckets.take("a", 100)
    assert allowed(buckets, "a", 5, now) == 1
    assert allowed(buckets, "a", 5, now + 30) == 1


def test_zero_is_no_limit_and_remembers_nobody() -> None:
    buckets = Buckets(Rate(0, 60))
    assert allowed(buckets, "a", 1000, now=0) == 1000
    assert len(buckets) == 0


def test_the_one_untouched_for_longest_is_forgotten() -> None:
    buckets = Buckets(Rate(1, 1e6), max_keys=3)
    for now, key in enumerate(["a", "b", "c", "a", "d"]):
        buckets.take(key, now)
    assert len(buckets) == 3
    assert not buckets.take("a", 10).allowed, "touched again, so `b` had to go"
    assert buckets.take("b", 10).allowed


def test_a_full_table_costs_no_more_than_an_empty_one() -> None:
    """What attackers with many addresses see: 250,000 strangers."""
    buckets = Buckets(Rate(10, 60))
    began = time.process_time()
    for number in range(250_000):
        buckets.take(str(number), number / 1000)
    assert len(buckets) == MAX_KEYS
    assert time.process_time() - began < 5, "some 1 µs each; a scan for the fullest would take minutes"


def test_what_is_held_is_given_back() -> None:
    held = Held(2)
    assert held.take("a") and held.take("a") and held.take("b")
    assert not held.take("a")
    held.give_back("a")
    assert held.take("a")
    for key in ("a", "a", "b"):
        held.give_back(key)
    assert len(held) == 0


def test_without_a_limit_any_number_is_held() -> None:
    held = Held(0)
    assert all(held.take("a") for _ in range(100))
