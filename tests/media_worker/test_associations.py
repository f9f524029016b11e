"""Two real peers over loopback, one of which does what no SCTP stack does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc.rtcsctptransport import DataChunk, SackChunk

from media_worker import associations
from media_worker.associations import MAX_AHEAD, MAX_STREAMS, LiveSctpTransport
from tests.media_worker.test_datagrams import Pair, connected

FIRST, MIDDLE, WHOLE = 2, 0, 3
"""Flags of a data chunk: begins a message, neither begins nor ends one, is one."""


@asynccontextmanager
async def associated() -> AsyncIterator[tuple[Pair, LiveSctpTransport]]:
    associations.install()
    async with connected() as pair:
        sctp = pair.there.sctp
        assert isinstance(sctp, LiveSctpTransport)
        pair.channel.send("first")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "first"
        yield pair, sctp


def data(sctp: LiveSctpTransport, ahead: int, size: int = 1, *, flags: int = MIDDLE, stream: int = 0) -> DataChunk:
    assert sctp._last_received_tsn is not None
    chunk = DataChunk()
    chunk.tsn, chunk.flags = (sctp._last_received_tsn + ahead) % 2**32, flags
    chunk.stream_id, chunk.stream_seq, chunk.protocol = stream, 9, 51
    chunk.user_data = bytes(size)
    return chunk


async def test_a_message_without_an_end_is_hung_up_on() -> None:
    async with associated() as (_, sctp):
        await sctp._receive_data_chunk(data(sctp, 1, 1200, flags=FIRST))
        with pytest.raises(ConnectionError, match="more data"):
            for _ in range(1100):
                await sctp._receive_data_chunk(data(sctp, 1, 1200))


async def test_a_message_in_tiny_pieces_is_hung_up_on() -> None:
    async with associated() as (_, sctp):
        await sctp._receive_data_chunk(data(sctp, 1, flags=FIRST))
        with pytest.raises(ConnectionError, match="tiny"):
            for _ in range(3 * MAX_AHEAD):
                await sctp._receive_data_chunk(data(sctp, 1))


async def test_far_ahead_is_as_if_it_were_lost() -> None:
    async with associated() as (pair, sctp):
        for ahead in range(2, 6 * MAX_AHEAD, 2):
            await sctp._receive_data_chunk(data(sctp, ahead))
        assert len(sctp._sack_misordered) <= MAX_AHEAD
        assert pair.there.connectionState == "connected"


async def test_only_a_few_channels_are_kept() -> None:
    async with associated() as (_, sctp):
        with pytest.raises(ConnectionError, match="channels"):
            for stream in range(MAX_STREAMS + 1):
                await sctp._receive_data_chunk(data(sctp, 1, stream=stream))


async def test_acknowledgements_of_what_was_never_sent_cost_nothing() -> None:
    async with associated() as (pair, sctp):
        sack = SackChunk()
        sack.cumulative_tsn, sack.advertised_rwnd = sctp._last_sacked_tsn, 1 << 20
        sack.gaps = [(1, 65535)] * 300
        began = time.process_time()
        await sctp._receive_sack_chunk(sack)
        assert time.process_time() - began < 0.05
        pair.channel.send("still here")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "still here"


async def test_who_is_hung_up_on_is_gone() -> None:
    async with associated() as (pair, _):
        here = pair.here.sctp
        assert here is not None
        for _ in range(1200):
            await here._send(0, 51, bytes(1200))
        for chunk in [*here._outbound_queue, *here._sent_queue]:
            chunk.flags = MIDDLE
        here._cwnd = here._ssthresh = 1 << 24
        await here._transmit()
        async with asyncio.timeout(10):
            while pair.there.connectionState == "connected":
                await asyncio.sleep(0.02)
