"""One WebRTC connection of a session: owns one RTCPeerConnection and everything that hangs on it.

aiortc reports a lost peer only when ICE consent expires (about 30 s), so this module watches the packets itself:
a peer that is silent for PEER_SILENCE_TIMEOUT is gone, and everything it held is freed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from aiortc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCDtlsTransport,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from media_worker import sdp
from media_worker.capture_clock import CaptureClock
from media_worker.channel import Channel
from media_worker.ice import IceOptions
from media_worker.measures import CONNECT_SECONDS, PEERS, linked
from media_worker.sending import LiveSender
from media_worker.session import Session
from media_worker.transform_track import TransformTrack
from protocol import limits
from protocol.errors import BadSdp, LacquerError, Replaced
from protocol.internal import Role
from protocol.messages import LinkReport, Message, Metadata

log = structlog.get_logger(__name__)

CHANNEL_LABEL = "tryon"
WATCH_INTERVAL = 1.0
PC_CLOSE_TIMEOUT = 3.0
METADATA_INTERVAL = 1.0
"""Seconds between two `metadata` over a link that carries only a smaller picture."""

HIGH_WATER = 256 * 1024
"""Bytes buffered in a data channel above which the writer waits."""


class DataChannelTransport:
    """An RTCDataChannel as `channel.Transport`: sends wait while too much is buffered."""

    def __init__(self, data_channel: RTCDataChannel, max_message_size: int) -> None:
        self.max_message_size = max_message_size
        self._data_channel = data_channel
        self._room = asyncio.Event()
        data_channel.bufferedAmountLowThreshold = HIGH_WATER // 2
        data_channel.on("bufferedamountlow", self._room.set)
        data_channel.on("close", self._room.set)

    async def send(self, data: str | bytes) -> None:
        if self._data_channel.readyState != "open":
            raise ConnectionError("the data channel is closed")
        self._data_channel.send(data)
        while self._data_channel.bufferedAmount > HIGH_WATER and self._data_channel.readyState == "open":
            self._room.clear()
            await self._room.wait()


class Peer:
    """A browser's connection. Create with `answer`; `close` frees it all and detaches from the session."""

    kind = "peer"
    role = Role.TWO_WAY

    def __init__(self, session: Session, ice: IceOptions) -> None:
        self.id = secrets.token_urlsafe(12)
        self.session = session
        self._began = time.monotonic()
        self._ice = ice
        self._pc = RTCPeerConnection(ice.configuration(session.id))
        self._summary: sdp.OfferSummary | None = None
        self._track: TransformTrack | None = None
        self._sender: RTCRtpSender | None = None
        self._told_at = 0.0
        """When the last `metadata` went over a poor link."""
        self._channel: Channel | None = None
        self._trickled = 0
        """Candidates that came after the offer."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._negotiating = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", self._on_data_channel)
        self._pc.on("connectionstatechange", self._on_state)

    # --- offer and answer ------------------------------------------------------------------------------------------
    async def answer(self, offer: str) -> str:
        """The SDP answer to a client's offer, with all candidates of ours.

        Raises BadSdp, Replaced, AtCapacity where no port is free, and what `attach` does; then the peer is closed.
        """
        offer = self._completed(offer)
        try:
            self._summary = self._read(offer)
            await self._attach()
            async with self._negotiating:
                if self._closing:
                    raise Replaced  # by a third one, while the second waited for the first to go
                answer = await self._negotiate(offer)
        except BaseException as error:
            await self.close(error if isinstance(error, LacquerError) else None)
            raise
        self._keep(self._watch())
        return self._finished(sdp.with_mux_only(answer))

    # What publishers and viewers (`publisher.py`, `viewer.py`) do otherwise:
    def _completed(self, offer: str) -> str:
        return sdp.with_bundled_transports(offer)

    def _read(self, offer: str) -> sdp.OfferSummary:
        return sdp.read_offer(offer)

    async def _attach(self) -> None:
        await self.session.attach(self)

    async def _detach(self) -> None:
        await self.session.detach(self)

    def _finished(self, answer: str) -> str:
        return sdp.with_start_bitrate(answer)

    async def _negotiate(self, offer: str) -> str:
        try:
            known = sdp.with_candidates_at(offer, self._ice.peers.may_name)
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp=known, type="offer"))
            self._ice.apply(transport.transport for transport in self._dtls_transports())
            self._choose_media()
            description = await self._pc.createAnswer()
            await self._pc.setLocalDescription(description)
        except LacquerError:
            raise
        except Exception as error:  # aiortc answers a bad offer with whatever its own code comes upon
            log.info("offer refused", session=self.session.id, error=repr(error))
            raise BadSdp(f"the offer cannot be answered: {error!s:.120}") from error
        return self._pc.localDescription.sdp

    def _choose_media(self) -> None:
        """Audio and further video lines are answered `inactive`; a track nobody reads would leak."""
        for transceiver in self._pc.getTransceivers():
            if self._track is None or transceiver.sender.track is not self._track:
                transceiver.direction = "inactive"

    async def add_candidates(self, fragment: str) -> None:
        """Trickled candidates. Raises BadSdp, and Unsupported for an ICE restart."""
        sdp.check_fragment(fragment, self._summary.credentials if self._summary else ())
        candidates = sdp.read_fragment(sdp.with_candidates_at(fragment, self._ice.peers.may_name))
        self._trickled += sum(candidate is not None for candidate in candidates)
        if self._trickled > sdp.MAX_CANDIDATES:
            raise BadSdp(f"over {sdp.MAX_CANDIDATES} candidates came for this connection")
        try:
            for candidate in candidates:
                await self._pc.addIceCandidate(candidate)
        except Exception as error:  # as with offers: whatever its own code comes upon
            log.info("candidates refused", session=self.session.id, error=repr(error))
            raise BadSdp(f"the candidates cannot be taken: {error!s:.120}") from error

    # --- what the peer sends ---------------------------------------------------------------------------------------
    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video" and self._track is None:
            clock = CaptureClock()
            clock.listen(next(receiver for receiver in self._pc.getReceivers() if receiver.track is track))
            self._track = TransformTrack(self.session, track, self._fail, clock)
            self._use(self._track)

    def _use(self, track: TransformTrack) -> None:
        """The processed picture goes back where the camera's came from."""
        self._sender = self._pc.addTrack(track)
        if isinstance(self._sender, LiveSender):
            self._sender.wished = lambda: self.session.settings.quality
            self._sender.on_fault = self._fail

    def _on_data_channel(self, data_channel: RTCDataChannel) -> None:
        unwanted = data_channel.label != CHANNEL_LABEL or self._channel is not None
        if unwanted or self._summary is None or self._closing is not None:
            data_channel.close()
            return
        transport = DataChannelTransport(data_channel, self._summary.max_message_size)
        channel = Channel(self.session, transport, self._hear_of_link)
        self._channel = channel
        data_channel.on("message", channel.receive)
        channel.start(closes_when_silent=False)
        self._keep(self._close_when_left(channel))

    def _hear_of_link(self, report: LinkReport) -> None:
        linked(report)
        if isinstance(self._sender, LiveSender):
            self._sender.rates.link(time.monotonic(), report)

    def tell(self, message: Message) -> None:
        if self._channel and not (isinstance(message, Metadata) and self._is_too_much()):
            self._channel.tell(message)

    def _is_too_much(self) -> bool:
        """Whether one more `metadata` would take from a poor link what its picture needs: five nails' outlines, told
        with each frame, are over 500 kbit/s."""
        if not isinstance(self._sender, LiveSender) or not self._sender.rates.reduced:
            return False
        now = time.monotonic()
        if now - self._told_at < METADATA_INTERVAL:
            return True
        self._told_at = now
        return False

    def _fail(self) -> None:
        """A fault of ours froze the picture: the client shall connect anew."""
        self._keep(self.close(LacquerError()))

    # --- life ------------------------------------------------------------------------------------------------------
    def _on_state(self) -> None:
        log.info("peer", session=self.session.id, peer=self.id, state=self._pc.connectionState)
        if self._pc.connectionState == "connected":
            PEERS.labels("connected").inc()
            CONNECT_SECONDS.observe(time.monotonic() - self._began)
        elif self._pc.connectionState == "failed":
            PEERS.labels("failed").inc()
        if self._pc.connectionState in ("failed", "closed"):
            self._keep(self.close(None))

    async def _close_when_left(self, channel: Channel) -> None:
        await channel.left.wait()
        self._keep(self.close(channel.reason))

    async def _watch(self) -> None:
        """Ends the peer when it does not connect in time, or when no packet came for too long."""
        started = last_change = time.monotonic()
        packets = -1
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            now = time.monotonic()
            received = self._packets_received()
            if received != packets:
                packets, last_change = received, now
            connected = self._pc.connectionState == "connected"
            if not connected and now - started > limits.PEER_CONNECT_TIMEOUT:
                log.info("peer never connected", session=self.session.id, peer=self.id)
                PEERS.labels("never_connected").inc()
            elif connected and now - last_change > limits.PEER_SILENCE_TIMEOUT:
                log.info("peer is silent", session=self.session.id, peer=self.id)
                PEERS.labels("silent").inc()
            else:
                continue
            self._keep(self.close(None))
            return

    def _packets_received(self) -> int:
        """Packets of every kind (RTP, RTCP, DTLS with data) that came in so far.

        aiortc's public getStats leaves out peers that only have a data channel, so its transports are asked with the
        method that getStats itself uses (1.16; tests/media_worker/test_aiortc_seams.py watches it).
        """
        every = [stats for transport in self._dtls_transports() for stats in transport._get_stats().values()]
        return sum(stats.packetsReceived for stats in every)

    def _dtls_transports(self) -> set[RTCDtlsTransport]:
        transports = {transceiver.receiver.transport for transceiver in self._pc.getTransceivers()}
        return transports | {self._pc.sctp.transport} if self._pc.sctp else transports

    def _keep(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, error: LacquerError | None) -> None:
        """Tells the client why, if there is a reason, and frees everything. Idempotent; later callers await."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(error))
        await asyncio.shield(self._closing)

    async def _close(self, error: LacquerError | None) -> None:
        if self._channel:
            await self._channel.close(error)
        if self._track:
            await self._track.close()
        try:
            # Not while aiortc still opens sockets for the answer: those would stay open.
            async with self._negotiating, asyncio.timeout(PC_CLOSE_TIMEOUT):
                await self._pc.close()
        except TimeoutError:
            log.error("RTCPeerConnection.close() hangs; it is abandoned", session=self.session.id, peer=self.id)
        except Exception:  # aiortc closes whatever a strange offer made of it; the slot must come free all the same
            log.exception("RTCPeerConnection.close() failed", session=self.session.id, peer=self.id)
        await self._detach()
        log.info("peer closed", session=self.session.id, peer=self.id, reason=error.code if error else None)
        # Whoever waits for this close among them is cancelled in that wait, which is the end of its work anyway.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
