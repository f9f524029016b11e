"""What a session's stream did: counters since its start, rates and latencies over the last seconds."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

import prometheus_client
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from protocol.messages import StageStats, Stats

FRAMES_IN = prometheus_client.Counter("lacquer_frames_in_total", "Camera frames received")
FRAMES_OUT = prometheus_client.Counter("lacquer_frames_out_total", "Processed frames")
FRAMES_DROPPED = prometheus_client.Counter("lacquer_frames_dropped_total", "Frames dropped", ["reason"])
FRAMES_FOLLOWED = prometheus_client.Counter(
    "lacquer_frames_followed_total", "Frames whose nails were only followed, not looked at, against plan", ["reason"]
)
RETREAT_LEVEL = prometheus_client.Gauge(
    "lacquer_retreat_level", "Video streams by what they give up as cores are short (0 nothing, 3 most)", ["level"]
)
VIEWERS = prometheus_client.Gauge("lacquer_viewers", "Who only watches a session (WHEP)")
SHARED_FRAMES = prometheus_client.Counter(
    "lacquer_viewer_frames_encoded_total", "Frames encoded once for all viewers of a session", ["codec"]
)
VIEWER_FRAMES_DROPPED = prometheus_client.Counter(
    "lacquer_viewer_frames_dropped_total", "Encoded frames that a single viewer was too slow for"
)
MESSAGES_DROPPED = prometheus_client.Counter("lacquer_messages_dropped_total", "Text messages that slow peers missed")

STAGE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, float("inf"))
"""Seconds."""


class StageSeconds(Collector):
    """The histogram `lacquer_stage_seconds`, for one thread. Each frame has eleven times to count, and for each of them
    prometheus_client's own histogram takes three locks."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(STAGE_BUCKETS))
        self._sums: dict[str, float] = defaultdict(float)

    def observe(self, stage: str, seconds: float) -> None:
        self._counts[stage][bisect_left(STAGE_BUCKETS, seconds)] += 1
        self._sums[stage] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        name, help_text = "lacquer_stage_seconds", "Time a frame spends in each stage"
        family = HistogramMetricFamily(name, help_text, labels=["stage"])
        bounds = [*map(str, STAGE_BUCKETS[:-1]), "+Inf"]
        for stage, counts in self._counts.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([stage], buckets, self._sums[stage])
        yield family


STAGE_SECONDS = StageSeconds()
prometheus_client.REGISTRY.register(STAGE_SECONDS)

FPS_WINDOW = 2.0
"""Seconds over which the frame rate is averaged."""

SAMPLES = 150
"""Latencies kept per stage: five seconds at 30 fps."""


class StreamStatistics:
    """Counts frames and times stages of one session; survives its connections."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames_in = 0
        self._frames_out = 0
        self._dropped: Counter[str] = Counter()
        self._followed: Counter[str] = Counter()
        self._retreat: int | None = None
        self._finished: deque[float] = deque(maxlen=SAMPLES)
        self._stages: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=SAMPLES))
        self._size: tuple[int, int] | None = None

    def received(self) -> None:
        self._frames_in += 1
        FRAMES_IN.inc()

    def dropped(self, reason: str) -> None:
        self._dropped[reason] += 1
        FRAMES_DROPPED.labels(reason).inc()

    def followed(self, reason: str) -> None:
        """A frame went on although nobody looked at its nails."""
        self._followed[reason] += 1
        FRAMES_FOLLOWED.labels(reason).inc()

    def retreated(self, level: int | None) -> None:
        """A video stream gives up so much as cores are short; None when it ends."""
        if level == self._retreat:
            return
        if self._retreat is not None:
            RETREAT_LEVEL.labels(str(self._retreat)).dec()
        if level is not None:
            RETREAT_LEVEL.labels(str(level)).inc()
        self._retreat = level

    def finished(self, stages_ms: Mapping[str, float], width: int, height: int) -> None:
        """A processed frame left; `stages_ms` maps stage to milliseconds."""
        self._frames_out += 1
        FRAMES_OUT.inc()
        self._finished.append(self._clock())
        self._size = (width, height)
        for stage, value in stages_ms.items():
            self._stages[stage].append(value)
            STAGE_SECONDS.observe(stage, value / 1000)

    def snapshot(self) -> Stats:
        return Stats(
            frames_in=self._frames_in,
            frames_out=self._frames_out,
            frames_dropped=dict(self._dropped),
            frames_followed=dict(self._followed),
            retreat=self._retreat or 0,
            fps=self._fps(),
            latency_ms={stage: _percentiles(values) for stage, values in self._stages.items()},
            width=self._size[0] if self._size else None,
            height=self._size[1] if self._size else None,
        )

    def _fps(self) -> float:
        since = self._clock() - FPS_WINDOW
        return round(sum(at > since for at in self._finished) / FPS_WINDOW, 1)


def _percentiles(values: deque[float]) -> StageStats:
    ordered = sorted(values)
    return StageStats(
        p50=round(ordered[len(ordered) // 2], 2),
        p95=round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
    )
