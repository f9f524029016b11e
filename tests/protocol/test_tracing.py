"""The real exporter, speaking to a collector in the test; what a span says and what it does not."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol import tracing
from protocol.errors import AtCapacity, NotFound
from tests.otlp import Collector, collector
from tests.redis_server import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def traces(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collector() as taken:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", taken.url)
        assert await asyncio.to_thread(tracing.configure, "lacquer-test", "one")
        try:
            yield taken
        finally:
            await tracing.close()


async def test_spans_are_sent_with_session_and_service(traces: Collector) -> None:
    with tracing.served("outer", {}, "s-1"), tracing.span("inner", "s-1", size=3):
        pass
    await tracing.close()
    outer, inner = traces.named("outer"), traces.named("inner")
    assert inner.parent == outer.id and inner.trace == outer.trace and not outer.parent
    assert inner.attributes == {"lacquer.session": "s-1", "size": 3}
    assert inner.service == "lacquer-test"


async def test_a_trace_goes_on_in_another_process_by_its_headers(traces: Collector) -> None:
    with tracing.served("asks", {}):
        carried = tracing.headers()
    with tracing.served("answers", carried):
        pass
    await tracing.close()
    assert traces.parent(traces.named("answers")).name == "asks"


async def test_what_runs_by_itself_makes_no_traces(traces: Collector) -> None:
    with tracing.span("call worker") as span:
        assert span is None
        assert not tracing.headers()
    await tracing.close()
    assert traces.spans == []


async def test_errors_are_named_by_their_code_alone(traces: Collector) -> None:
    for error in (AtCapacity("hunter2"), NotFound("hunter2"), ValueError("hunter2")):
        with pytest.raises(type(error)), tracing.served(type(error).__name__, {}):
            raise error
    await tracing.close()
    assert traces.named("AtCapacity").attributes == {"error.type": "at_capacity"}
    assert traces.named("ValueError").attributes == {"error.type": "ValueError"}
    assert b"hunter2" not in traces.raw


async def test_log_lines_name_the_trace(traces: Collector) -> None:
    with tracing.served("outer", {}):
        event = tracing.name_trace(None, "info", {"event": "x"})
    assert tracing.name_trace(None, "info", {"event": "x"}) == {"event": "x"}
    await tracing.close()
    assert event == {"event": "x", "trace": traces.named("outer").trace}


async def test_a_collector_that_is_away_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(tracing, "LAST_EXPORT", 0.4)
    assert await asyncio.to_thread(tracing.configure, "lacquer-test")
    began = time.monotonic()
    for _ in range(3):
        with tracing.served("lost", {}):
            pass
    with caplog.at_level(logging.WARNING):
        await tracing.close()
    assert time.monotonic() - began < tracing.LAST_EXPORT + 1
    assert len([record for record in caplog.records if record.name.startswith("opentelemetry")]) <= 1


def test_wanted_by_the_standard_variables() -> None:
    assert not tracing.wanted({})
    assert tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert tracing.wanted({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    assert not tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"})


def test_without_it_nothing_is_imported_and_a_span_costs_nothing() -> None:
    code = """
import sys, timeit
from protocol import tracing
assert tracing.configure("x") is False
def work():
    with tracing.span("a", "s"): tracing.headers()
print(timeit.timeit(work, number=100_000) * 10)  # microseconds each
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert float(done.stdout) < 20


def test_configured_but_not_installed_is_said_and_goes_on() -> None:
    code = """
import sys
sys.modules["opentelemetry.sdk"] = None
from protocol import logs, tracing
logs.configure("json")
assert tracing.configure("x") is False
with tracing.span("a") as span: assert span is None
"""
    environment = {"PATH": "/usr/bin:/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert "pip install 'lacquer[otel]'" in done.stderr
