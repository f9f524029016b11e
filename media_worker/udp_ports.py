"""The UDP ports that media may use, where a firewall lets only a range in: `LACQUER_UDP_PORTS=50000-50100`.

A connection takes one port on each address that is offered. Workers of one machine may share a range: whoever binds
a port has it. Sockets towards a TURN server go outwards, and take any port.
"""

from __future__ import annotations

import errno
import re
import secrets
import socket
from dataclasses import dataclass

import structlog

from protocol.errors import AtCapacity

log = structlog.get_logger(__name__)

TAKEN = (errno.EADDRINUSE, errno.EACCES)
"""By another socket; or held back by the system, as ports under 1024 are."""


@dataclass(frozen=True)
class UdpPorts:
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> UdpPorts:
        """Raises ValueError with a sentence for people."""
        found = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
        if found is None or not 0 < int(found[1]) <= int(found[2]) < 65536:
            raise ValueError(f"{text!r:.80} is no range of ports: write the first and the last, as in 50000-50100")
        return cls(int(found[1]), int(found[2]))

    def bind(self, address: str) -> socket.socket:
        """A socket on a free port of the range, from anywhere in it, so that a late packet of an old connection seldom
        meets a new one. Raises AtCapacity where none is free, OSError where the address is none of ours."""
        count = self.last - self.first + 1
        begin = secrets.randbelow(count)
        for step in range(count):
            if bound := _bind(address, self.first + (begin + step) % count):
                return bound
        log.error("no UDP port is free for media", address=address, range=f"{self.first}-{self.last}")
        raise AtCapacity(f"all UDP ports from {self.first} to {self.last} (LACQUER_UDP_PORTS) are taken")


def _bind(address: str, port: int) -> socket.socket | None:
    """None where the port is taken."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        if error.errno in TAKEN:
            return None
        raise
    except BaseException:
        sock.close()
        raise
    return sock
