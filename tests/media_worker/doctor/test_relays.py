"""The real coturn with deploy/turnserver.conf, by all ways, and what goes wrong with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_worker.doctor import relays
from media_worker.doctor.udp import own_addresses
from media_worker.settings import WorkerSettings
from protocol.api import IceServer
from protocol.checkup import Outcome, Verdict, examine
from protocol.turn_credentials import credentials
from tests.coturn import SECRET, Coturn, coturn, free_pair

SETTINGS = WorkerSettings()
OWN = [address for address in own_addresses(SETTINGS) if ":" not in address]

pytestmark = pytest.mark.skipif(not OWN, reason="needs an address besides loopback")


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """It may send to this machine, which deploy/turnserver.conf denies for private addresses."""
    folder = tmp_path_factory.mktemp("coturn")
    with coturn(folder, OWN[0], f"--allowed-peer-ip={OWN[0]}", port=free_pair()) as server:
        yield server


async def verdicts(servers: list[IceServer], settings: WorkerSettings = SETTINGS) -> list[Verdict]:
    findings = await examine([relays.checks(servers, settings)], 20)
    return [finding.verdict for finding in findings]


def server(*urls: str, secret: str = SECRET, expires: float = 60) -> IceServer:
    username, password = credentials(secret, "doctor", time.time() + expires)
    return IceServer(urls=list(urls), username=username, credential=password)


async def test_relays_by_all_ways_reach_this_machine(turn: Coturn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
    found = await verdicts([server(*turn.urls.values())])
    assert [verdict.outcome for verdict in found] == [Outcome.OK] * 3, found
    assert all(f"reaches this machine at {OWN[0]}" in verdict.said for verdict in found)


async def test_stun(turn: Coturn) -> None:
    (verdict,) = await verdicts([IceServer(urls=[f"stun:{turn.address}:{turn.port}"], username=None, credential=None)])
    assert verdict.outcome is Outcome.OK
    assert OWN[0] in verdict.said


async def test_a_wrong_secret_is_told_apart(turn: Coturn) -> None:
    (verdict,) = await verdicts([server(turn.urls["udp"], secret="another secret altogether")])
    assert verdict.outcome is Outcome.FAILED
    assert "LACQUER_TURN_SECRET" in verdict.mend


async def test_a_certificate_that_nobody_vouches_for(turn: Coturn) -> None:
    (verdict,) = await verdicts([server(turn.urls["tls"])])
    assert verdict.outcome is Outcome.FAILED
    assert "TLS fails: self-signed certificate" in verdict.said
    assert "certificate" in verdict.mend


async def test_a_relay_that_may_not_talk_to_workers(tmp_path: Path, turn: Coturn) -> None:
    elsewhere = turn.port + 10  # `free_pair` looks at loopback, where nobody listens
    with coturn(tmp_path, OWN[0], f"--denied-peer-ip={OWN[0]}-{OWN[0]}", port=elsewhere) as denied:
        (verdict,) = await verdicts([server(denied.urls["udp"])])
    assert verdict.outcome is Outcome.FAILED, verdict
    assert "may not send" in verdict.said
    assert "allowed-peer-ip" in verdict.mend


@pytest.mark.parametrize("url", ["turn:127.0.0.1:9?transport=tcp", "stun:127.0.0.1:9", "turn:nowhere.invalid"])
async def test_nobody_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "SECONDS", 1.0)
    (verdict,) = await verdicts([server(url)])
    assert verdict.outcome is Outcome.FAILED
    assert verdict.mend
