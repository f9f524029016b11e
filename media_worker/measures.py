"""What Prometheus is told of streams besides the frames that `stats` counts: what people see, what limits it, and what
is about to fill up. README.md has all of them in a table.

Per frame, these take two comparisons; the rest happens once a second a stream, or seldomer.
"""

from __future__ import annotations

import math
from fractions import Fraction

from prometheus_client import Counter, Gauge, Histogram

from media_worker import memory
from protocol import cgroup
from protocol.messages import LinkReport

LOOP_LAG = Gauge("lacquer_loop_lag_seconds", "Lateness of the event loop's timers, recent maximum")
TASKS = Gauge("lacquer_tasks", "Tasks of the event loop: what a leak shows in first")

# --- what people see -------------------------------------------------------------------------------------------------
STREAMS = Gauge("lacquer_streams", "Connections that are open, by kind (peer: WebRTC, socket: WebSocket)", ["kind"])
PAINTED = Counter("lacquer_frames_painted_total", "Processed frames with at least one nail")
FROZEN_SECONDS = Counter(
    "lacquer_frozen_seconds_total", "Time in which a video stream's picture stood still: all gaps of over 0.3 s"
)
LINK_FPS = Histogram(
    "lacquer_link_fps", "Frames a second that clients decode, as they report", buckets=(1, 5, 10, 15, 20, 24, 27, 29)
)
LINK_DELAY = Histogram(
    "lacquer_link_delay_seconds",
    "How long clients' jitter buffers hold a frame, as they report",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)

# --- what limits it --------------------------------------------------------------------------------------------------
LINK_ROUND_TRIP = Histogram(
    "lacquer_link_round_trip_seconds",
    "Round trips to clients, as they report",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
)
LINK_LOSS = Histogram(
    "lacquer_link_loss_ratio",
    "Share of packets that did not reach clients, as they report",
    buckets=(0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
)
PICTURE_SCALE = Gauge(
    "lacquer_picture_scale",
    "Video streams by the size of the picture that their link carries (1: all of it)",
    ["scale"],
)
PEERS = Counter(
    "lacquer_peers_total",
    "WebRTC connections by what became of them: connected, and never_connected, failed or silent",
    ["outcome"],
)
CONNECT_SECONDS = Histogram(
    "lacquer_peer_connect_seconds",
    "From a WebRTC offer to a connection",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)

# --- what fills up ---------------------------------------------------------------------------------------------------
SLOTS = Gauge("lacquer_slots", "Sessions that may stream at once on this worker")
SLOTS_USED = Gauge("lacquer_slots_used", "Sessions that stream on this worker")
DRAINING = Gauge("lacquer_draining", "1 while this worker takes nobody in")
PICTURE_JOBS = Gauge("lacquer_picture_jobs", "Single pictures at work or waiting, by kind", ["kind"])
MEMORY_LIMIT = Gauge("lacquer_memory_limit_bytes", "What this process may use: its container's limit, or all there is")
MEMORY_LIMIT.set_function(cgroup.memory_limit)
HEAP_USED = Gauge("lacquer_heap_used_bytes", "In use in the C library's heaps: what a leak shows in")
HEAP_FREE = Gauge("lacquer_heap_free_bytes", "Free in the C library's heaps, but not given back: fragmentation")
HEAP_USED.set_function(lambda: heap.used if (heap := memory.heap()) else math.nan)
HEAP_FREE.set_function(lambda: heap.free if (heap := memory.heap()) else math.nan)

FREEZE = 0.3
"""Seconds between two frames that people see as a freeze; at 10 frames a second the usual gap is a third of it."""


def linked(report: LinkReport) -> None:
    """What a client tells of its link, about once a second."""
    if report.fps is not None:
        LINK_FPS.observe(report.fps)
    if report.delay_ms is not None:
        LINK_DELAY.observe(report.delay_ms / 1000)
    if report.round_trip_ms is not None:
        LINK_ROUND_TRIP.observe(report.round_trip_ms / 1000)
    if report.loss is not None:
        LINK_LOSS.observe(report.loss)


class Freezes:
    """Gaps between one stream's frames."""

    def __init__(self) -> None:
        self._shown: float | None = None

    def shown(self, now: float) -> None:
        """A frame left at `now`, in seconds of any one clock."""
        if self._shown is not None and now - self._shown > FREEZE:
            FROZEN_SECONDS.inc(now - self._shown)
        self._shown = now

    def paused(self) -> None:
        """What follows is no freeze: the person paused, or the stream ended."""
        self._shown = None


class PictureSize:
    """One stream's, among all."""

    def __init__(self) -> None:
        self._scale: Fraction | None = None

    def is_now(self, scale: Fraction | None) -> None:
        """None when the stream ends."""
        if scale == self._scale:
            return
        if self._scale is not None:
            PICTURE_SCALE.labels(f"{float(self._scale):g}").dec()
        if scale is not None:
            PICTURE_SCALE.labels(f"{float(scale):g}").inc()
        self._scale = scale
