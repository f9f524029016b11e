"""Packets that are not worked on: counted by reason, and told of in the log once a second at most.

A few are part of any link, as a packet that was sent again comes twice.
"""

from __future__ import annotations

import time
from collections import Counter

import prometheus_client
import structlog

log = structlog.get_logger(__name__)

INTERVAL = 1.0

QUIET = 20
"""Packets within an interval that are not worth a line."""

PACKETS_REFUSED = prometheus_client.Counter("lacquer_packets_refused_total", "Packets not worked on", ["reason"])

_recent: Counter[str] = Counter()
_since = float("-inf")


def refuse(reason: str) -> None:
    """`reason` is one of a few words: `stranger` (sent from an address that is not the peer's), `stun`, `rtcp`, `rtp`
    (makes no sense), `pace` (too many), `streams` (too many at once)."""
    global _since  # noqa: PLW0603  # one log a process
    PACKETS_REFUSED.labels(reason).inc()
    now = time.monotonic()
    if now - _since >= INTERVAL:
        if _recent.total() >= QUIET:
            log.info("packets refused", **_recent)
        _recent.clear()
        _since = now
    _recent[reason] += 1
