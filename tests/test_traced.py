"""A session from its creation to a saved picture is one set of spans over signaling and worker, and its log lines all
name it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import TestServer

from media_worker import drawn_hand
from media_worker.bench.servers import lacquer
from media_worker.doctor import stream
from media_worker.pipeline import Pipeline
from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from protocol import logs, tracing
from protocol.checkup import Outcome
from signaling.app import create_app
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.otlp import Collector, collector
from tests.rtc_client import RtcClient

SECRET = "between signaling and worker"
API = "/api/try-on"


@pytest.fixture
async def traces(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collector() as taken:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", taken.url)
        await asyncio.to_thread(tracing.configure, "lacquer-test")
        try:
            yield taken
        finally:
            await tracing.close()


@pytest.fixture
async def http(tmp_path: Path, hand_model: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Signaling and a worker on real ports of one process."""
    api = WorkerApi(WorkerSettings(worker_secret=SECRET), hand_model)
    async with TestServer(api.app()) as worker:
        router = LocalRouter([str(worker.make_url("")).rstrip("/")], secret=SECRET)
        settings = Settings(data_dir=tmp_path, worker_secret=SECRET, sweep_interval=3600)
        app = await asyncio.to_thread(create_app, settings, router)
        async with TestServer(app) as server, aiohttp.ClientSession(server.make_url("/")) as session:
            yield session


async def visit(http: aiohttp.ClientSession) -> dict[str, Any]:
    """Somebody comes, sees themselves and saves a picture; the session."""
    frames = [drawn_hand.draw(drawn_hand.Scene(width=320, height=240, still=True), 0).rgb]
    async with http.post(f"{API}/sessions/", json={"mode": "explore", "post_id": 1}) as response:
        session: dict[str, Any] = await response.json()

    async def offer(sdp: str) -> str:
        headers = {"Content-Type": "application/sdp", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        async with http.post(session["webrtc_url"], data=sdp, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return await answer.text()

    async with RtcClient(frames) as client:
        await client.connect(offer)
        await client.until(lambda: client.pictures, 30)
        async with http.post(f"{API}/results/", json={"session_id": session["session_id"]}) as response:
            assert response.status == 201, await response.text()
    async with http.delete(f"{API}/sessions/{session['session_id']}/") as response:
        assert response.status == 204
    return session


@pytest.mark.media
async def test_a_visit_is_traced_through_both_processes(traces: Collector, http: aiohttp.ClientSession) -> None:
    session = await visit(http)
    await tracing.close()

    offered = traces.named("answer offer")
    way = [offered.name]
    while offered.parent:
        offered = traces.parent(offered)
        way.append(offered.name)
    assert way == [
        "answer offer",
        "POST /internal/sessions/{session_id}/peers",
        "call worker",
        f"POST {API}/sessions/{{session_id}}/webrtc/",
    ]
    assert traces.parent(traces.named("create session")).name == f"POST {API}/sessions/"
    assert traces.parent(traces.named("place session")).trace == offered.trace
    assert traces.parent(traces.named("capture")).name == "GET /internal/sessions/{session_id}/frame"
    for name in ("create session", "place session", "answer offer", "capture", offered.name):
        assert traces.named(name).attributes["lacquer.session"] == session["session_id"], name
    assert offered.attributes["http.response.status_code"] == 201

    assert offered.trace != "a" * 32, "a client cannot choose"
    for secret in (session["token"], "127.0.0.1", SECRET, "candidate"):
        assert secret.encode() not in traces.raw, secret


@pytest.mark.media
async def test_every_log_line_of_a_session_names_it(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what is said deep in vision, in threads of their own."""

    def fail(*_: object, **__: object) -> None:
        structlog.get_logger("media_worker.vision").warning("deep in vision")
        raise ValueError("vision is broken")

    monkeypatch.setattr(Pipeline, "process_i420", fail)
    logs.configure("json")
    try:
        frames = [drawn_hand.draw(drawn_hand.Scene(width=320, height=240, still=True), 0).rgb]
        async with http.post(f"{API}/sessions/", json={"mode": "explore", "post_id": 1}) as response:
            session = await response.json()

        async def offer(sdp: str) -> str:
            headers = {"Content-Type": "application/sdp"}
            async with http.post(session["webrtc_url"], data=sdp, headers=headers) as answer:
                return await answer.text()

        async with RtcClient(frames) as client:
            await client.connect(offer)
            await client.until(lambda: client.pictures, 30)
        async with http.delete(f"{API}/sessions/{session['session_id']}/"):
            pass
        written = ""
        async with asyncio.timeout(10):
            while "peer closed" not in written:  # a moment after the answer
                await asyncio.sleep(0.01)
                written += capsys.readouterr().err
    finally:
        logs.configure("console")
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    said = {line["event"] for line in lines}
    assert {"session created", "deep in vision", "vision failed", "peer closed", "session status"} <= said
    assert all(line.get("session") == session["session_id"] for line in lines), lines
    assert logging.getLogger().handlers


@pytest.mark.media
@pytest.mark.long
async def test_traces_of_the_product_as_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And `lacquer doctor --url` as the visitor."""
    monkeypatch.setattr(stream, "FIRST_PICTURE", 30.0)
    async with collector() as traces:
        running = lacquer(tmp_path, 1, OTEL_EXPORTER_OTLP_ENDPOINT=traces.url, OTEL_BSP_SCHEDULE_DELAY="500")
        server = await asyncio.to_thread(running.__enter__)
        try:
            verdict = await stream.through(server.url)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
    assert verdict.outcome is not Outcome.FAILED, verdict
    assert traces.named("answer offer").service == "lacquer-worker"
    place = traces.named("place session")
    assert place.service == "lacquer-signaling"
    assert traces.named("answer offer").trace == place.trace
    assert "call worker" not in {span.name for span in traces.spans if not span.parent}, "what runs by itself"
