"""From which address a request came, also through proxies. Pure.

`X-Forwarded-For` lists who passed a request on to whom, oldest first, and anybody may send one along. So it is read
from the right, and only as far as the addresses are those of proxies that the operator trusts: the first that is not
is the client's.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_HOPS = 20
"""Of a longer list, only the end is read."""

LOCAL = "local"
"""Key of who has no address: a Unix socket."""


def client_address(peer: str | None, forwarded: str, proxies: Sequence[Network]) -> Address | None:
    """The client's address: `peer` itself, or what trusted proxies say in `forwarded` (X-Forwarded-For)."""
    address = parse(peer or "")
    for hop in reversed(forwarded.split(",")[-MAX_HOPS:]):
        if address is None or not within(address, proxies):
            break
        before = parse(hop)
        if before is None:  # nothing, or a name such as "unknown": the proxy that wrote it is all there is to count
            break
        address = before
    return address


def key(address: Address | None) -> str:
    """Under which a client is counted. A household or a phone is given a whole /64 of IPv6, so that is one client."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return LOCAL if address is None else str(address)


def parse(text: str) -> Address | None:
    """An address as proxies write it, with a port or without: 192.0.2.1:5000, [2001:db8::1]:5000, 2001:db8::1."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether it is of any of them."""
    return any(address in network for network in networks)
