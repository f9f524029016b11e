from __future__ import annotations

import prometheus_client

from media_worker.stats import STAGE_BUCKETS, StageSeconds, StreamStatistics


def test_counts_rates_and_percentiles() -> None:
    now = 0.0
    statistics = StreamStatistics(clock=lambda: now)
    for i in range(90):
        now = i / 30
        statistics.received()
        statistics.finished({"vision": float(i)}, 640, 480)
    statistics.dropped("superseded")
    statistics.dropped("superseded")
    stats = statistics.snapshot()
    assert (stats.frames_in, stats.frames_out) == (90, 90)
    assert stats.frames_dropped == {"superseded": 2}
    assert stats.fps == 30.0
    assert (stats.width, stats.height) == (640, 480)
    assert (stats.latency_ms["vision"].p50, stats.latency_ms["vision"].p95) == (45, 85)


def test_stages_are_a_histogram_as_prometheus_knows_it() -> None:
    registry = prometheus_client.CollectorRegistry()
    ours = StageSeconds()
    registry.register(ours)
    theirs = prometheus_client.Histogram("x", "", ["stage"], buckets=STAGE_BUCKETS, registry=registry)
    for stage, seconds in (("vision", 0.0005), ("vision", 0.001), ("vision", 0.0021), ("vision", 7.0), ("send", 0.2)):
        ours.observe(stage, seconds)
        theirs.labels(stage).observe(seconds)
    text = prometheus_client.generate_latest(registry).decode()
    told = [line.removeprefix("lacquer_stage_seconds") for line in text.splitlines() if line.startswith("lacquer")]
    expected = [line.removeprefix("x") for line in text.splitlines() if line.startswith("x_")]
    assert told == [line for line in expected if "_created" not in line]
    assert '_bucket{le="0.001",stage="vision"} 2.0' in told


def test_rate_falls_to_zero_when_frames_stop() -> None:
    now = 0.0
    statistics = StreamStatistics(clock=lambda: now)
    statistics.finished({}, 2, 2)
    now = 10.0
    assert statistics.snapshot().fps == 0


def test_retreats_are_told_and_counted_by_level() -> None:
    def streams(level: int) -> float:
        return prometheus_client.REGISTRY.get_sample_value("lacquer_retreat_level", {"level": str(level)}) or 0.0

    before = [streams(level) for level in range(4)]
    statistics = StreamStatistics()
    assert statistics.snapshot().retreat == 0
    for level in (0, 1, 2):
        statistics.retreated(level)
    assert statistics.snapshot().retreat == 2
    assert [streams(level) - before[level] for level in range(4)] == [0, 0, 1, 0]
    statistics.retreated(None)
    assert statistics.snapshot().retreat == 0
    assert [streams(level) - before[level] for level in range(4)] == [0, 0, 0, 0]


def test_frames_only_followed_are_counted_by_reason() -> None:
    statistics = StreamStatistics()
    for reason in ("late", "overrun", "late"):
        statistics.followed(reason)
    assert statistics.snapshot().frames_followed == {"late": 2, "overrun": 1}
