"""How a peer's ICE finds its way: what it offers, from which ports, whom it talks to, and which servers help.

aiortc has no options for most of it, so `IceOptions.apply` bends the aioice connections of one peer. Seams (aioice
0.13; tests/media_worker/test_aiortc_seams.py watches them):
- `Connection.gather_candidates` takes candidates from its method `get_component_candidates(component=, addresses=)`,
  which binds any port of each address and waits up to 5 s for STUN and TURN. `_Gathering` stands in its place and, as
  that method does, takes the others from `server_reflexive_candidate` and `relayed_candidate`.
- Every check that comes in goes through the method `request_received(message, addr, protocol)`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aioice.ice
import structlog
from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.stun import TransactionError
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcicetransport import RTCIceTransport

from media_worker.ice_peers import IcePeers
from media_worker.public_addresses import PublicAddresses
from media_worker.settings import WorkerSettings
from media_worker.udp_ports import UdpPorts
from protocol.api import IceServer
from protocol.turn_credentials import credentials

log = structlog.get_logger(__name__)

GATHERING_TIMEOUT = 1.5
"""Seconds that an answer waits for STUN and TURN servers: a lost packet is sent again after 0.5. aioice waits for 5."""

UNREACHABLE = (OSError, TransactionError)
"""What STUN and TURN end with where a server is away or refuses; timeouts and errors of TLS are OSErrors."""

RECEIVE_BUFFER = 256 * 1024


@dataclass(frozen=True)
class OwnRelay:
    """A TURN server that the worker itself uses, where not even clients with a relay reach it."""

    url: str
    secret: str = field(repr=False)
    lifetime: float

    def server(self, session_id: str) -> RTCIceServer:
        """With credentials of its own for each peer: what was made at the start would expire."""
        username, password = credentials(self.secret, session_id, time.time() + self.lifetime)
        return RTCIceServer(urls=self.url, username=username, credential=password)


@dataclass(frozen=True)
class IceOptions:
    servers: Sequence[IceServer] = ()
    """As they are. aiortc asks the first STUN server of all, and the first TURN server."""
    relay: OwnRelay | None = None
    addresses: Collection[str] = ()
    """Own addresses to offer. All, where there are none: the machine is on another network now."""
    public: PublicAddresses = field(default_factory=PublicAddresses)
    ports: UdpPorts | None = None
    peers: IcePeers = field(default_factory=IcePeers)

    @classmethod
    def of(cls, settings: WorkerSettings) -> IceOptions:
        servers, relay = settings.ice_servers, None
        if settings.worker_stun_url:
            servers = [*servers, IceServer(urls=[settings.worker_stun_url], username=None, credential=None)]
        if settings.worker_turn_url and settings.turn_secret:
            relay = OwnRelay(settings.worker_turn_url, settings.turn_secret, settings.turn_lifetime)
        own = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
        return cls(
            servers=servers,
            relay=relay,
            addresses=settings.ice_addresses,
            public=PublicAddresses.parse(settings.public_ip),
            ports=UdpPorts.parse(settings.udp_ports) if settings.udp_ports else None,
            peers=IcePeers.of(IcePeers.parse(settings.ice_peers), own),
        )

    def configuration(self, session_id: str) -> RTCConfiguration:
        """Never aiortc's default one, which asks a public STUN server."""
        relay = [self.relay.server(session_id)] if self.relay else []
        static = [RTCIceServer(urls=s.urls, username=s.username, credential=s.credential) for s in self.servers]
        return RTCConfiguration(iceServers=relay + static)

    def apply(self, transports: Iterable[RTCIceTransport]) -> None:
        """To what a peer's candidates are gathered with from now on."""
        for transport in transports:
            connection: Any = transport.iceGatherer._connection
            connection.get_component_candidates = _Gathering(connection, self).candidates
            connection.request_received = partial(_receive, connection.request_received, self.peers)


class _Gathering:
    """In the place of a connection's `get_component_candidates`."""

    def __init__(self, connection: Connection, options: IceOptions) -> None:
        self._connection, self._options = connection, options
        self._unmapped: list[aioice.ice.StunProtocol] = []
        """IPv4 sockets whose public address nobody has told us."""

    async def candidates(self, component: int, addresses: list[str]) -> list[Candidate]:
        """Raises AtCapacity where no port is free."""
        wanted = [address for address in addresses if address in self._options.addresses] or addresses
        offered = self._options.public.offered(wanted)
        hosts = [host for own in wanted if (host := await self._host(component, own, offered[own]))]
        reflexive, relayed = await asyncio.gather(self._reflexive(), self._relayed(component))
        return [*hosts, *reflexive, *relayed]

    async def _host(self, component: int, own: str, offered: str) -> Candidate | None:
        """None where the address cannot be used, as one that is gone by now."""
        try:
            protocol = await self._listen(own)
        except OSError as error:
            log.info("no media at an address", address=own, error=str(error))
            return None
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", own),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=offered,
            port=protocol.transport.get_extra_info("sockname")[1],
            type="host",
        )
        self._connection._protocols.append(protocol)
        if offered == own and ":" not in own:
            self._unmapped.append(protocol)
        return protocol.local_candidate

    async def _listen(self, own: str) -> aioice.ice.StunProtocol:
        loop = asyncio.get_running_loop()

        def protocol() -> aioice.ice.StunProtocol:
            return aioice.ice.StunProtocol(self._connection)  # the name that datagrams.py replaces

        if self._options.ports is None:
            transport, listening = await loop.create_datagram_endpoint(protocol, local_addr=(own, 0))
        else:
            transport, listening = await loop.create_datagram_endpoint(protocol, sock=self._options.ports.bind(own))
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        return listening

    async def _reflexive(self) -> list[Candidate]:
        """What a STUN server sees of our addresses."""
        server = self._connection.stun_server
        if server is None or not self._unmapped:
            return []
        found = await asyncio.gather(*(self._seen(protocol, server) for protocol in self._unmapped))
        return [candidate for candidate in found if candidate]

    async def _seen(self, protocol: aioice.ice.StunProtocol, server: tuple[str, int]) -> Candidate | None:
        try:
            async with asyncio.timeout(GATHERING_TIMEOUT):
                candidate, _ = await aioice.ice.server_reflexive_candidate(protocol, server)
        except UNREACHABLE as error:
            log.warning("the STUN server does not answer", server=server, error=repr(error))
            return None
        return candidate

    async def _relayed(self, component: int) -> list[Candidate]:
        connection = self._connection
        if connection.turn_server is None:
            return []
        try:
            async with asyncio.timeout(GATHERING_TIMEOUT):
                candidate, protocol = await aioice.ice.relayed_candidate(
                    component=component,
                    hide_related_address=False,
                    protocol_factory=lambda: aioice.ice.StunProtocol(connection),
                    turn_server=connection.turn_server,
                    turn_username=connection.turn_username,
                    turn_password=connection.turn_password,
                    turn_ssl=connection.turn_ssl,
                    turn_transport=connection.turn_transport,
                )
        except UNREACHABLE as error:
            log.warning("the TURN server gives no relay", server=connection.turn_server, error=repr(error))
            return []
        connection._protocols.append(protocol)
        return [candidate]


def _receive(take: Any, peers: IcePeers, message: Any, addr: tuple[str, int], protocol: Any) -> None:
    """In the place of a connection's `request_received`."""
    if peers.may_ask(addr[0]):
        take(message, addr, protocol)
