"""Offers that go all the way: aiortc answers them, or a LacquerError does; then the connection is closed."""

from __future__ import annotations

import asyncio
import random
import sys

from aiortc import RTCPeerConnection

from media_worker import associations, codecs, datagrams, receiving, sending
from media_worker.ice import IceOptions
from media_worker.peer import Peer
from protocol import logs
from protocol.errors import LacquerError
from tests.fuzz import seeds
from tests.fuzz.campaign import Watch, report
from tests.media_worker.fakes import FakePipeline, session


def main() -> None:
    from media_worker import session as sessions  # noqa: PLC0415

    vars(sessions)["Pipeline"] = FakePipeline  # no model is needed
    logs.configure("console", "ERROR")
    for each in (associations, codecs, datagrams, receiving, sending):
        each.install()
    count, chance = int(sys.argv[3]), random.Random(3)
    with asyncio.Runner() as runner:
        watch = Watch("answers", count, lambda data: runner.run(answered(data.decode(errors="replace"))))
        for _ in range(count):
            watch.feed(seeds.mutated_lines(chance.choice(seeds.offers()), chance))
        report(watch.done())


async def answered(offer: str) -> bool:
    """Whether it was. Raises AssertionError for a connection that cannot be closed, and would keep its sockets."""
    peer, closed = Peer(session(), IceOptions()), RTCPeerConnection.close
    failures: list[Exception] = []

    async def close(connection: RTCPeerConnection) -> None:
        try:
            await closed(connection)
        except Exception as error:
            failures.append(error)
            raise

    RTCPeerConnection.close = close  # type: ignore[method-assign,assignment]
    try:
        return await _answered(peer, offer)
    finally:
        RTCPeerConnection.close = closed  # type: ignore[method-assign]
        assert not failures, failures


async def _answered(peer: Peer, offer: str) -> bool:
    try:
        answer = await peer.answer(offer)
        assert answer.startswith("v=0")
        await peer.add_candidates(f"a=mid:0\r\n{seeds.CANDIDATE}\r\n")
    except LacquerError as error:
        assert error.code in ("bad_sdp", "unsupported"), error.code
        return False
    finally:
        await peer.close(None)
    return True


if __name__ == "__main__":
    main()
