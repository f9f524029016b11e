"""Packets that are not worked on: counted by reason, and told of in the log once a second at most."""

from __future__ import annotations

import time
from collections import Counter

import prometheus_client
import structlog

log = structlog.get_logger(__name__)

INTERVAL = 1.0

PACKETS_REFUSED = prometheus_client.Counter("lacquer_packets_refused_total", "Packets not worked on", ["reason"])

_untold: Counter[str] = Counter()
_told_at = float("-inf")


def refuse(reason: str) -> None:
    """`reason` is one of a few words: `stranger` (sent from an address that is not the peer's), `stun`, `rtcp`, `rtp`
    (makes no sense), `pace` (too many), `streams` (too many at once)."""
    global _told_at  # noqa: PLW0603  # one log a process
    PACKETS_REFUSED.labels(reason).inc()
    _untold[reason] += 1
    now = time.monotonic()
    if now - _told_at >= INTERVAL:
        _told_at = now
        log.info("packets refused", **_untold)
        _untold.clear()
