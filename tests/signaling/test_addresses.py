"""Which of a machine's addresses a phone is sent to."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import psutil
import pytest

from signaling import addresses
from signaling.addresses import Interface, LanUnavailable, lan_addresses, rank

WIFI = Interface("wlan0", ("192.168.1.20",))
CABLE = Interface("eth0", ("10.1.2.3",))
LOOPBACK = Interface("lo", ("127.0.0.1",))
VPN = Interface("tun0", ("10.8.0.2",))


def test_the_default_route_comes_first() -> None:
    assert rank([LOOPBACK, CABLE, WIFI], "192.168.1.20") == ["192.168.1.20", "10.1.2.3"]
    assert rank([LOOPBACK, WIFI, CABLE], "10.1.2.3") == ["10.1.2.3", "192.168.1.20"]


def test_without_a_default_route_the_systems_order_stands() -> None:
    assert rank([LOOPBACK, CABLE, WIFI], None) == ["10.1.2.3", "192.168.1.20"]


def test_a_tunnel_comes_last_even_as_default_route() -> None:
    assert rank([VPN, WIFI], "10.8.0.2") == ["192.168.1.20", "10.8.0.2"]


@pytest.mark.parametrize(
    "name", ["docker0", "br-5c0d1f", "veth12ab", "virbr0", "cni0", "lxcbr0", "bridge100", "vmnet8"]
)
def test_networks_inside_the_machine_are_left_out(name: str) -> None:
    assert rank([Interface(name, ("172.17.0.1",)), WIFI], None) == ["192.168.1.20"]


@pytest.mark.parametrize("address", ["127.0.1.1", "169.254.7.7", "0.0.0.0"])
def test_addresses_that_no_phone_reaches_are_left_out(address: str) -> None:
    assert rank([Interface("eth0", (address,))], address) == []


def test_several_addresses_of_one_interface_and_each_once() -> None:
    both = Interface("en0", ("192.168.1.20", "192.168.7.1"))
    assert rank([both, Interface("en1", ("192.168.1.20",))], "192.168.7.1") == ["192.168.7.1", "192.168.1.20"]


def test_only_interfaces_that_are_up_and_only_ipv4() -> None:
    def entry(family: int, address: str) -> SimpleNamespace:
        return SimpleNamespace(family=family, address=address)

    told = {
        "wlan0": [entry(socket.AF_INET, "192.168.1.20"), entry(socket.AF_INET6, "fe80::1%wlan0")],
        "eth0": [entry(socket.AF_INET, "10.1.2.3")],
    }
    states = {"eth0": SimpleNamespace(isup=False), "wlan0": SimpleNamespace(isup=True)}
    assert addresses._interfaces(told, states) == [WIFI]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Interface]:
    """A machine whose interfaces are this list."""
    interfaces = [LOOPBACK, CABLE, WIFI]
    monkeypatch.setattr(addresses, "_interfaces", lambda *_: interfaces)
    monkeypatch.setattr(addresses, "_default_address", lambda: "192.168.1.20")
    return interfaces


def test_all_are_listed_where_none_is_chosen(machine: list[Interface]) -> None:
    assert lan_addresses() == ["192.168.1.20", "10.1.2.3"]


def test_a_chosen_address_is_the_only_one(machine: list[Interface]) -> None:
    assert lan_addresses("10.1.2.3") == ["10.1.2.3"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "studio.local", "203.0.113.9"])
def test_a_choice_that_cannot_work_names_those_that_can(machine: list[Interface], host: str) -> None:
    with pytest.raises(LanUnavailable, match=r"--host one of 192\.168\.1\.20, 10\.1\.2\.3"):
        lan_addresses(host)


def test_no_address_at_all_says_what_to_do(machine: list[Interface]) -> None:
    machine[:] = [LOOPBACK]
    with pytest.raises(LanUnavailable, match="Connect it to the Wi-Fi"):
        lan_addresses()


def test_this_machines_default_address_is_one_of_its_own() -> None:
    default = addresses._default_address()
    own = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries]
    assert default is None or default in own
