"""Whether media finds UDP ports to use."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import aioice.ice

from media_worker.settings import WorkerSettings
from media_worker.udp_ports import UdpPorts
from protocol.checkup import Verdict, failed, ok, warning
from protocol.errors import AtCapacity

ANY = "0.0.0.0"


def own_addresses(settings: WorkerSettings) -> list[str]:
    """Those that media is offered at."""
    own = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    return [address for address in own if address in settings.ice_addresses] or own


async def ports(settings: WorkerSettings) -> Verdict:
    addresses = own_addresses(settings)
    if not addresses:
        return failed(
            "this machine has no address but loopback, so nothing could be offered to clients",
            "connect it to a network, or give the container one",
        )
    try:
        return _range(settings, addresses) if settings.udp_ports else _any(addresses)
    except OSError as error:
        return failed(f"no UDP socket can be bound: {error}", "look at LACQUER_ICE_ADDRESSES, and at limits on sockets")


def _any(addresses: Sequence[str]) -> Verdict:
    for address in addresses:
        UdpPorts(1024, 65535).bind(address).close()
    return ok(f"any free port, at {', '.join(addresses)}; firewalls must let UDP in (LACQUER_UDP_PORTS narrows it)")


def _range(settings: WorkerSettings, addresses: Sequence[str]) -> Verdict:
    """A connection takes one port on each address; a page that comes back takes the next while the last one closes."""
    asked = UdpPorts.parse(settings.udp_ports)
    count, needed = asked.last - asked.first + 1, settings.worker_capacity
    try:
        for address in addresses:
            asked.bind(address).close()
    except AtCapacity as error:
        return failed(str(error), "let Lacquer have the range for itself, or choose another one")
    free = sum(_is_free(port) for port in range(asked.first, asked.last + 1))
    said = f"{free} of the {count} in {asked.first}-{asked.last} are free, at {', '.join(addresses)}"
    if count < 2 * needed:
        return warning(
            f"{said}; {needed} streams that connect anew need up to {2 * needed}",
            f"widen LACQUER_UDP_PORTS, as to {asked.first}-{min(asked.first + 4 * needed, 65535)}",
        )
    return ok(said)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ANY, port))
        except OSError:
            return False
    return True
