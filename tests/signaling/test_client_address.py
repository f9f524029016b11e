"""Who is at the other end, through proxies that are trusted and through those that are not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from signaling.client_address import client_address, key, parse

PROXIES = [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody may send the header
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # what the client sent itself is on the left
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1,10.1.2.3 , 10.0.0.9", "198.51.100.1"),
        ("127.0.0.1", "10.5.5.5", "10.5.5.5"),  # trusted all the way: the first of them
        ("127.0.0.1", "198.51.100.1, unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1,", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("127.0.0.1", '"[2001:db8::1]:4711"', "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),  # a dual-stack socket
    ],
)
def test_the_rightmost_that_is_no_proxy(peer: str, forwarded: str, client: str) -> None:
    assert str(client_address(peer, forwarded, PROXIES)) == client


def test_an_endless_list_is_read_from_its_end() -> None:
    assert str(client_address("127.0.0.1", "198.51.100.1," + "10.0.0.1," * 5000 + "10.0.0.2", PROXIES)) == "10.0.0.1"


def test_a_unix_socket_has_no_address() -> None:
    assert key(client_address(None, "", PROXIES)) == "local"
    assert key(client_address("", "198.51.100.1", PROXIES)) == "local"


def test_a_64_of_ipv6_is_one_client() -> None:
    one, same, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
    keys = [key(parse(text)) for text in (one, same, other)]
    assert keys[0] == keys[1] == "2001:db8:1:2::/64"
    assert keys[2] != keys[0]
    assert key(parse("203.0.113.9")) == "203.0.113.9"


@pytest.mark.parametrize("text", ["", "nobody", "1.2.3", "[", "1.2.3.4.5", "::g", "1.2.3.4/8"])
def test_what_is_no_address(text: str) -> None:
    assert parse(text) is None
