"""People who leave as people do: without a word, in the middle of a word, or while somebody else ends their session.

Each way is a coroutine that opens a session's connection and drops it. What it returns is closed when all is over: a
socket that nobody reads must stay open for as long, or it would not be half open.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

SDP = {"Content-Type": "application/sdp"}
FULL = 503
LINGER_NOT = struct.pack("ii", 1, 0)
PATIENCE = 60.0


@dataclass
class Visitor:
    """One session, not connected yet."""

    http: ClientSession
    base: str
    session: dict[str, Any]
    waited: list[int] = field(default_factory=list)
    """Statuses that were no 201: every place was taken for a while."""

    @property
    def path(self) -> str:
        return f"{self.base}/api/try-on/sessions/{self.session['session_id']}/"

    async def offer(self, sdp: str) -> str:
        """The answer, as soon as there is a place."""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.http.post(f"{self.path}webrtc/", data=sdp, headers=SDP) as response:
                    text = await response.text()
                    if response.status == 201:
                        return text
                    assert response.status == FULL, text
                    self.waited.append(response.status)
                await asyncio.sleep(0.5)

    async def upgraded(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A WebSocket by hand, past the server's `ready`."""
        address = urlsplit(self.base)
        async with asyncio.timeout(PATIENCE):
            while True:
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                key = base64.b64encode(os.urandom(16)).decode()
                writer.write(
                    f"GET /ws/tryon/{self.session['session_id']}/ HTTP/1.1\r\nHost: {address.netloc}\r\n"
                    f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
                )
                assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
                if b'"ready"' in await reader.read(4096):
                    return reader, writer
                self.waited.append(FULL)
                writer.close()
                await asyncio.sleep(0.5)


async def tab_closed(visitor: Visitor) -> None:
    """The system resets what a killed program leaves."""
    _, writer = await visitor.upgraded()
    _reset(writer)


async def cut_in_a_message(visitor: Visitor) -> None:
    """Of a frame of 60,000 bytes, 100 arrive."""
    _, writer = await visitor.upgraded()
    writer.write(b"\x82\xfe" + struct.pack("!H", 60_000) + b"\0\0\0\0" + b"x" * 100)
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def half_open(visitor: Visitor) -> Callable[[], Awaitable[None]]:
    """Connected, and neither reads nor writes: the other end of the cable is gone, and TCP does not know."""
    _, writer = await visitor.upgraded()

    async def close() -> None:
        _reset(writer)

    return close


async def cable_pulled(visitor: Visitor) -> Callable[[], Awaitable[None]]:
    """WebRTC that was connected; from then on no packet leaves."""
    client = _client()
    connected = asyncio.Event()

    def look() -> None:
        if client.connectionState == "connected":
            connected.set()

    client.on("connectionstatechange", look)
    await _connect(client, visitor)
    async with asyncio.timeout(PATIENCE):
        await connected.wait()
    for protocol in _dtls(client).transport._connection._protocols:
        protocol.transport.sendto = lambda *packet: None
    return client.close


async def offer_and_nothing_after(visitor: Visitor) -> None:
    """The page is gone when the answer comes."""
    client = _client()
    await client.setLocalDescription(await client.createOffer())
    await visitor.offer(client.localDescription.sdp)
    await client.close()


async def dtls_never_finished(visitor: Visitor) -> Callable[[], Awaitable[None]]:
    """ICE connects and is kept up, and DTLS never begins."""
    client, begun, over = _client(), asyncio.Event(), asyncio.Event()

    async def never(*parameters: object) -> None:
        begun.set()
        await over.wait()
        raise asyncio.CancelledError  # or aiortc would go on to SCTP

    _dtls(client).start = never
    connecting = asyncio.create_task(_connect(client, visitor))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()

    async def close() -> None:
        over.set()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await client.close()

    return close


async def offer_cut_in_its_body(visitor: Visitor) -> None:
    address = urlsplit(visitor.base)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    path = urlsplit(visitor.path).path
    writer.write(
        f"POST {path}webrtc/ HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: 5000\r\nAuthorization: Bearer {visitor.session['token']}\r\n\r\nv=0\r\n".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def deleted_while_offering(visitor: Visitor) -> None:
    client = _client()
    await client.setLocalDescription(await client.createOffer())
    offering = asyncio.create_task(visitor.offer(client.localDescription.sdp))
    await asyncio.sleep(0.01)
    async with visitor.http.delete(visitor.path) as response:
        assert response.status == 204, await response.text()
    with suppress(AssertionError):  # 410 where the DELETE came first
        await offering
    await client.close()


WAYS = (
    *(tab_closed, cut_in_a_message, half_open, cable_pulled, offer_and_nothing_after, dtls_never_finished),
    *(offer_cut_in_its_body, deleted_while_offering),
)


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()


def _client() -> RTCPeerConnection:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.createDataChannel("tryon")
    client.addTransceiver("video")
    return client


def _dtls(client: RTCPeerConnection) -> Any:
    return client.getTransceivers()[0].sender.transport


async def _connect(client: RTCPeerConnection, visitor: Visitor) -> None:
    await client.setLocalDescription(await client.createOffer())
    answer = await visitor.offer(client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
