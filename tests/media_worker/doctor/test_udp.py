from __future__ import annotations

import socket

import pytest

from media_worker.doctor import udp
from media_worker.settings import WorkerSettings
from protocol.checkup import Outcome, Verdict


async def look(ports: str, **more: int) -> Verdict:
    return await udp.ports(WorkerSettings(udp_ports=ports, ice_addresses=["127.0.0.1"], **more))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


async def test_any_port() -> None:
    assert (await look("")).outcome is Outcome.OK


async def test_a_range_that_is_wide_enough() -> None:
    verdict = await look("41000-41099")
    assert verdict.outcome is Outcome.OK
    assert "of the 100" in verdict.said


async def test_a_range_that_is_narrow() -> None:
    verdict = await look("41100-41103", worker_capacity=4)
    assert verdict.outcome is Outcome.WARNING
    assert "LACQUER_UDP_PORTS" in verdict.mend


async def test_a_range_that_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        assert (await look(f"{port}-{port}")).outcome is Outcome.FAILED


async def test_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [])
    assert (await look("")).outcome is Outcome.FAILED
