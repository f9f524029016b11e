from __future__ import annotations

import pytest
from aioice.ice import get_host_addresses

from media_worker.public_addresses import PublicAddresses, outgoing

OWN = ["172.17.0.1", "10.0.0.5", "fd00::5"]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", OWN),
        ("203.0.113.7", ["172.17.0.1", "203.0.113.7", "fd00::5"]),
        ("2001:DB8::7", ["172.17.0.1", "10.0.0.5", "2001:db8::7"]),
        ("203.0.113.7, 2001:db8::7", ["172.17.0.1", "203.0.113.7", "2001:db8::7"]),
        ("203.0.113.8/172.17.0.1", ["203.0.113.8", "10.0.0.5", "fd00::5"]),
        ("203.0.113.7/10.0.0.5,2001:db8::7/fd00:0::5", ["172.17.0.1", "203.0.113.7", "2001:db8::7"]),
        ("10.0.0.5", OWN),
    ],
)
def test_public_addresses_stand_for_private_ones(text: str, offered: list[str]) -> None:
    plan = PublicAddresses.parse(text)
    way_out = {"203.0.113.7": "10.0.0.5", "2001:db8::7": "fd00::5"}
    known = PublicAddresses(plan.by_private, plan.alone, way_out.get)
    assert list(known.offered(OWN).values()) == offered


def test_without_a_way_out_the_first_address_is_taken() -> None:
    plan = PublicAddresses({}, ("203.0.113.7",), lambda towards: None)
    assert plan.offered(OWN) == {"172.17.0.1": "203.0.113.7", "10.0.0.5": "10.0.0.5", "fd00::5": "fd00::5"}
    assert plan.offered(["fd00::5"]) == {"fd00::5": "fd00::5"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nails.example", "holds no IP address: write 203.0.113.7, or"),
        ("203.0.113.7/", "holds no IP address"),
        ("203.0.113.7/10.0.0.5/24", "write 203.0.113.7, or"),
        ("203.0.113.7/fd00::5", "write 203.0.113.7, or"),
        ("203.0.113.7,203.0.113.8", "two public addresses of one family"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PublicAddresses.parse(text)


def test_the_way_out_starts_at_one_of_our_own_addresses() -> None:
    own = get_host_addresses(use_ipv4=True, use_ipv6=False)
    assert outgoing("127.0.0.1") == "127.0.0.1"
    if own:  # a machine without any network has none
        assert outgoing(own[0]) == own[0]
