"""The real coturn with the very file that operators get: whom it lets in, and whom it relays to."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aioice import stun, turn
from aioice.ice import get_host_addresses

from protocol.turn_credentials import credentials
from tests.coturn import CONFIGURATION, READY, SECRET, Coturn, coturn, free_pair

OWN = [address for address in get_host_addresses(use_ipv4=True, use_ipv6=False) if not address.startswith("169.254.")]
WORKER = OWN[0] if OWN else ""

LET_THROUGH = ["8.8.8.8", "1.1.1.1", "100.63.0.1", "172.32.0.1", "193.0.0.1", "223.255.255.255"]
REFUSED = [
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.100.100.200"),
    *("169.254.169.254", "169.254.170.2", "192.0.0.192", "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3"),
    *("198.18.0.1", "203.0.113.1", "224.0.0.251", "239.1.2.3", "240.0.0.1", "255.255.255.255"),
]
LET_THROUGH_V6 = ["2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"]
REFUSED_V6 = [
    *("::1", "::", "::2", "::a9fe:a9fe", "::ffff:169.254.169.254", "::ffff:8.8.8.8"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("fd00:ec2::254", "fc00::1", "fe80::1", "fec0::1", "ff02::fb", "2001:db8::1", "2001::1", "2002:a9fe:a9fe::1"),
]  # fmt: skip


class Received(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.data: asyncio.Queue[bytes] = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self.data.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class Allocation:
    """A relay of a client."""

    def __init__(self, transport: turn.TurnTransport, received: Received) -> None:
        self._client = transport._TurnTransport__inner_protocol  # type: ignore[attr-defined]
        self._transport, self.received = transport, received

    async def refusal(self, peer: str) -> int | None:
        """The error code with which a peer is refused; None where it is let through."""
        try:
            await self._client.channel_bind(self._client.channel_number, (peer, 9))
        except stun.TransactionFailed as error:
            return error.response.error_code
        self._client.channel_number += 1
        return None

    def send(self, data: bytes, peer: tuple[str, int]) -> None:
        self._transport.sendto(data, peer)


@asynccontextmanager
async def allocation(
    server: tuple[str, int], *, secret: str = SECRET, lifetime: float = 60, trust: Path | None = None, tcp: bool = False
) -> AsyncIterator[Allocation]:
    username, password = credentials(secret, "s-1", time.time() + lifetime)
    tls = ssl.create_default_context(cafile=trust) if trust else None
    transport, received = await turn.create_turn_endpoint(
        Received, server, username, password, ssl=tls, transport="tcp" if tls or tcp else "udp"
    )
    try:
        yield Allocation(transport, received)
    finally:
        transport.close()
        await received.lost.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    folder = tmp_path_factory.mktemp("coturn")
    allowed = [f"--allowed-peer-ip={WORKER}"] if WORKER else []
    with coturn(folder, "127.0.0.1", *allowed, port=free_pair(), relay=WORKER or None) as running:
        yield running


async def test_private_and_metadata_addresses_are_no_peers(server: Coturn) -> None:
    async with allocation((server.address, server.port)) as client:
        assert {peer: await client.refusal(peer) for peer in REFUSED if peer != WORKER} == dict.fromkeys(
            (peer for peer in REFUSED if peer != WORKER), 403
        )
        assert {peer: await client.refusal(peer) for peer in LET_THROUGH} == dict.fromkeys(LET_THROUGH)


async def test_nor_are_those_of_ipv6(tmp_path: Path) -> None:
    try:
        port = free_pair()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", port))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with coturn(tmp_path, "::1", "--allocation-default-address-family=keep", port=port):
        async with allocation(("::1", port)) as client:
            assert {peer: await client.refusal(peer) for peer in REFUSED_V6} == dict.fromkeys(REFUSED_V6, 403)
            assert {peer: await client.refusal(peer) for peer in LET_THROUGH_V6} == dict.fromkeys(LET_THROUGH_V6)


async def test_the_list_of_nothing_but_workers_is_as_tight_as_it_says(tmp_path: Path) -> None:
    lines = re.findall(r"^# {5}(denied-peer-ip=\S+)", CONFIGURATION.read_text("utf-8"), re.M)
    assert len(lines) == 2, "one a family"
    port = free_pair()
    options = [*(f"--{line}" for line in lines), "--allowed-peer-ip=8.8.8.8"]
    with coturn(tmp_path, "127.0.0.1", *options, port=port):
        async with allocation(("127.0.0.1", port)) as client:
            refused = {peer: await client.refusal(peer) for peer in LET_THROUGH}
    assert refused == {**dict.fromkeys(LET_THROUGH, 403), "8.8.8.8": None}


@pytest.mark.skipif(not WORKER, reason="this machine has no address but loopback, to be a worker's")
@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_an_allowed_worker_is_reached_by_all_ways(server: Coturn, way: str) -> None:
    loop = asyncio.get_running_loop()
    listening, worker = await loop.create_datagram_endpoint(Received, local_addr=(WORKER, 0))
    port = server.tls_port if way == "tls" else server.port
    trust = server.certificate if way == "tls" else None
    try:
        async with allocation((server.address, port), trust=trust, tcp=way == "tcp") as client, asyncio.timeout(5):
            client.send(b"polish", listening.get_extra_info("sockname"))
            assert await worker.data.get() == b"polish"
    finally:
        listening.close()


@pytest.mark.parametrize(("secret", "lifetime"), [("another secret altogether", 60), (SECRET, -60)])
async def test_wrong_and_expired_credentials_get_no_relay(server: Coturn, secret: str, lifetime: float) -> None:
    with pytest.raises(stun.TransactionFailed, match="401"):
        async with allocation((server.address, server.port), secret=secret, lifetime=lifetime):
            raise AssertionError("it relays")


async def test_a_relay_outlives_its_credentials(server: Coturn) -> None:
    async with allocation((server.address, server.port), lifetime=1) as client:
        await asyncio.sleep(1.1)
        assert await client.refusal("8.8.8.8") is None


def test_every_line_is_known_to_coturn_and_none_denies_all_of_ipv4(server: Coturn) -> None:
    told = server.log.read_text("utf-8", "replace").partition(READY)[0]
    assert not re.search(r"(?i)bad configuration|warning|error", told), told
    ranges = re.findall(r"^#? *denied-peer-ip=(\S+)", CONFIGURATION.read_text("utf-8"), re.M)
    assert len(ranges) > 20
    assert not [each for each in ranges if each == "::" or each.startswith("::-")]
