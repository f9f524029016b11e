"""Two WebSockets joined byte for byte. Nothing is read, nothing is kept: a slow reader slows its writer down.

So is a client that floods: signaling carries a multiple of what the protocol allows, and the worker, which gets it,
says no (`rate_limited`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from protocol import limits
from protocol.errors import SilentPeer
from protocol.pace import Allowance
from signaling.worker_client import WorkerSocket

ClientSocket = web.WebSocketResponse[Literal[False]]
Socket = ClientSocket | WorkerSocket

SETTLE_TIMEOUT = 1.0
"""Seconds to hear why the other side hung up, where a message could not be delivered to it."""

MESSAGE_PACE = (1000.0, 3000.0)
"""Messages a second of one client, and at once, its pings included; 60 µs each."""

BYTE_PACE = (2 * limits.BYTE_PACE[0], 2 * limits.BYTE_PACE[1])

TOO_FAST = 0.02
"""Seconds that a client who is over its pace is not read."""

AT_A_TIME = 16
"""Messages that are carried before others get their turn: aiohttp hands out what is there without one of the loop's."""

NO_STATUS, ABNORMAL = 1005, 1006
"""Never sent (RFC 6455 §7.4.1): a close without a code, and a connection that broke without one."""


@dataclass(frozen=True)
class Farewell:
    """How one side left."""

    code: int
    reason: bytes = b""

    @property
    def broken(self) -> bool:
        return self.code == ABNORMAL

    @property
    def sendable(self) -> Farewell:
        """The same as a close frame may say it: no code at all is 1000, and a line that broke is `going away`."""
        return {
            NO_STATUS: Farewell(WSCloseCode.OK, self.reason),
            ABNORMAL: Farewell(WSCloseCode.GOING_AWAY, self.reason),
        }.get(self.code, self)


@dataclass(frozen=True)
class Parting:
    """Who left first, and how."""

    by_client: bool
    farewell: Farewell


async def join(client: ClientSocket, worker: WorkerSocket) -> Parting:
    """Pumps both ways until one side leaves. Closes neither."""
    up = asyncio.create_task(_pump(client, worker, Pace()), name="bridge-up")
    down = asyncio.create_task(_pump(worker, client), name="bridge-down")
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and (farewell := up.result()):
            return Parting(True, farewell)
        if down.done() and (farewell := down.result()):
            return Parting(False, farewell)
        # One side could not be written to, so it is leaving; what it says is on its way through the other pump.
        await asyncio.wait({up, down}, timeout=SETTLE_TIMEOUT)
        by_client = down.done() and down.result() is None
        reader = up if by_client else down
        return Parting(by_client, (reader.result() if reader.done() else None) or Farewell(ABNORMAL))
    finally:
        up.cancel()
        down.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


class Pace:
    """How fast a client is read."""

    def __init__(self) -> None:
        self._messages, self._bytes, self._carried = Allowance(*MESSAGE_PACE), Allowance(*BYTE_PACE), 0

    async def keep(self, size: int) -> None:
        """Returns when a message of so many bytes may go on."""
        self._carried += 1
        if self._carried % AT_A_TIME == 0:
            await asyncio.sleep(0)
        while not self._messages.take():  # noqa: ASYNC110  # what is waited for is that time passes
            await asyncio.sleep(TOO_FAST)
        while not self._bytes.take(size):  # noqa: ASYNC110
            await asyncio.sleep(TOO_FAST)


async def _pump(source: Socket, sink: Socket, pace: Pace | None = None) -> Farewell | None:
    """Hands messages on until the source leaves, and says how; None where the sink could not be written to."""
    while True:
        message = await source.receive()
        if pace:
            await pace.keep(len(message.data) if isinstance(message.data, bytes) else 0)
        if message.type is WSMsgType.PING:
            await source.pong(message.data)
            continue
        if message.type is WSMsgType.PONG:
            continue
        if message.type is WSMsgType.CLOSE:
            return Farewell(message.data or NO_STATUS, (message.extra or "").encode())
        if message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
            return Farewell(message.data.code)  # over the size limit, or no WebSocket: aiohttp has closed it for that
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return Farewell(ABNORMAL)  # it broke, or we are closing it ourselves
        try:
            async with asyncio.timeout(limits.SILENCE_TIMEOUT):
                await sink.send_frame(message.data, message.type)
        except TimeoutError:
            return Farewell(SilentPeer.close_code, SilentPeer.code.encode())
        except ConnectionError:
            return None
