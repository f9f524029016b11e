"""Three networks of their own (Linux network namespaces): a client, a TURN server in the middle, Lacquer.

    client 10.77.1.2 ── 10.77.1.1 turn 10.77.2.1 ── 10.77.2.2 lacquer

The one in the middle routes what goes to the page's port and nothing else, so that media has no way but a relay. Needs
root: `why_not` says what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

CLIENT, TURN_TO_CLIENT, TURN_TO_LACQUER, LACQUER = "10.77.1.2", "10.77.1.1", "10.77.2.1", "10.77.2.2"
PAGE_PORT, TURN_PORT = 8000, 3478

WAYS = {"udp": f"udp dport {TURN_PORT}", "tcp": f"tcp dport {TURN_PORT}", "tls": f"tcp dport {TURN_PORT + 1}"}
"""From the client to the TURN server, each with a counter of its name."""

_COUNTERS = "\n".join(f"counter by_{name} {{}}" for name in (*WAYS, "blocked"))
_COUNTING = "\n".join(f'iifname "client" {rule} counter name "by_{way}"' for way, rule in WAYS.items())
FIREWALL = f"""
table inet lacquer {{
    {_COUNTERS}
    chain input {{ type filter hook input priority 0; policy accept;
        {_COUNTING}
    }}
    chain forward {{ type filter hook forward priority 0; policy drop;
        tcp dport {PAGE_PORT} accept
        tcp sport {PAGE_PORT} accept
        counter name "by_blocked"
    }}
}}
"""


def why_not() -> str | None:
    """Why there can be no namespaces here; None where they can be made."""
    if missing := [command for command in ("ip", "nft", "turnserver") if shutil.which(command) is None]:
        return f"needs {', '.join(missing)}; deploy/debian-packages.sh tests installs it"
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    probe = f"lq-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None if made.returncode == 0 else f"no network namespaces here: {made.stderr.strip()}"


@dataclass(frozen=True)
class Networks:
    """Names of the namespaces."""

    client: str
    turn: str
    lacquer: str

    def open_direct_way(self) -> None:
        """From now on media may go past the TURN server."""
        _run(
            *inside(self.turn), "nft", "insert", "rule", "inet", "lacquer", "forward", "ip", "protocol", "udp", "accept"
        )

    def bytes_counted(self) -> dict[str, int]:
        """By way, and `blocked`."""
        told = json.loads(_run(*inside(self.turn), "nft", "-j", "list", "counters"))
        counters = [entry["counter"] for entry in told["nftables"] if "counter" in entry]
        return {counter["name"].removeprefix("by_"): counter["bytes"] for counter in counters}


def inside(name: str) -> tuple[str, ...]:
    """What is put before a command, so that it runs there."""
    return ("ip", "netns", "exec", name)


@contextmanager
def networks() -> Iterator[Networks]:
    made = Networks(*(f"lq-{part}-{os.getpid()}" for part in ("client", "turn", "lacquer")))
    names = (made.client, made.turn, made.lacquer)
    try:
        for name in names:
            _run("ip", "netns", "add", name)
        _connect(made.client, CLIENT, made.turn, TURN_TO_CLIENT, device="client")
        _connect(made.lacquer, LACQUER, made.turn, TURN_TO_LACQUER, device="lacquer")
        _run(*inside(made.turn), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        _run(*inside(made.turn), "nft", "-f", "-", input=FIREWALL)
        yield made
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _connect(name: str, address: str, middle: str, gateway: str, *, device: str) -> None:
    """`device` is the middle's name of the line."""
    _run("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", device, "netns", middle)
    _batch(name, f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up")
    _batch(middle, f"addr add {gateway}/24 dev {device}", f"link set {device} up", "link set lo up")
    _batch(name, f"route add default via {gateway}")


def _batch(name: str, *lines: str) -> None:
    _run("ip", "-n", name, "-batch", "-", input="\n".join(lines))


def _run(*command: str, input: str | None = None) -> str:
    done = subprocess.run(command, input=input, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
