from __future__ import annotations

import pytest
import structlog

from media_worker import refusals


def test_a_thousand_packets_are_one_line_and_a_thousand_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_told_at", float("-inf"))
    refusals._untold.clear()
    before = refusals.PACKETS_REFUSED.labels("stun")._value.get()
    with structlog.testing.capture_logs() as lines:
        for _ in range(1000):
            refusals.refuse("stun")
        monkeypatch.setattr(refusals, "_told_at", float("-inf"))  # a second later
        refusals.refuse("stranger")
    assert [line for line in lines if line["event"] == "packets refused"] == [
        {"event": "packets refused", "log_level": "info", "stun": 1},
        {"event": "packets refused", "log_level": "info", "stun": 999, "stranger": 1},
    ]
    assert refusals.PACKETS_REFUSED.labels("stun")._value.get() == before + 1000
