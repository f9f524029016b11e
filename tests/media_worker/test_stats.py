from __future__ import annotations

from media_worker.stats import StreamStatistics


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


def test_rate_falls_to_zero_when_frames_stop() -> None:
    now = 0.0
    statistics = StreamStatistics(clock=lambda: now)
    statistics.finished({}, 2, 2)
    now = 10.0
    assert statistics.snapshot().fps == 0
