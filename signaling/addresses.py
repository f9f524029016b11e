"""Under which addresses phones in the same network reach this machine. IPv4 alone: home routers hand it to everybody.

`rank` decides over plain data; `lan_addresses` fetches that data and opens no connection.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

import psutil

_ELSEWHERE = ("198.51.100.1", 9)
"""RFC 5737: an address that nobody has. A route to it is the route to everywhere; nothing is sent there."""

_CONTAINERS = re.compile(
    r"docker|br-|veth|virbr|lxc|lxd|podman|cni|cali|flannel|kube|vmnet|vboxnet|bridge\d|vEthernet", re.IGNORECASE
)
"""Networks inside this machine, by the names that Docker, Kubernetes, libvirt and other hypervisors give them."""

_TUNNELS = re.compile(r"tun|tap|utun|wg|tailscale|zt|ppp|ipsec|nordlynx", re.IGNORECASE)
"""Often the default route, and never the way to a phone in the same room."""


class LanUnavailable(OSError):
    """`--lan` cannot be done: this machine has no address that a phone could open, or a setting forbids it."""


@dataclass(frozen=True)
class Interface:
    """A network interface that is up, with its IPv4 addresses."""

    name: str
    addresses: tuple[str, ...]


def rank(interfaces: Sequence[Interface], default: str | None) -> list[str]:
    """Addresses for phones, best first. `default` is the one that packets to the internet leave from, if any.

    A tunnel comes last even where it is the default route. Of equals, the one that is named first by the system wins.
    """
    found = [
        (interface.name, address)
        for interface in interfaces
        if not _CONTAINERS.match(interface.name)
        for address in interface.addresses
        if _is_reachable(address)
    ]
    found.sort(key=lambda entry: (bool(_TUNNELS.match(entry[0])), entry[1] != default))  # stable
    return list(dict.fromkeys(address for _, address in found))


def _is_reachable(text: str) -> bool:
    address = IPv4Address(text)
    return not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast)


def lan_addresses(host: str = "0.0.0.0") -> list[str]:
    """This machine's addresses for phones, best first; `host` is the only one where it is one.

    Raises LanUnavailable, with what to do about it.
    """
    interfaces = _interfaces(psutil.net_if_addrs(), psutil.net_if_stats())
    found = rank(interfaces, _default_address())
    if host != "0.0.0.0":
        return [_chosen(host, interfaces, found)]
    if not found:
        raise LanUnavailable(
            "--lan: this machine has no address in a local network. Connect it to the Wi-Fi that the phone is in; "
            "without one, `lacquer serve` alone works at http://localhost:8000"
        )
    return found


def _chosen(host: str, interfaces: Sequence[Interface], found: list[str]) -> str:
    try:
        address = IPv4Address(host)
    except AddressValueError:
        raise LanUnavailable(f"--lan: {host} is no IPv4 address; {_choices(found)}") from None
    if address.is_loopback:
        raise LanUnavailable(f"--lan: no phone reaches {host}; {_choices(found)}")
    if not any(host in interface.addresses for interface in interfaces):
        raise LanUnavailable(f"--lan: this machine has no address {host}; {_choices(found)}")
    return host


def _choices(found: list[str]) -> str:
    return f"give --host one of {', '.join(found)}, or 0.0.0.0 for all" if found else "it has no other"


def _interfaces(addresses: Mapping[str, Sequence[Any]], states: Mapping[str, Any]) -> list[Interface]:
    """What psutil tells, of the interfaces that are up."""
    return [
        Interface(name, tuple(entry.address for entry in entries if entry.family == socket.AF_INET))
        for name, entries in addresses.items()
        if name not in states or states[name].isup
    ]


def _default_address() -> str | None:
    """The address that packets to the internet would leave from. Connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:  # no route: a network without internet, or none
            return None
        address: str = probe.getsockname()[0]
        return address
