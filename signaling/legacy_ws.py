"""`/ws/tryon/{session_id}/`: the binary header protocol over WebSocket, bridged to the worker that owns the session.

The upgrade is always accepted first: a browser cannot read why an upgrade was refused, but it can read an `error`
message and a close code.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import structlog
from aiohttp import WSCloseCode, web

from protocol import tracing
from protocol.errors import BadRequest, LacquerError, WorkerUnavailable
from protocol.messages import ErrorMessage
from signaling import bridge, rates
from signaling.bridge import ClientSocket, Parting
from signaling.context import CONTEXT
from signaling.cors import check_socket
from signaling.operations import Operation
from signaling.worker_client import CLOSE_TIMEOUT, MAX_MESSAGE_SIZE, WorkerSocket

SOCKETS = web.AppKey("sockets", set[ClientSocket])
"""Open client sockets; `close_all` says goodbye to them when the server stops."""

log = structlog.get_logger()


async def tryon(request: web.Request) -> web.StreamResponse:
    client: ClientSocket = web.WebSocketResponse[Literal[False]](
        max_msg_size=MAX_MESSAGE_SIZE,
        autoclose=False,
        autoping=False,
        compress=False,
        timeout=CLOSE_TIMEOUT,
        decode_text=False,
    )
    if not client.can_prepare(request).ok:
        raise BadRequest("this address speaks WebSocket")
    await client.prepare(request)
    request.app[SOCKETS].add(client)
    try:
        # Cancelled half-way, the worker's socket would stay open. What ends the bridge is that a socket closes.
        await request.app[CONTEXT].unbroken.run(_serve(request, client))
    finally:
        request.app[SOCKETS].discard(client)
    return client


async def _serve(request: web.Request, client: ClientSocket) -> None:
    try:
        with rates.socket(request):
            await _bridge(client, await _connect(request))
    except LacquerError as error:
        await _refuse(client, error)
    except Exception:
        log.exception("bridge failed", session=request.match_info["session_id"][:36])
        await _refuse(client, LacquerError())


async def _connect(request: web.Request) -> WorkerSocket:
    check_socket(request)
    context = request.app[CONTEXT]
    session = await context.sessions.find_live(request.match_info["session_id"])

    async def connect(worker: str) -> WorkerSocket:
        return await context.workers.connect(worker, session.session_id)

    # A span of its own: one around the whole request would last as long as the socket.
    with tracing.served("connect WebSocket", {}, session.session_id):
        return await context.sessions.connect(session, connect)


async def _bridge(client: ClientSocket, worker: WorkerSocket) -> None:
    """Joins the two, then closes both with what the first to leave said."""
    parting = await bridge.join(client, worker)
    farewell = parting.farewell.sendable
    closing = worker.close(code=farewell.code, message=farewell.reason)
    await asyncio.gather(closing, _close_client(client, parting), return_exceptions=True)


async def _close_client(client: ClientSocket, parting: Parting) -> None:
    if parting.farewell.broken and not parting.by_client:
        return await _refuse(client, WorkerUnavailable("the media worker went away; connect again"))
    farewell = parting.farewell.sendable
    await client.close(code=farewell.code, message=farewell.reason)


async def _refuse(client: ClientSocket, error: LacquerError) -> None:
    """The error as a message for the program, as close code and reason for the network panel."""
    try:
        await client.send_str(ErrorMessage.of(error, fatal=True).model_dump_json())
    except ConnectionError:
        return
    await client.close(code=error.close_code, message=error.code.encode())


async def close_all(app: web.Application) -> None:
    """On shutdown: clients are told to go away, and to come back."""
    closing = (client.close(code=WSCloseCode.GOING_AWAY, message=b"server restarting") for client in app[SOCKETS])
    await asyncio.gather(*closing, return_exceptions=True)


OPERATIONS = (
    Operation(
        "GET",
        "/ws/tryon/{session_id}/",
        tryon,
        "WebSocket: the binary header protocol. Refusals come as an `error` message and a close code",
        "websocket",
        answers={101: None},
        errors=(BadRequest,),
    ),
)
