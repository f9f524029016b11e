"""The legacy WebSocket: bridged byte for byte, closed with the right code from either side."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import websockets
from aiohttp import WSMsgType
from websockets.asyncio.client import connect

from protocol import framing, limits
from signaling import bridge
from signaling.routing import LocalRouter
from tests.signaling.conftest import SESSIONS, Lacquer, Start, eventually, refused
from tests.signaling.fake_worker import FakeWorker, picture


def ws_url(lacquer: Lacquer, session_id: str, slash: str = "/") -> str:
    return f"ws://{lacquer.client.host}:{lacquer.client.port}/ws/tryon/{session_id}{slash}"


async def farewell(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
    message = await socket.receive()
    assert message.type is WSMsgType.CLOSE, message
    return message.data, message.extra or ""


# --- a client that we did not write ---------------------------------------------------------------------------------
@pytest.mark.parametrize("slash", ["/", ""])
async def test_the_client_in_the_wild_works_unchanged(lacquer: Lacquer, slash: str) -> None:
    session_id, image = (await lacquer.create())["session_id"], picture(image_format="WEBP")
    header = {"type": "frame", "frame_number": 1, "timestamp": 1700000000000, "image_size": len(image)}
    message = json.dumps(header).encode().ljust(1024, b"\0") + image
    async with connect(ws_url(lacquer, session_id, slash)) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"
        await socket.send(message)
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        told, payload = framing.unpack(answer)
        assert (told["type"], told["frame_number"], told["timestamp"]) == ("processed_frame", 1, 1700000000000)
        assert payload == image


async def test_bytes_and_text_pass_untouched_both_ways(lacquer: Lacquer, worker: FakeWorker) -> None:
    seen: list[bytes | str] = []
    worker.on_message = lambda _socket, data: seen.append(data)
    largest = framing.pack({"type": "frame", "frame_number": 2}, os.urandom(limits.MAX_FRAME_SIZE))
    text = '{"type": "ping",   "t": 1, "💅": "\\u0000"}'
    async with connect(ws_url(lacquer, (await lacquer.create())["session_id"]), max_size=None) as socket:
        await socket.recv()
        await socket.send(text)
        assert await socket.recv() == text
        await socket.send(largest)
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        assert answer[1024:] == largest[1024:]
    assert seen == [text, largest]


async def test_a_message_over_the_limit_closes_1009(lacquer: Lacquer, worker: FakeWorker) -> None:
    async with connect(ws_url(lacquer, (await lacquer.create())["session_id"])) as socket:
        await socket.recv()
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await socket.send(bytes(limits.HEADER_SIZE + limits.MAX_FRAME_SIZE + 1))
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    await eventually(lambda: worker.closes == [(1009, "")])


# --- refusals -------------------------------------------------------------------------------------------------------
async def refusal(lacquer: Lacquer, session_id: str) -> tuple[dict[str, Any], tuple[int, str]]:
    """The error message and the close of a socket that is not served."""
    async with lacquer.client.ws_connect(f"/ws/tryon/{session_id}/") as socket:
        return await socket.receive_json(), await farewell(socket)


@pytest.mark.parametrize("session_id", ["demo", str(uuid4()), "%00%ff", "x" * 500])
async def test_an_unknown_session_is_told_after_the_upgrade(lacquer: Lacquer, session_id: str) -> None:
    error, closed = await refusal(lacquer, session_id)
    assert (error["type"], error["code"], error["fatal"]) == ("error", "not_found", True)
    assert closed == (4404, "not_found")


async def test_a_session_that_is_over(lacquer: Lacquer) -> None:
    ended, expired = (await lacquer.create())["session_id"], (await lacquer.create())["session_id"]
    await lacquer.client.delete(f"{SESSIONS}{ended}/")
    lacquer.clock.advance(1800)
    for session_id in (ended, expired):
        error, closed = await refusal(lacquer, session_id)
        assert error["code"] == "session_ended"
        assert closed == (4410, "session_ended")


async def test_no_slot_is_4503(lacquer: Lacquer, worker: FakeWorker) -> None:
    ids = [(await lacquer.create())["session_id"] for _ in range(3)]
    sockets = [await lacquer.connect(session_id) for session_id in ids[:2]]
    error, closed = await refusal(lacquer, ids[2])
    assert error["code"] == "at_capacity"
    assert closed == (4503, "at_capacity")
    await sockets[0].close()
    again = await lacquer.connect(ids[2])  # the slot that was freed is found at once
    for socket in (again, sockets[1]):
        await socket.close()


async def test_no_worker_is_4503(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    assert isinstance(lacquer.router, LocalRouter)
    lacquer.router.remove_worker(worker.url)
    error, closed = await refusal(lacquer, session_id)
    assert error["code"] == "worker_unavailable"
    assert closed == (4503, "worker_unavailable")


async def test_what_nobody_thought_of_is_an_internal_error(lacquer: Lacquer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_session_id: str) -> None:
        raise ZeroDivisionError

    session_id = (await lacquer.create())["session_id"]
    monkeypatch.setattr(lacquer.context.sessions, "find_live", broken)
    error, closed = await refusal(lacquer, session_id)
    assert error["code"] == "internal_error"
    assert closed == (1011, "internal_error")


async def test_plain_http_is_a_bad_request(lacquer: Lacquer) -> None:
    await refused(await lacquer.client.get(f"/ws/tryon/{uuid4()}/"), 400, "bad_request")


# --- closing --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "tab closed"), (4000, "done ✓")])
async def test_the_clients_close_reaches_the_worker(
    lacquer: Lacquer, worker: FakeWorker, code: int, reason: str
) -> None:
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    await socket.close(code=code, message=reason.encode())
    assert socket.close_code == code
    await eventually(lambda: worker.closes == [(code, reason)])


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4408, "silent_peer"), (4409, "replaced"), (1011, "oops")])
async def test_the_workers_close_reaches_the_client(
    lacquer: Lacquer, worker: FakeWorker, code: int, reason: str
) -> None:
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    await socket.send_str(f"close {code} {reason}")
    assert await farewell(socket) == (code, reason)
    await eventually(lambda: worker.used == 0)


async def test_a_close_without_a_code_is_1000(lacquer: Lacquer, worker: FakeWorker) -> None:
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    await socket._writer.send_frame(b"", WSMsgType.CLOSE)
    await farewell(socket)
    await eventually(lambda: worker.closes == [(1000, "")])


async def test_a_client_that_vanishes_frees_the_worker(lacquer: Lacquer, worker: FakeWorker) -> None:
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    socket._response.close()  # no close frame
    await eventually(lambda: worker.closes == [(1001, "")])


async def test_a_worker_that_dies_is_told_as_worker_unavailable(lacquer: Lacquer, worker: FakeWorker) -> None:
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    await worker.stop()
    error = await socket.receive_json()
    assert (error["code"], error["fatal"]) == ("worker_unavailable", True)
    assert await farewell(socket) == (4503, "worker_unavailable")


async def test_after_a_workers_death_the_session_goes_on_elsewhere(start: Start) -> None:
    async with FakeWorker() as first, FakeWorker() as second:
        lacquer = await start(first, second)
        session_id = (await lacquer.create())["session_id"]
        socket = await lacquer.connect(session_id)
        dead, alive = (first, second) if session_id in first.sessions else (second, first)
        dead.sessions[session_id].settings = dead.sessions[session_id].settings.model_copy(update={"design": 7})
        await lacquer.sweep()
        await dead.stop()
        await socket.close()
        again = await lacquer.connect(session_id)
        assert session_id in alive.sessions
        await again.close()


async def test_on_shutdown_clients_are_told_to_go_away(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker)
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    closing = asyncio.create_task(lacquer.client.server.close())
    assert await farewell(socket) == (1001, "server restarting")
    await socket.close()
    await closing


async def test_two_closes_at_once_end_in_time(lacquer: Lacquer, worker: FakeWorker) -> None:
    for _ in range(10):
        socket = await lacquer.connect((await lacquer.create())["session_id"])
        await socket.send_str("close 4409 replaced")
        async with asyncio.timeout(3):
            await socket.close(code=4000)
    await eventually(lambda: worker.used == 0)


# --- flow -----------------------------------------------------------------------------------------------------------
async def test_a_slow_worker_slows_the_client_down(
    lacquer: Lacquer, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back-pressure: what the client has sent in vain waits in the kernel and a few buffers, not in our memory."""
    gate = asyncio.Event()
    answer = worker._answer

    async def held_back(*arguments: Any) -> None:
        await gate.wait()
        await answer(*arguments)

    monkeypatch.setattr(worker, "_answer", held_back)
    message = framing.pack({"type": "frame", "frame_number": 1}, bytes(2**20))
    async with connect(ws_url(lacquer, (await lacquer.create())["session_id"]), max_size=None) as socket:
        await socket.recv()
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await socket.send(message)
                sent += 1

        flooding = asyncio.create_task(flood())
        await asyncio.sleep(1)
        stuck = sent
        await asyncio.sleep(0.3)
        assert sent == stuck < 64
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        gate.set()


async def test_a_client_that_never_reads_is_given_up(
    lacquer: Lacquer, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SILENCE_TIMEOUT", 0.5)
    session_id = (await lacquer.create())["session_id"]
    reader, writer = await asyncio.open_connection(lacquer.client.host, lacquer.client.port, limit=1024)
    request = (
        f"GET /ws/tryon/{session_id}/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    )
    writer.write(f"{request}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await eventually(lambda: worker.used == 1)
    (socket,) = worker.sessions[session_id].sockets

    async def shout() -> None:
        while True:
            await socket.send_bytes(bytes(2**20))

    shouting = asyncio.create_task(shout())
    await eventually(lambda: worker.used == 0, within=8)
    shouting.cancel()
    await asyncio.gather(shouting, return_exceptions=True)
    writer.close()


async def test_ending_by_rest_closes_the_socket_with_4410(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    await lacquer.client.delete(f"{SESSIONS}{session_id}/")
    assert await farewell(socket) == (4410, "session_ended")


@pytest.mark.parametrize("kind", ["ping", "text"])
async def test_a_client_that_floods_is_read_at_a_bounded_pace(lacquer: Lacquer, worker: FakeWorker, kind: str) -> None:
    """Others are served meanwhile; what the worker makes of it is the worker's to say."""
    heard = 0

    def count(*_: object) -> None:
        nonlocal heard
        heard += 1

    worker.on_message = count
    socket = await lacquer.connect((await lacquer.create())["session_id"])
    began = time.monotonic()

    async def flood() -> None:
        while True:
            for _ in range(100):
                await (socket.ping(b"x" * 125) if kind == "ping" else socket.send_str("x" * 1000))
            await asyncio.sleep(0)

    flooding = asyncio.create_task(flood())
    while time.monotonic() - began < 1:
        asked = time.monotonic()
        await lacquer.get("/healthz")
        assert time.monotonic() - asked < 0.5
        await asyncio.sleep(0.05)
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    assert heard <= bridge.MESSAGE_PACE[1] + bridge.MESSAGE_PACE[0] * (time.monotonic() - began + 0.5)
    socket._response.close()  # what is still on its way need not arrive


async def test_pings_of_a_client_are_answered(lacquer: Lacquer) -> None:
    async with connect(ws_url(lacquer, (await lacquer.create())["session_id"])) as socket:
        await asyncio.wait_for(await socket.ping("are you there"), 3)
