"""The one place where aiortc's transports are bent: a packet goes its whole way at once, in and out.

aiortc puts every packet that comes into a queue, from which a task takes it: a future, a task step and a turn of the
event loop a packet, of which a stream has nine a frame. Here the socket's callback does the packet's work itself.

Seams:
- aioice 0.13 makes its sockets' protocol from the name `StunProtocol` in `aioice.ice`. Its `datagram_received` tries
  each packet as STUN and gives the others to `Connection.data_received`, which has the queue.
- Of header extensions a receiver of aiortc 1.16 reads `abs_send_time` alone.
- aiortc 1.16's `RTCPeerConnection` makes transports from the name `RTCDtlsTransport` in its module. `__run` is the task
  that takes from the queue; `_send_rtp`, `_send_data` and `_write_ssl` send through coroutines that never wait.

`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.

Whoever knows a port may send to it, so this is also where strangers are turned away, before anything is parsed: aioice
takes packets from any address, queues them without a bound, and raises on STUN attributes of the wrong length.
"""

from __future__ import annotations

import asyncio
import struct
import time
import types
from collections.abc import Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any

import aioice.ice
import pylibsrtp
import structlog
from aioice.ice import StunProtocol
from aiortc import rtcpeerconnection
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, is_rtcp
from OpenSSL import SSL

from media_worker.capture_clock import NTP_EPOCH
from media_worker.refusals import refuse
from protocol.pace import Allowance

log = structlog.get_logger(__name__)

LARGEST = 2048
"""Bytes; what is sent to us fits an MTU. asyncio makes room for 256 KiB before each read."""


MEDIA_PACE, DATA_PACE = (1200, 2400), (2500, 5000)
"""Packets a second of one peer, and at once: 11 Mbit/s of video, where 720p has 3; 23 Mbit/s of data. SCTP and the
bandwidth estimates of browsers take the rest for lost, and slow down. At these paces a peer costs under half a core,
whatever it sends."""

CHECK_PACE = (100, 200)
"""STUN requests that know our name, a second and at once, of one socket. Each is answered. Browsers send 50 a second
until they are connected, then one every few seconds."""

MAX_PATHS = 512
"""Pairs of addresses that are kept of one peer."""

MAX_QUEUED = 512
"""Packets that wait for aiortc's task: those of a handshake, and RTCP."""

MAX_SOURCES = 16
"""RTP streams (SSRC) that one peer may send. Browsers have two for video, one for sound. aiortc forgets none."""

REQUEST = 0
"""First byte of STUN's requests (RFC 8489 §5); of its responses it is 1."""


EXTENDED_HEADER = struct.Struct("!BBHLLHH")
"""RFC 3550 §5.1 and §5.3.1: flags, marker and payload type, sequence number, timestamp, SSRC; profile and length of
extensions."""

PLAIN_BUT_EXTENDED = 0x90
"""Version 2, extended, neither padding nor contributing sources."""

ONE_BYTE_PROFILE = 0xBEDE
"""RFC 8285 §4.2."""


class LiveProtocol(StunProtocol):
    """A socket of ICE that knows STUN by its first byte (RFC 7983 §7), and its peer by its address."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = LARGEST
        self._known: set[tuple[str, int]] = set()
        self._checks = Allowance(*CHECK_PACE)

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if not isinstance(data, bytes) or not data:
            return
        if data[0] > 3:
            if self._is_known((addr[0], addr[1])):
                self.receiver.data_received(data, self.local_candidate.component)
            else:
                refuse("stranger")
            return
        if reason := self._objection(data):
            refuse(reason)
            return
        try:
            super().datagram_received(data, addr)
        except Exception:  # aioice reads attributes of the wrong length as if they were right
            refuse("stun")

    def _is_known(self, address: tuple[str, int]) -> bool:
        """Whether the peer has named this address, or asked from there with our password (RFC 8445 §7.3.1.3)."""
        if address in self._known:
            return True
        pairs = self.receiver._check_list
        known = any(pair.remote_addr == address and pair.protocol is self for pair in pairs)
        if known:
            self._known.add(address)
        return known

    def _objection(self, data: bytes) -> str:
        """Why STUN is not even parsed; empty where it is. Nobody who does not know our name is answered."""
        if data[0] != REQUEST:
            return "" if data[8:20] in self.transactions else "stun"
        if f"{self.receiver.local_username}:".encode() not in data:
            return "stranger"
        return "" if self._checks.take() and len(self.receiver._check_list) < MAX_PATHS else "pace"


class LiveDtlsTransport(RTCDtlsTransport):
    """Does the work of media and data packets as they come; others wait for aiortc's task, as ever."""

    # The names of aiortc's private attributes, as Python writes them.
    _RTCDtlsTransport__handshake_done: bool
    _RTCDtlsTransport__rx_bytes: int
    _RTCDtlsTransport__rx_packets: int
    _RTCDtlsTransport__tx_bytes: int
    _RTCDtlsTransport__tx_packets: int

    async def _RTCDtlsTransport__run(self) -> None:
        connection = self.transport._connection
        self._media_pace, self._data_pace = Allowance(*MEDIA_PACE), Allowance(*DATA_PACE)
        self._sources: set[int] = set()
        self._to_queue = connection.data_received
        connection.data_received = self._arrived  # type: ignore[method-assign]
        self._unfinished: set[asyncio.Task[None]] = set()
        try:
            await super()._RTCDtlsTransport__run()  # type: ignore[misc]
        finally:
            connection.data_received = self._to_queue  # type: ignore[method-assign]

    # --- in ----------------------------------------------------------------------------------------------------------
    def _arrived(self, data: bytes, component: int) -> None:
        """In the place of `Connection.data_received`."""
        if not data or not 19 < data[0] < 192:
            return
        if data[0] > 127 and not is_rtcp(data):
            if self._media_pace.take():
                self._take_rtp(data)
            else:
                refuse("pace")
        elif not self._data_pace.take() or self.transport._connection._queue.qsize() >= MAX_QUEUED:
            refuse("pace")
        elif data[0] < 64 and self._RTCDtlsTransport__handshake_done:
            self._count_received(data)
            self._at_once(self._take_dtls(data))
        else:
            self._to_queue(data, component)

    def _count_received(self, data: bytes) -> None:
        self._RTCDtlsTransport__rx_bytes += len(data)
        self._RTCDtlsTransport__rx_packets += 1

    def _at_once(self, work: Coroutine[Any, Any, None]) -> None:
        """Does work that hardly ever has to wait, and ends the connection where it fails, as aiortc does."""
        try:
            waits_for = work.send(None)
        except StopIteration:
            return
        except ConnectionError:
            self._end()
        except Exception:
            log.exception("a packet could not be worked on")
            self._end()
        else:
            rest = asyncio.ensure_future(_finish(work, waits_for))
            self._unfinished.add(rest)
            rest.add_done_callback(self._unfinished.discard)

    def _end(self) -> None:
        """aiortc's task finds that the connection is lost."""
        self.transport._connection._queue.put_nowait(None)

    def _take_rtp(self, data: bytes) -> None:
        """As `_handle_rtp_data` does."""
        arrival_time_ms = now_ms()
        try:
            packet = parse_rtp(self._rx_srtp.unprotect(data), self._rtp_header_extensions_map)
        except (pylibsrtp.Error, ValueError):
            return refuse("rtp")  # not from our peer, or twice
        self._count_received(data)
        if packet.ssrc not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                return refuse("streams")
            self._sources.add(packet.ssrc)
        if receiver := self._rtp_router.route_rtp(packet):
            self._at_once(receiver._handle_rtp_packet(packet, arrival_time_ms=arrival_time_ms))

    async def _handle_rtcp_data(self, data: bytes) -> None:
        """Comes from our peer, or its authentication would have failed; that it makes sense is not said."""
        try:
            await super()._handle_rtcp_data(data)
        except (IndexError, KeyError, TypeError, OverflowError, ValueError, struct.error):
            refuse("rtcp")

    async def _take_dtls(self, data: bytes) -> None:
        """As `_recv_next` does. Raises ConnectionError where the other side has closed."""
        assert self._ssl
        self._ssl.bio_write(data)
        plain = b""
        closed = False
        try:
            plain = self._ssl.recv(1500)
        except SSL.ZeroReturnError:
            closed = True
        except SSL.Error:
            pass
        self._flush()
        if closed:
            raise ConnectionError
        if plain and self._data_receiver:
            await self._data_receiver._handle_data(plain)

    # --- out ---------------------------------------------------------------------------------------------------------
    async def _send_rtp(self, data: bytes) -> None:
        self._check_connected()
        self._emit(self._tx_srtp.protect_rtcp(data) if is_rtcp(data) else self._tx_srtp.protect(data))

    async def _send_data(self, data: bytes) -> None:
        self._check_connected()
        assert self._ssl
        self._ssl.send(data)
        self._flush()

    async def _write_ssl(self) -> None:
        self._flush()

    def _check_connected(self) -> None:
        if self._state is not State.CONNECTED:
            raise ConnectionError("cannot send, not connected")

    def _flush(self) -> None:
        """Sends the datagram that OpenSSL has made, if there is one."""
        assert self._ssl
        with suppress(SSL.Error):
            self._emit(self._ssl.bio_read(1500))

    def _emit(self, data: bytes) -> None:
        pair = self.transport._connection._nominated.get(1)
        if pair is None:
            raise ConnectionError("cannot send, not connected")
        pair.protocol.transport.sendto(data, pair.remote_addr)
        self._RTCDtlsTransport__tx_bytes += len(data)
        self._RTCDtlsTransport__tx_packets += 1


def now_ms() -> int:
    """Milliseconds since 1900, as `aiortc.clock.current_ms` counts them, for less: packets that came during the
    handshake are timed by that, and with two epochs in one stream no bitrate is ever estimated."""
    return time.time_ns() // 1_000_000 + NTP_EPOCH * 1000


def parse_rtp(data: bytes, extensions: HeaderExtensionsMap) -> RtpPacket:
    """As `RtpPacket.parse` does, but of most packets' extensions it only looks for the time of sending: receivers read
    nothing else. Raises ValueError."""
    if len(data) < EXTENDED_HEADER.size:
        return RtpPacket.parse(data, extensions)
    flags, kind, sequence_number, timestamp, ssrc, profile, words = EXTENDED_HEADER.unpack_from(data)
    body = EXTENDED_HEADER.size + 4 * words
    if flags != PLAIN_BUT_EXTENDED or profile != ONE_BYTE_PROFILE or body > len(data):
        return RtpPacket.parse(data, extensions)
    packet = RtpPacket(kind & 0x7F, kind >> 7, sequence_number, timestamp, ssrc, data[body:])
    wanted = extensions._HeaderExtensionsMap__ids.abs_send_time  # type: ignore[attr-defined]
    at = EXTENDED_HEADER.size
    while at < body:
        head = data[at]
        if head >> 4 == wanted and head & 0x0F == 2 and at + 4 <= body:
            packet.extensions.abs_send_time = int.from_bytes(data[at + 1 : at + 4])
            break
        at += (head & 0x0F) + 2 if head else 1  # zeros are padding
    return packet


async def _finish(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _rest(work, waits_for)


@types.coroutine
def _rest(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """What is left of a coroutine that began outside of a task, and now waits for something."""
    while True:
        try:
            yield waits_for
        except BaseException as error:
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, None)
        try:
            waits_for = go_on()
        except StopIteration:
            return


def install() -> None:
    """Every RTCPeerConnection of this process that is created from now on has such transports. Idempotent."""
    aioice.ice.StunProtocol = LiveProtocol  # type: ignore[misc]
    rtcpeerconnection.RTCDtlsTransport = LiveDtlsTransport  # type: ignore[attr-defined]
