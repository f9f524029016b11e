"""Gathering and checks between real connections of aioice, on this machine's own addresses."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aioice import Connection
from aioice.ice import get_host_addresses
from aiortc import RTCIceGatherer
from aiortc.rtcicetransport import RTCIceTransport
from pydantic import ValidationError

from media_worker import ice
from media_worker.ice import IceOptions, OwnRelay
from media_worker.ice_peers import IcePeers
from media_worker.public_addresses import PublicAddresses
from media_worker.settings import WorkerSettings
from media_worker.udp_ports import UdpPorts
from protocol.errors import AtCapacity
from protocol.turn_credentials import credentials
from tests.coturn import SECRET as COTURN_SECRET
from tests.coturn import Coturn, coturn, free_pair
from tests.media_worker.fakes import free_ports

SECRET = "a secret that coturn knows, too"
OWN = get_host_addresses(use_ipv4=True, use_ipv6=True)
pytestmark = pytest.mark.skipif(not OWN, reason="this machine has no address but loopback")

Make = Callable[..., Connection]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """A worker's connection, not gathered yet."""
    async with AsyncExitStack() as stack:

        def one(**options: Any) -> Connection:
            made = IceOptions(**options)
            gatherer = RTCIceGatherer(made.configuration("s-1").iceServers)
            made.apply([RTCIceTransport(gatherer)])
            stack.push_async_callback(gatherer._connection.close)
            return gatherer._connection

        yield one


@pytest.fixture
async def client() -> AsyncIterator[Connection]:
    connection = Connection(ice_controlling=True)
    await connection.gather_candidates()
    yield connection
    await connection.close()


async def introduce(one: Connection, other: Connection, *, names: bool = True) -> None:
    """Tells `one` of the other's password and, with `names`, of its candidates."""
    one.remote_username, one.remote_password = other.local_username, other.local_password
    for candidate in other.local_candidates if names else []:
        await one.add_remote_candidate(candidate)
    if names:
        await one.add_remote_candidate(None)


@asynccontextmanager
async def on_another_thread(starting: AbstractContextManager[Coturn]) -> AsyncIterator[Coturn]:
    """Processes are waited for, which would block the event loop."""
    server = await asyncio.to_thread(starting.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


def told(connection: Connection) -> list[str]:
    return [candidate.host for candidate in connection.local_candidates]


async def test_all_addresses_are_offered_with_the_port_that_is_listened_at(make: Make) -> None:
    connection = make()
    await connection.gather_candidates()
    assert told(connection) == OWN
    assert all(candidate.type == "host" and candidate.port for candidate in connection.local_candidates)


@pytest.mark.parametrize(
    ("addresses", "offered"), [([OWN[0], "192.0.2.1"] if OWN else [], OWN[:1]), (["192.0.2.1"], OWN)]
)
async def test_only_chosen_addresses_are_offered_but_never_none(
    make: Make, addresses: list[str], offered: list[str]
) -> None:
    connection = make(addresses=addresses)
    await connection.gather_candidates()
    assert told(connection) == offered
    assert len(connection._protocols) == len(offered), "the others have no socket"


async def test_every_socket_is_in_the_range_until_it_is_full(make: Make) -> None:
    ports = free_ports(3, OWN[0])
    connections = [make(ports=ports, addresses=OWN[:1]) for _ in range(4)]
    for connection in connections[:3]:
        await connection.gather_candidates()
    used = {candidate.port for connection in connections for candidate in connection.local_candidates}
    assert used == set(range(ports.first, ports.last + 1))
    with pytest.raises(AtCapacity, match=f"all UDP ports from {ports.first} to {ports.last}"):
        await connections[3].gather_candidates()
    await connections[0].close()
    assert not connections[3]._protocols


async def test_a_public_address_is_offered_and_connects_by_itself(make: Make, client: Connection) -> None:
    """The client cannot reach that address from here, but is asked by the worker, and that way answers."""
    worker = make(public=PublicAddresses.parse(f"203.0.113.7/{OWN[0]}"), addresses=OWN[:1])
    await worker.gather_candidates()
    assert told(worker) == ["203.0.113.7"]
    await introduce(worker, client)
    await introduce(client, worker)
    async with asyncio.timeout(5):
        await asyncio.gather(worker.connect(), client.connect())
    await worker.send(b"polish")
    assert await client.recv() == b"polish"


async def test_who_may_not_ask_gets_no_answer(make: Make, client: Connection) -> None:
    worker = make(peers=IcePeers.of(IcePeers.parse("203.0.113.0/24"), OWN))
    await worker.gather_candidates()
    await introduce(client, worker)
    await introduce(worker, client, names=False)
    tasks = [asyncio.create_task(each.connect()) for each in (worker, client)]
    await asyncio.wait(tasks, timeout=0.4)
    assert worker.remote_candidates == [] and client._nominated == {}
    await asyncio.gather(worker.close(), client.close())
    for task in tasks:
        with suppress(ConnectionError):
            await task


async def test_who_names_nothing_is_found_by_asking(make: Make, client: Connection) -> None:
    worker = make()
    await worker.gather_candidates()
    await introduce(client, worker)
    await introduce(worker, client, names=False)
    async with asyncio.timeout(5):
        await asyncio.gather(worker.connect(), client.connect())


@pytest.mark.parametrize("kind", ["stun", "turn"])
async def test_servers_that_do_not_answer_cost_a_bounded_time(
    make: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ice.GATHERING_TIMEOUT <= 1.5
    monkeypatch.setattr(ice, "GATHERING_TIMEOUT", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((OWN[0] if ":" not in OWN[0] else "127.0.0.1", 0))
        address, port = silent.getsockname()
        server: Any = {f"worker_{kind}_url": f"{kind}:{address}:{port}"}
        settings = WorkerSettings(**server, turn_secret=SECRET)
        made = IceOptions.of(settings)
        connection = make(servers=made.servers, relay=made.relay)
        started = time.monotonic()
        await connection.gather_candidates()
        assert 0.15 < time.monotonic() - started < 1.0
        assert silent.recv(1500, socket.MSG_DONTWAIT), "it was asked"
    assert told(connection) == OWN


async def test_a_real_server_tells_our_address_and_relays(make: Make, client: Connection, tmp_path: Path) -> None:
    """The client is told of the relay alone, so that is the way; the names of the settings are those of the README."""
    (v4,) = [address for address in OWN if ":" not in address][:1] or pytest.skip("coturn relays IPv4 here")
    port = free_pair()
    starting = coturn(tmp_path, "127.0.0.1", f"--allowed-peer-ip={v4}", port=port, relay=v4)
    async with on_another_thread(starting) as server:
        settings = WorkerSettings(
            worker_stun_url=f"stun:{server.address}:{port}",
            worker_turn_url=server.urls["tcp"],
            turn_secret=COTURN_SECRET,
            ice_addresses=[v4],
        )
        made = IceOptions.of(settings)
        worker = make(servers=made.servers, relay=made.relay, addresses=made.addresses)
        await worker.gather_candidates()
        host, reflexive, relayed = worker.local_candidates
        assert [each.type for each in (host, reflexive, relayed)] == ["host", "srflx", "relay"]
        assert (reflexive.host, relayed.host) == (v4, v4)
        await introduce(worker, client)
        client.remote_username, client.remote_password = worker.local_username, worker.local_password
        await client.add_remote_candidate(relayed)
        async with asyncio.timeout(10):
            await asyncio.gather(worker.connect(), client.connect())
        await client.send(b"polish")
        assert await worker.recv() == b"polish"
        await worker.close()


async def test_nobody_asks_for_a_public_address_that_is_known(make: Make) -> None:
    v4 = [address for address in OWN if ":" not in address]
    public = PublicAddresses.parse(",".join(f"203.0.113.{n}/{address}" for n, address in enumerate(v4)))
    connection = make(servers=IceOptions.of(WorkerSettings(worker_stun_url="stun:192.0.2.1")).servers, public=public)
    assert connection.stun_server == ("192.0.2.1", 3478)
    started = time.monotonic()
    await connection.gather_candidates()
    assert time.monotonic() - started < 0.5


def test_each_peer_gets_credentials_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    options = IceOptions(relay=OwnRelay("turns:turn.example.org", SECRET, lifetime=600))
    for now in (1_000.0, 2_000.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        server, *others = options.configuration("s-1").iceServers or []
        assert not others
        assert (server.urls, (server.username, server.credential)) == (
            "turns:turn.example.org",
            credentials(SECRET, "s-1", now + 600),
        )
    assert SECRET not in repr(options)


@pytest.mark.parametrize(
    ("settings", "where", "reason"),
    [
        ({"public_ip": "nails.example"}, "public_ip", "holds no IP address"),
        ({"udp_ports": "50000"}, "udp_ports", "is no range of ports"),
        ({"ice_peers": "everybody"}, "ice_peers", "write networks"),
        (
            {"worker_stun_url": "turn:turn.example.org"},
            "worker_stun_url",
            "write stun, as in stun:stun.example.org:3478",
        ),
        ({"worker_turn_url": "turn:[::1]", "turn_secret": SECRET}, "worker_turn_url", "its IPv4 address"),
        ({"worker_turn_url": "turn:turn.example.org"}, "turn_secret", "needs the server's shared secret"),
        ({"turn_secret": "short"}, "turn_secret", "at least 16"),
    ],
)
def test_wrong_settings_are_told_plainly(settings: dict[str, str], where: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as error:
        WorkerSettings(**settings)  # type: ignore[arg-type]
    assert error.value.errors()[0]["loc"] == (where,)


def test_settings_become_options() -> None:
    settings = WorkerSettings(
        public_ip="203.0.113.7", udp_ports="50000-50100", ice_peers="203.0.113.0/24", ice_addresses=["10.0.0.5"]
    )
    made = IceOptions.of(settings)
    assert made.public.alone == ("203.0.113.7",)
    assert (made.ports, made.addresses, made.relay) == (UdpPorts(50000, 50100), ["10.0.0.5"], None)
    assert made.peers.may_name("203.0.113.1") and not made.peers.may_name("203.0.114.1")
    assert made.configuration("s-1").iceServers == []
