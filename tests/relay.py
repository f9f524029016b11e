"""A poor network between two WebRTC peers: a UDP relay with rate, delay, jitter, loss (also in bursts), reordering.

    async with Relay(up=Link(loss=0.05), down=Link(rate=300_000, delay=0.02)) as relay:
        await client.connect(relay.between(offer))

Both peers know each other's media only by the relay's addresses, because it rewrites the candidates in offer and
answer. `relay.down.rate = None` changes a link while it runs.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self, cast

Address = tuple[str, int]
Offer = Callable[[str], Awaitable[str]]

CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (?P<ip>[\d.]+) (?P<port>\d+) typ host.*\r\n", re.IGNORECASE)


@dataclass
class Link:
    """One direction. Pure: says when a packet arrives; every random choice comes from `seed`."""

    rate: float | None = None
    """bit/s; None for as fast as it comes."""
    delay: float = 0.0
    """Seconds."""
    jitter: float = 0.0
    """Seconds that are added at most, evenly distributed; packets stay in order."""
    loss: float = 0.0
    """Share of packets."""
    burst: float = 1.0
    """Mean number of packets lost one after the other (Gilbert's model)."""
    gap_every: float | None = None
    """Seconds between gaps, each of exactly `gap` packets; beside `loss`."""
    gap: int = 10
    reordered: float = 0.0
    """Share of packets that come 20 ms late, behind others."""
    queue: float = 0.5
    """Seconds that packets wait for a slow link at most; what comes then is dropped."""
    seed: int = 1
    lost: int = field(default=0, init=False)
    passed: int = field(default=0, init=False)
    """Packets."""
    carried: int = field(default=0, init=False)
    """Bits that came out."""
    _free_at: float = field(default=0.0, init=False)
    _last: float = field(default=0.0, init=False)
    _losing: bool = field(default=False, init=False)
    _next_gap: float | None = field(default=None, init=False)
    _gap_left: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def arrival(self, now: float, size: int) -> float | None:
        """When a packet of `size` bytes comes out that went in `now`; None if never."""
        sent = self._transmitted(now, size)
        in_gap = self._in_gap(now)
        if sent is None or self._loses() or in_gap:
            self.lost += 1
            return None
        self.passed += 1
        self.carried += 8 * size
        at = sent + self.delay + self._random.uniform(0, self.jitter)
        if self._random.random() < self.reordered:
            return at + 0.02
        self._last = max(self._last, at)
        return self._last

    def _transmitted(self, now: float, size: int) -> float | None:
        if self.rate is None:
            self._free_at = now
            return now
        if self._free_at - now > self.queue:
            return None
        self._free_at = max(now, self._free_at) + size * 8 / self.rate
        return self._free_at

    def _loses(self) -> bool:
        ends = 1 / self.burst
        begins = self.loss * ends / (1 - self.loss)
        self._losing = self._random.random() < (1 - ends if self._losing else begins)
        return self._losing

    def _in_gap(self, now: float) -> bool:
        if self.gap_every is None:
            return False
        if self._next_gap is None:
            self._next_gap = now + self._random.uniform(0, self.gap_every)
        if now >= self._next_gap:
            self._next_gap += self.gap_every
            self._gap_left = self.gap
        self._gap_left -= 1
        return self._gap_left >= 0


class _Side(asyncio.DatagramProtocol):
    """The relay's socket towards one peer."""

    def __init__(self, link: Link) -> None:
        self.link = link
        """For what this peer sends."""
        self.peer: Address | None = None
        self.other: _Side
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # no instance of it before Python 3.12

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.peer = addr
        loop = asyncio.get_running_loop()
        at = self.link.arrival(loop.time(), len(data))
        if at is not None:
            loop.call_at(at, self.other.send, data)

    def send(self, data: bytes) -> None:
        if self.peer and not self.transport.is_closing():
            self.transport.sendto(data, self.peer)


class Relay:
    def __init__(self, up: Link | None = None, down: Link | None = None) -> None:
        """`up` is from who offers to who answers."""
        self.up, self.down = up or Link(), down or Link()
        self._offerer, self._answerer = _Side(self.up), _Side(self.down)
        self._offerer.other, self._answerer.other = self._answerer, self._offerer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for side in (self._offerer, self._answerer):
            if hasattr(side, "transport"):
                side.transport.close()

    def between(self, offer: Offer) -> Offer:
        """`offer` with the relay in the way of its media."""

        async def relayed(sdp: str) -> str:
            answer = await offer(await self._rewritten(sdp, self._offerer))
            return await self._rewritten(answer, self._answerer)

        return relayed

    async def _rewritten(self, sdp: str, side: _Side) -> str:
        """Notes where the peer behind `side` listens, and puts the socket towards the other one in its place."""
        host = CANDIDATE.search(sdp)
        assert host, f"no IPv4 host candidate over UDP in {sdp!r}"
        side.peer = (host["ip"], int(host["port"]))
        if not hasattr(side.other, "transport"):
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: side.other, (host["ip"], 0))
        ip, port = side.other.transport.get_extra_info("sockname")
        candidate = f"a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\n"
        sections = re.split(r"(?=^m=)", sdp, flags=re.MULTILINE)
        return "".join(_with_one_candidate(section, candidate) for section in sections)


def _with_one_candidate(section: str, candidate: str) -> str:
    without = re.sub(r"a=candidate:.*\r\n", "", section)
    return without + candidate if "a=candidate:" in section else without
