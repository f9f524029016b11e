from __future__ import annotations

import pytest

from media_worker.ice_peers import IcePeers

ANYWHERE = [
    "203.0.113.9",
    "192.168.1.20",
    "10.1.2.3",
    "2001:db8::9",
    "fd12::1",
    "::ffff:203.0.113.9",
    "64:ff9b::cb00:7109",
]
HERE = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
ON_LINK = ["169.254.7.7", "fe80::7", "fe80::7%eth0"]
NEVER = [
    *("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    *("0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255", "nobody.local", "", "1.2.3"),
]  # fmt: skip


def test_by_default_nobody_names_this_machine_or_its_link() -> None:
    peers = IcePeers.of((), ["192.168.1.20"])
    assert [address for address in ANYWHERE + HERE + ON_LINK + NEVER if peers.may_name(address)] == ANYWHERE


def test_a_browser_here_or_on_the_link_is_answered_by_itself() -> None:
    peers = IcePeers.of((), ["192.168.1.20"])
    assert [each for each in ANYWHERE + HERE + ON_LINK + NEVER if peers.may_ask(each)] == ANYWHERE + HERE + ON_LINK


def test_a_worker_on_a_network_of_link_local_addresses_meets_its_neighbours() -> None:
    peers = IcePeers.of((), ["169.254.20.1"])
    assert [address for address in HERE + ON_LINK + NEVER if peers.may_name(address)] == ON_LINK


@pytest.mark.parametrize("may", [IcePeers.may_name, IcePeers.may_ask])
def test_named_networks_are_the_only_ones(may: object) -> None:
    peers = IcePeers.of(IcePeers.parse("203.0.113.0/24, 127.0.0.0/8"), [])
    assert callable(may)
    found = [address for address in ANYWHERE + HERE + ON_LINK + NEVER if may(peers, address)]
    assert found == [
        "203.0.113.9",
        "::ffff:203.0.113.9",
        "64:ff9b::cb00:7109",
        *(each for each in HERE if each != "::1"),
    ]


@pytest.mark.parametrize("text", ["nails.example", "203.0.113.7/24", "203.0.113.0/33"])
def test_nonsense_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="write networks, as in 203"):
        IcePeers.parse(text)
