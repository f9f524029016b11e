"""The binary header protocol on a WebSocket: `/ws/tryon/{session_id}`, for legacy clients and for metadata."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import structlog
from aiohttp import web

from media_worker.channel import Channel
from media_worker.session import Session
from protocol import limits
from protocol.errors import LacquerError
from protocol.messages import ErrorMessage, Message

log = structlog.get_logger(__name__)

MAX_MESSAGE_SIZE = limits.HEADER_SIZE + limits.MAX_FRAME_SIZE + 1
"""aiohttp refuses messages of this size and larger."""
CLOSE_TIMEOUT = 2.0

AT_A_TIME = 16
"""Messages that are read before others get their turn; a millisecond."""


class SocketTransport:
    """A WebSocket as `channel.Transport`; aiohttp's own flow control makes sends wait for a slow reader."""

    max_message_size = MAX_MESSAGE_SIZE - 1

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, data: str | bytes) -> None:
        if isinstance(data, str):
            await self._socket.send_str(data)
        else:
            await self._socket.send_bytes(data)


class SocketConnection:
    """One WebSocket of a session, from its `ready` to its close."""

    kind = "socket"

    def __init__(self, session: Session, socket: web.WebSocketResponse) -> None:
        self.id = secrets.token_urlsafe(12)
        self._session = session
        self._socket = socket
        self._channel = Channel(session, SocketTransport(socket))
        self._closing: asyncio.Task[None] | None = None

    def tell(self, message: Message) -> None:
        self._channel.tell(message)

    async def run(self) -> None:
        """Serves the client until either side leaves. Raises SessionEnded when the session is over already."""
        await self._session.attach(self)
        self._channel.start(closes_when_silent=True)
        reader = asyncio.create_task(self._read())
        leaver = asyncio.create_task(self._channel.left.wait())
        try:
            await asyncio.wait({reader, leaver}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            leaver.cancel()
            await asyncio.gather(reader, leaver, return_exceptions=True)
            await self.close(self._channel.reason)

    async def _read(self) -> None:
        """aiohttp hands out what is there already without a turn of the event loop, and thousands of small messages fit
        one read: the others get their turn after a few."""
        heard = 0
        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                self._channel.receive(message.data)
                await self._channel.drained()
            elif message.type is aiohttp.WSMsgType.PING and self._channel.admits_ping():
                await self._socket.pong(message.data)
            heard += 1
            if heard % AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def close(self, error: LacquerError | None) -> None:
        """Says why, closes with the error's code (1000 without one) and frees everything. Idempotent."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(error))
        await asyncio.shield(self._closing)

    async def _close(self, error: LacquerError | None) -> None:
        await self._channel.close(error)
        await close_socket(self._socket, error)
        await self._session.detach(self)
        log.info("socket closed", session=self._session.id, reason=error.code if error else None)


async def refuse(socket: web.WebSocketResponse, error: LacquerError) -> None:
    """Tells a client why it cannot be served, then closes: browsers hide a refused upgrade's HTTP status."""
    await socket.send_str(ErrorMessage.of(error, fatal=True).model_dump_json())
    await close_socket(socket, error)


async def close_socket(socket: web.WebSocketResponse, error: LacquerError | None) -> None:
    code, reason = (error.close_code, error.code) if error else (1000, "")
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await socket.close(code=code, message=reason.encode())
    except TimeoutError:
        log.info("the client did not answer the close")
