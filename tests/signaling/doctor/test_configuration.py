from __future__ import annotations

import pytest

from media_worker.settings import WorkerSettings
from protocol.checkup import Outcome
from signaling.doctor.configuration import read
from signaling.settings import Settings

KEY = "Zk3vQ8xNw2rT5yBp7LcMh9GfJs4DaEu6"


def test_defaults() -> None:
    for kind in (Settings, WorkerSettings):
        _, verdict = read(kind)
        assert verdict.outcome is Outcome.OK


def test_what_is_set_is_listed_and_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_PORT", "9001")
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@10.0.0.2/0")
    monkeypatch.setenv("DATABASE_URL", "postgresql://lacquer:hunter2@db/lacquer")
    settings, verdict = read(Settings)
    assert settings is not None
    assert verdict.outcome is Outcome.OK
    for part in ("4 set", "LACQUER_PORT=9001", "LACQUER_SECRET_KEY=…", "LACQUER_REDIS_URL=…", "LACQUER_DATABASE_URL=…"):
        assert part in verdict.said
    assert "hunter2" not in verdict.said and KEY not in verdict.said


@pytest.mark.parametrize("kind", [Settings, WorkerSettings])
def test_mistakes_name_their_variable_and_show_no_value(kind: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_TURN_SECRET", "short")
    monkeypatch.setenv("LACQUER_LOG_LEVEL", "LOUD")
    settings, verdict = read(kind)
    assert settings is None
    assert verdict.outcome is Outcome.FAILED
    assert "LACQUER_TURN_SECRET: " in verdict.said and "LACQUER_LOG_LEVEL: " in verdict.said
    assert "short" not in verdict.said.replace("shorter", "")


def test_a_list_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_ICE_SERVERS", "stun:stun.example.org")
    assert read(Settings)[1].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "value", ["changeme", "change-me", "made-by-openssl-rand-hex-24", "aaaaaaaaaaaaaaaa", "secret"]
)
def test_placeholders_are_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_WORKER_SECRET", value)
    for kind in (Settings, WorkerSettings):
        settings, verdict = read(kind)
        assert settings is not None, "other checks go on"
        assert verdict.outcome is Outcome.FAILED
        assert "LACQUER_WORKER_SECRET" in verdict.said and value not in verdict.said.split()
        assert "openssl rand" in verdict.mend


def test_a_key_that_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY[:20])
    verdict = read(Settings)[1]
    assert verdict.outcome is Outcome.FAILED
    assert "LACQUER_SECRET_KEY has 20 bytes, and 32 are needed" in verdict.said
