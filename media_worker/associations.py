"""The one place where aiortc's SCTP, which carries data channels, is bent: what a peer can make it hold and work on.

aiortc tells a peer how much room there is, and takes what comes all the same. One that ignores the room, or answers for
data that was never sent, would cost gigabytes, or seconds of the event loop for each packet. Such a peer is hung up on.

Seam: aiortc 1.16's `RTCPeerConnection` makes associations from the name `RTCSctpTransport` in its module, and these
give each chunk to `_receive_data_chunk` or `_receive_sack_chunk`. `tests/media_worker/test_aiortc_seams.py` fails when
an upgrade changes what this relies on.
"""

from __future__ import annotations

import structlog
from aiortc import rtcpeerconnection
from aiortc.rtcsctptransport import DataChunk, InboundStream, RTCSctpTransport, SackChunk

log = structlog.get_logger(__name__)

MAX_STREAMS = 64
"""Data channels that a peer may open, one after the other. We use one; aiortc keeps what it knows of each."""

MAX_AHEAD = 1024
"""Chunks after a missing one that are kept, while it is sent again: what fits the megabyte that is offered to peers.
Each further one would cost more, as aiortc sorts them for every packet."""

OVERDRAFT = 128 * 1024
"""Bytes over that megabyte that may be on their way while a peer hears of the room."""


class LiveSctpTransport(RTCSctpTransport):
    """Raises ConnectionError, which ends the connection, where a peer does what no SCTP stack does."""

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        assert self._last_received_tsn is not None
        if MAX_AHEAD < (chunk.tsn - self._last_received_tsn) % 2**32 < 2**31:
            return  # as if it were lost
        await super()._receive_data_chunk(chunk)
        if self._advertised_rwnd < -OVERDRAFT:
            self._hang_up("more data than there is room for")
        stream = self._inbound_streams.get(chunk.stream_id)
        if stream and len(stream.reassembly) > 2 * MAX_AHEAD:
            self._hang_up("a message in tiny pieces")

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        """Of what arrived after a gap, only what was sent can be true: positions beyond are cut off before aiortc
        writes down each of them. 300 gaps of 65,535 fit a packet, and took over a second."""
        sent = len(self._sent_queue)
        gaps = [(first, min(last, sent)) for first, last in chunk.gaps if first <= min(last, sent)]
        if sum(last - first + 1 for first, last in gaps) > 2 * sent:
            self._hang_up("acknowledgements that overlap")
        chunk.gaps = gaps
        await super()._receive_sack_chunk(chunk)

    def _get_inbound_stream(self, stream_id: int) -> InboundStream:
        if stream_id not in self._inbound_streams and len(self._inbound_streams) >= MAX_STREAMS:
            self._hang_up("more data channels than any page opens")
        return super()._get_inbound_stream(stream_id)

    def _hang_up(self, reason: str) -> None:
        log.warning("a peer is hung up on", reason=reason)
        raise ConnectionError(reason)


def install() -> None:
    """Every RTCPeerConnection of this process that is created from now on has such associations. Idempotent."""
    rtcpeerconnection.RTCSctpTransport = LiveSctpTransport  # type: ignore[attr-defined]
