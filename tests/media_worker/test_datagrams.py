"""Packets, and two real peers over loopback, both with our transports."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aioice.stun
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, clock
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from media_worker import datagrams, refusals, worker
from media_worker.datagrams import LiveDtlsTransport, LiveProtocol, parse_rtp


class Pair:
    """`here` calls `there`, with a data channel."""

    def __init__(self) -> None:
        datagrams.install()
        self.here, self.there = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
        self.channel = self.here.createDataChannel("tryon")
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.there.on("datachannel", lambda channel: channel.on("message", self.heard.put_nowait))

    async def connect(self) -> None:
        opened = asyncio.Event()
        self.channel.on("open", opened.set)
        await self.here.setLocalDescription(await self.here.createOffer())
        await self.there.setRemoteDescription(_copy(self.here))
        await self.there.setLocalDescription(await self.there.createAnswer())
        await self.here.setRemoteDescription(_copy(self.there))
        await opened.wait()

    @property
    def transport(self) -> LiveDtlsTransport:
        assert self.there.sctp
        assert isinstance(self.there.sctp.transport, LiveDtlsTransport)
        return self.there.sctp.transport


def _copy(peer: RTCPeerConnection) -> RTCSessionDescription:
    return RTCSessionDescription(sdp=peer.localDescription.sdp, type=peer.localDescription.type)


@asynccontextmanager
async def connected() -> AsyncIterator[Pair]:
    pair = Pair()
    try:
        async with asyncio.timeout(10):
            await pair.connect()
        yield pair
    finally:
        await asyncio.gather(pair.here.close(), pair.there.close())


async def test_packets_do_not_go_through_the_queue_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as pair:
        pair.channel.send("first")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "first"
        connection = pair.transport.transport._connection
        assert all(isinstance(protocol, LiveProtocol) for protocol in connection._protocols)
        queued: list[Any] = []
        monkeypatch.setattr(connection._queue, "put_nowait", queued.append)
        before = _received(pair.transport)
        for number in range(20):
            pair.channel.send(f"{number}" * 3000)
        assert len([await asyncio.wait_for(pair.heard.get(), 5) for _ in range(20)]) == 20
        assert _received(pair.transport) >= before + 20
        assert not queued
        monkeypatch.undo()


def _received(transport: LiveDtlsTransport) -> int:
    return sum(stats.packetsReceived for stats in transport._get_stats().values())


def test_packets_are_timed_by_the_clock_that_times_those_of_the_handshake() -> None:
    assert abs(datagrams.now_ms() - clock.current_ms()) < 1000


async def test_they_do_on_the_workers_event_loop() -> None:
    async def talk() -> str | bytes:
        async with connected() as pair:
            pair.channel.send("hello")
            return await asyncio.wait_for(pair.heard.get(), 5)

    def on_its_own_loop() -> str | bytes:
        with asyncio.Runner(loop_factory=worker.new_event_loop) as runner:
            return runner.run(talk())

    assert await asyncio.to_thread(on_its_own_loop) == "hello"


async def test_a_peer_that_says_goodbye_is_gone_at_once() -> None:
    async with connected() as pair:
        await pair.here.close()
        async with asyncio.timeout(5):
            while pair.there.connectionState != "closed":
                await asyncio.sleep(0.01)


def extended(value: bytes, *, profile: int = 0xBEDE, flags: int = 0x90, words: int | None = None) -> bytes:
    head = struct.pack("!BBHLLHH", flags, 0x80 | 99, 65000, 4_000_000_000, 77, profile, words or len(value) // 4)
    return head + value + b"payload!\x03"


@pytest.mark.parametrize(
    "data",
    [
        extended(b"\x32abc"),
        extended(b"\x10\x30\x32abc\x00\x00"),  # mid and time
        extended(b"\x00\x00\x32abc\x51de\x00\x00\x00"),
        extended(b"\x51de\x00"),  # no time
        extended(b""),
        extended(b"\x03\x03abc\x00\x00\x00", profile=0x1000),  # two-byte headers
        extended(b"\x32abc", flags=0xB0),  # padding
        extended(b"\x32abc", flags=0x91)[:12] + b"from" + extended(b"\x32abc")[12:],  # a contributing source
        b"\x80\x60" + bytes(10) + b"payload",  # no extension
        b"\x80\x60" + bytes(10),
    ],
)
def test_packets_are_parsed_as_aiortc_does(data: bytes) -> None:
    extensions = HeaderExtensionsMap()
    uri = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    extensions.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=3, uri=uri)]))
    ours, theirs = parse_rtp(data, extensions), RtpPacket.parse(data, extensions)
    assert vars(ours) == vars(theirs)


@pytest.mark.parametrize("data", [b"", bytes(11), b"\x90" + bytes(12), extended(b"\x32abc", words=9)])
def test_broken_packets_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTP packet"):
        parse_rtp(data, HeaderExtensionsMap())


@pytest.mark.parametrize("value", [b"\x32ab", b"\xff\xff\xff\xff", b"\x3fab\x00"])
def test_extensions_that_end_too_early_tell_nothing(value: bytes) -> None:
    padded = value + bytes(-len(value) % 4)
    assert parse_rtp(extended(padded), HeaderExtensionsMap()).payload == b"payload!\x03"


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x60" + bytes(40), b"\x80\xc8" + bytes(40), b"\x17" + bytes(40)])
async def test_what_is_not_from_the_peer_is_not_heard(data: bytes) -> None:
    async with connected() as pair:
        pair.transport._arrived(data, 1)
        pair.channel.send("still here")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "still here"


async def test_a_packet_that_we_cannot_work_on_ends_the_connection_as_in_aiortc() -> None:
    async with connected() as pair:

        async def broken(data: bytes) -> None:
            raise ZeroDivisionError

        pair.transport._take_dtls = broken  # type: ignore[method-assign]
        pair.channel.send("?")
        async with asyncio.timeout(5):
            while pair.transport.state != "closed":
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("fails", [False, True])
async def test_work_that_has_to_wait_is_finished_later(fails: bool) -> None:
    order: list[str] = []

    async def work() -> None:
        order.append("begun")
        await asyncio.sleep(0.01)
        try:
            await asyncio.wait_for(asyncio.sleep(5 if fails else 0), 0.02)
        except TimeoutError:
            order.append("given up")
        order.append("done")

    async with connected() as pair:
        job: Coroutine[Any, Any, None] = work()
        pair.transport._at_once(job)
        order.append("back")
        async with asyncio.timeout(5):
            while "done" not in order:
                await asyncio.sleep(0.01)
        assert order == ["begun", "back", *(["given up"] if fails else []), "done"]


# --- strangers -------------------------------------------------------------------------------------------------------
def refused(reason: str) -> float:
    value: float = refusals.PACKETS_REFUSED.labels(reason)._value.get()
    return value


def protocol_of(pair: Pair) -> LiveProtocol:
    """The socket of `there` that the two talk through."""
    protocol = pair.transport.transport._connection._nominated[1].protocol
    assert isinstance(protocol, LiveProtocol)
    return protocol


def asked(pair: Pair, **attributes: Any) -> aioice.stun.Message:
    """A binding request as somebody sends it who has read the SDP."""
    connection = pair.transport.transport._connection
    message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    message.attributes = {"USERNAME": f"{connection.local_username}:{connection.remote_username}", **attributes}
    return message


class Stranger:
    """Another socket on this machine, that sends to the port of `there`."""

    def __init__(self, pair: Pair) -> None:
        self.to = protocol_of(pair).transport.get_extra_info("sockname")[:2]
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.to[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.to)

    def heard(self) -> bytes | None:
        try:
            return self.socket.recv(2000)
        except BlockingIOError:
            return None


@asynccontextmanager
async def with_stranger() -> AsyncIterator[tuple[Pair, Stranger]]:
    async with connected() as pair:
        stranger = Stranger(pair)
        try:
            yield pair, stranger
        finally:
            stranger.socket.close()


@pytest.mark.parametrize(
    "data", [b"\x80\x60" + bytes(40), b"\x80\xc8" + bytes(40), b"\x16\xfe\xfd" + bytes(40), b"\xff"]
)
async def test_packets_from_elsewhere_are_turned_away_unseen(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async with with_stranger() as (pair, stranger):
        seen: list[bytes] = []
        connection = pair.transport.transport._connection
        with monkeypatch.context() as patch:
            patch.setattr(connection, "data_received", lambda data, component: seen.append(data))
            before = refused("stranger")
            stranger.send(data)
            await asyncio.sleep(0.05)
        assert data not in seen and refused("stranger") == before + 1
        pair.channel.send("still here")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "still here"


async def test_who_does_not_know_our_name_is_not_answered() -> None:
    async with with_stranger() as (pair, stranger):
        stranger.send(bytes(asked(pair, USERNAME="nobody:somebody")))
        await asyncio.sleep(0.05)
        assert stranger.heard() is None


async def test_who_knows_it_but_not_the_password_is_told_so_at_a_bounded_pace() -> None:
    async with with_stranger() as (pair, stranger):
        before = refused("pace")
        for _ in range(400):
            stranger.send(bytes(asked(pair)))
        await asyncio.sleep(0.2)
        answers = 0
        while stranger.heard():
            answers += 1
        assert 0 < answers <= datagrams.CHECK_PACE[1] + 50
        assert refused("pace") > before
        assert len(pair.transport.transport._connection._check_list) < 20


@pytest.mark.parametrize(
    "attribute",
    [struct.pack("!HH", 0x24, 2) + bytes(4), struct.pack("!HH", 0x802A, 3) + bytes(4), struct.pack("!HH", 0x24, 999)],
)
async def test_attributes_of_the_wrong_length_do_no_harm(attribute: bytes) -> None:
    """aioice 0.13 unpacks them without a look, and asyncio logs a traceback for each packet."""
    async with with_stranger() as (pair, stranger):
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
        before, message = refused("stun"), bytes(asked(pair))
        body = message[20:] + attribute
        stranger.send(message[:2] + struct.pack("!H", len(body)) + message[4:20] + body)
        await asyncio.sleep(0.05)
        assert not failures and refused("stun") == before + 1


async def test_who_proves_to_be_our_peer_is_heard_from_another_address() -> None:
    async with with_stranger() as (pair, moved):
        connection = pair.transport.transport._connection
        request = asked(pair, PRIORITY=1)
        request.add_message_integrity(connection.local_password.encode())
        moved.send(bytes(request))
        await asyncio.sleep(0.05)
        assert moved.heard()
        before = refused("stranger")
        moved.send(b"\x16\xfe\xfd" + bytes(40))
        await asyncio.sleep(0.05)
        assert refused("stranger") == before


async def test_a_peer_that_sends_too_much_is_heard_at_a_bounded_pace() -> None:
    async with connected() as pair:
        before = refused("pace"), refused("rtp")
        for _ in range(3000):
            pair.transport._arrived(b"\x80\x60" + bytes(40), 1)
        assert refused("rtp") - before[1] == pytest.approx(datagrams.MEDIA_PACE[1], abs=300)
        assert refused("pace") > before[0]


@pytest.mark.parametrize("data", [b"\x81\xc8\x00\x00", b"\x9f\xca\x00\x01abcd", b"\x8f\xce\x00\x02" + bytes(8)])
async def test_rtcp_that_makes_no_sense_is_left_alone(data: bytes) -> None:
    async with connected() as pair:
        await pair.transport._handle_rtcp_data(data)
        assert pair.transport.state == "connected"
