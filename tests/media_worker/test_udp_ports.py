from __future__ import annotations

from contextlib import ExitStack

import pytest

from media_worker.udp_ports import UdpPorts
from protocol.errors import AtCapacity
from tests.media_worker.fakes import free_ports

LOOPBACK = "127.0.0.1"


def test_a_range_is_read() -> None:
    assert UdpPorts.parse(" 50000-50100 ") == UdpPorts(50000, 50100)
    assert UdpPorts.parse("443-443") == UdpPorts(443, 443)


@pytest.mark.parametrize("text", ["", "50000", "50100-50000", "0-10", "1-65536", "a-b", "1-2-3", "-5"])
def test_what_is_no_range_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no range of ports: write the first and the last, as in 50000-50100"):
        UdpPorts.parse(text)


def test_all_of_a_range_is_used_and_then_it_is_full() -> None:
    ports = free_ports(5, LOOPBACK)
    with ExitStack() as stack:
        bound = [stack.enter_context(ports.bind(LOOPBACK)) for _ in range(5)]
        assert {sock.getsockname()[1] for sock in bound} == set(range(ports.first, ports.last + 1))
        with pytest.raises(AtCapacity, match=f"all UDP ports from {ports.first} to {ports.last} .LACQUER_UDP_PORTS."):
            ports.bind(LOOPBACK)
    with ports.bind(LOOPBACK) as again:
        assert again.getblocking() is False


def test_an_address_of_somebody_else_is_no_full_range() -> None:
    with pytest.raises(OSError, match="assign"):
        UdpPorts(50_000, 50_100).bind("192.0.2.1")
