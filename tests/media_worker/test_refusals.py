from __future__ import annotations

import pytest
import structlog

from media_worker import refusals


def test_a_thousand_packets_are_one_line_and_a_thousand_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals._recent.clear()
    before = refusals.PACKETS_REFUSED.labels("stun")._value.get()
    with structlog.testing.capture_logs() as lines:
        for _ in range(1000):
            refusals.refuse("stun")
        for reason in ("stranger", "rtp"):
            monkeypatch.setattr(refusals, "_since", float("-inf"))  # a second later
            refusals.refuse(reason)
    assert lines == [{"event": "packets refused", "log_level": "info", "stun": 1000}], (
        "a single one is not worth a line"
    )
    assert refusals.PACKETS_REFUSED.labels("stun")._value.get() == before + 1000
