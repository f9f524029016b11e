from __future__ import annotations

import pytest

from protocol import ice_urls
from protocol.ice_urls import STUN, TURN, IceUrl


@pytest.mark.parametrize(
    ("url", "means"),
    [
        ("stun:stun.example.org", IceUrl("stun", "stun.example.org", 3478, "udp")),
        ("stuns:stun.example.org", IceUrl("stuns", "stun.example.org", 5349, "tcp")),
        ("turn:192.0.2.1:80", IceUrl("turn", "192.0.2.1", 80, "udp")),
        ("turn:turn.example.org?transport=tcp", IceUrl("turn", "turn.example.org", 3478, "tcp")),
        ("turns:turn.example.org:443", IceUrl("turns", "turn.example.org", 443, "tcp")),
        ("TURNS:[2001:db8::1]:443?transport=tcp", IceUrl("turns", "[2001:db8::1]", 443, "tcp")),
    ],
)
def test_addresses_are_read(url: str, means: IceUrl) -> None:
    assert ice_urls.parse(url) == means


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("turn.example.org", "write stun or stuns or turn or turns, as in stun:stun.example.org:3478"),
        ("https://turn.example.org", "no address of such a server"),
        ("turn://turn.example.org", "no address of such a server"),
        ("turn:", "no address of such a server"),
        ("turn:user@turn.example.org", "no address of such a server"),
        ("turn:turn.example.org:0", "from 1 to 65535"),
        ("turn:turn.example.org:65536", "from 1 to 65535"),
        ("turn:turn.example.org?transport=sctp", "only .transport=udp"),
        ("turn:turn.example.org?x=1", "only .transport=udp"),
        ("stun:stun.example.org?transport=udp", "only after turn:"),
        ("turns:turn.example.org?transport=udp", "runs over TCP"),
        ('turn:a"> b', "no address of such a server"),
    ],
)
def test_others_are_refused_in_a_sentence(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ice_urls.parse(url)


def test_a_list_is_of_one_kind() -> None:
    assert ice_urls.parse_list(" stun:a.example , stun:b.example,", STUN) == ("stun:a.example", "stun:b.example")
    assert ice_urls.parse_list("", TURN) == ()
    with pytest.raises(ValueError, match=r"write turn or turns, as in turn:turn\.example\.org:3478"):
        ice_urls.parse_list("turn:a.example,stun:b.example", TURN)
