from __future__ import annotations

import re
import timeit
from fractions import Fraction
from pathlib import Path

import prometheus_client
import pytest

import media_worker.server  # which registers all that a worker tells
from media_worker import measures
from media_worker.measures import Freezes, PictureSize
from media_worker.stats import StreamStatistics
from protocol.messages import LinkReport


def value(name: str, **labels: str) -> float:
    return prometheus_client.REGISTRY.get_sample_value(name, labels) or 0.0


def test_gaps_between_frames_are_frozen_time() -> None:
    before, freezes = value("lacquer_frozen_seconds_total"), Freezes()
    for now in (0.0, 0.033, 0.2, 1.2, 1.233):
        freezes.shown(now)
    assert value("lacquer_frozen_seconds_total") - before == pytest.approx(1.0)


def test_a_pause_is_no_freeze() -> None:
    before, freezes = value("lacquer_frozen_seconds_total"), Freezes()
    freezes.shown(0.0)
    freezes.paused()
    freezes.shown(60.0)
    assert value("lacquer_frozen_seconds_total") == before


def test_only_a_video_stream_freezes_and_not_after_it_ended() -> None:
    now = 0.0
    statistics = StreamStatistics(clock=lambda: now)
    before = value("lacquer_frozen_seconds_total")

    def frame(at: float) -> None:
        nonlocal now
        now = at
        statistics.finished({}, 640, 480)

    frame(0.0)
    frame(5.0)  # on a WebSocket
    statistics.retreated(0)
    frame(6.0)
    frame(7.0)
    statistics.dropped("paused")
    frame(30.0)
    statistics.retreated(None)
    statistics.retreated(0)
    frame(90.0)
    statistics.retreated(None)
    assert value("lacquer_frozen_seconds_total") - before == pytest.approx(1.0)


def test_streams_by_the_size_of_their_picture() -> None:
    def streams() -> tuple[float, float]:
        return value("lacquer_picture_scale", scale="1"), value("lacquer_picture_scale", scale="0.75")

    whole, smaller = streams()
    size = PictureSize()
    size.is_now(Fraction(1))
    size.is_now(Fraction(1))
    assert streams() == (whole + 1, smaller)
    size.is_now(Fraction(3, 4))
    assert streams() == (whole, smaller + 1)
    size.is_now(None)
    assert streams() == (whole, smaller)


def test_what_clients_report() -> None:
    names = ("fps", "delay_seconds", "round_trip_seconds", "loss_ratio")
    before = [value(f"lacquer_link_{name}_count") for name in names]
    measures.linked(LinkReport(fps=30, loss=0.01))
    measures.linked(LinkReport(round_trip_ms=40, delay_ms=20))
    assert [value(f"lacquer_link_{name}_count") for name in names] == [count + 1 for count in before]
    assert value("lacquer_link_fps_bucket", le="29.0") <= value("lacquer_link_fps_count") - 1


def test_a_frame_costs_microseconds() -> None:
    freezes, size, scale = Freezes(), PictureSize(), Fraction(1)
    size.is_now(scale)

    def frame() -> None:
        freezes.shown(1.0)
        size.is_now(scale)

    seconds = min(timeit.repeat(frame, number=10_000, repeat=3)) / 10_000
    size.is_now(None)
    assert seconds < 20e-6


def test_every_metric_is_in_the_table() -> None:
    readme = (Path(media_worker.__file__).parent / "README.md").read_text("utf-8")
    ours = {family.name for family in prometheus_client.REGISTRY.collect() if family.name.startswith("lacquer_")}
    rows = re.findall(r"^\| (`lacquer_.*?) \| ", readme, re.M)
    told = {re.sub(r"_total$", "", name) for row in rows for name in re.findall(r"`(lacquer_\w+)`", row)}
    assert told == ours
