"""Behind a 1:1 NAT, as clouds have it: the machine knows a private address, and clients reach it at a public one.

    LACQUER_PUBLIC_IP=203.0.113.7                                for the address that the way out starts from
    LACQUER_PUBLIC_IP=203.0.113.7/10.0.0.5,2001:db8::7/fd00::5   each private one by its public one

The NAT keeps ports. Addresses that nothing is said of are offered as they are.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

EXAMPLE = "write 203.0.113.7, or 203.0.113.7/10.0.0.5 with the private address behind it"


def outgoing(towards: str) -> str | None:
    """Our own address on the way to another one; nothing is sent. None where no way leads there."""
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect((towards, 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


@dataclass(frozen=True)
class PublicAddresses:
    by_private: dict[str, str] = field(default_factory=dict)
    alone: tuple[str, ...] = ()
    """Public ones without a private one, at most one a family."""
    outgoing: Callable[[str], str | None] = outgoing

    @classmethod
    def parse(cls, text: str) -> PublicAddresses:
        """Raises ValueError with a sentence for people."""
        by_private, alone = dict[str, str](), list[str]()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            public, *private = (_address(part, entry) for part in entry.split("/"))
            if len(private) > 1 or any(":" in each and ":" not in public for each in private):
                raise ValueError(f"{entry!r:.80}: {EXAMPLE}")
            if private:
                by_private[private[0]] = public
            else:
                alone.append(public)
        if len({":" in public for public in alone}) < len(alone):
            raise ValueError(
                "two public addresses of one family: say which private one is behind each, as PUBLIC/PRIVATE"
            )
        return cls(by_private, tuple(alone))

    def offered(self, own: Sequence[str]) -> dict[str, str]:
        """What clients are told of each of our own addresses."""
        told = {address: self.by_private.get(address, address) for address in own}
        for public in self.alone:
            family = [address for address in own if (":" in address) == (":" in public)]
            way_out = self.outgoing(public)
            if family and public not in family:
                told[way_out if way_out in family else family[0]] = public
        return told


def _address(text: str, entry: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise ValueError(f"{entry!r:.80} holds no IP address: {EXAMPLE}") from None
