"""To which addresses a worker talks. A client names its own in SDP, and what it names is where our packets go.

By default everywhere but where only a trick leads to: services on this machine (loopback), on its link, and those that
tell a cloud machine its secrets. `LACQUER_ICE_PEERS=203.0.113.0/24,2001:db8::/32` lets only these networks in, as where
all clients come through one's own TURN servers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


METADATA = _networks("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
"""Where cloud machines ask for their credentials: most of them; Amazon's ECS; Alibaba; Oracle; Amazon by IPv6."""

NOBODY = _networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::", "ff00::/8")
"""Unspecified, multicast, reserved and broadcast."""

LOOPBACK = _networks("127.0.0.0/8", "::1")
LINK_LOCAL = _networks("169.254.0.0/16", "fe80::/10")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class IcePeers:
    only: tuple[Network, ...] = ()
    """Networks to talk to; all that are sensible where it is empty."""
    linked: bool = False
    """Whether we ourselves are on a network of link-local addresses."""

    @classmethod
    def parse(cls, text: str) -> tuple[Network, ...]:
        """The networks of a list. Raises ValueError with a sentence for people."""
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
        except ValueError as error:
            raise ValueError(f"{error}: write networks, as in 203.0.113.0/24,2001:db8::/32") from None

    @classmethod
    def of(cls, only: Sequence[Network], own: Iterable[str]) -> IcePeers:
        """`own` are this machine's addresses."""
        return cls(tuple(only), any(_within(ipaddress.ip_address(each), LINK_LOCAL) for each in own))

    def may_name(self, text: str) -> bool:
        """Whether a client may name this as its address. Names ending in `.local` it may not: none is looked up."""
        address = _read(text)
        return address is not None and self._is_reasonable(address) and (bool(self.only) or not self._is_here(address))

    def may_ask(self, text: str) -> bool:
        """Whether a connectivity check that came from there is answered. From loopback only this machine can send, from
        link-local addresses only one on its link: a browser there may be served."""
        address = _read(text)
        return address is not None and self._is_reasonable(address)

    def _is_reasonable(self, address: Address) -> bool:
        return _within(address, self.only) if self.only else not _within(address, METADATA + NOBODY)

    def _is_here(self, address: Address) -> bool:
        return _within(address, LOOPBACK) or (not self.linked and _within(address, LINK_LOCAL))


def _read(text: str) -> Address | None:
    """An address as the kernel would take it: IPv4 in IPv6's clothes is IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
