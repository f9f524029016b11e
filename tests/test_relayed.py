"""The whole product through a real coturn, where nothing but a relay leads from the client to the worker: signaling
hands out servers and credentials, coturn runs with deploy/turnserver.conf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.coturn import SECRET, coturn
from tests.namespaces import LACQUER, PAGE_PORT, TURN_TO_CLIENT, TURN_TO_LACQUER, WAYS, inside, networks, why_not
from tests.serving import lacquer_serve

SECONDS = 2.0
ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.media,
    pytest.mark.long,
    pytest.mark.skipif(bool(reason := why_not()), reason=str(reason)),
]


@dataclass(frozen=True)
class Tried:
    rates: dict[str, float | None]
    counted: dict[str, int]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, hand_model: Path) -> Iterator[Tried]:
    """All ways at once: starting everything takes longer than the media."""
    folder = tmp_path_factory.mktemp("relayed")
    with (
        networks() as there,
        coturn(
            folder,
            TURN_TO_CLIENT,
            f"--allowed-peer-ip={LACQUER}",
            prefix=inside(there.turn),
            relay=TURN_TO_LACQUER,
        ) as relay,
        lacquer_serve(
            folder,
            *("--host", "0.0.0.0", "--port", str(PAGE_PORT), "--workers", "1"),
            prefix=inside(there.lacquer),
            LACQUER_TURN_URLS=",".join(relay.urls.values()),
            LACQUER_TURN_SECRET=SECRET,
            LACQUER_UDP_PORTS="50000-50009",
        ),
    ):
        client = [sys.executable, "-m", "tests.relayed_client", f"http://{LACQUER}:{PAGE_PORT}", str(SECONDS)]
        done = subprocess.run(
            [*inside(there.client), *client, *WAYS, "direct"],
            env={**os.environ, "SSL_CERT_FILE": str(relay.certificate), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield Tried(json.loads(done.stdout), there.bytes_counted())


@pytest.mark.parametrize("way", WAYS)
def test_media_goes_through_the_relay(tried: Tried, way: str) -> None:
    rate = tried.rates[way]
    assert rate is not None and rate > 2, f"{tried.rates}; tests/benchmarks/relay.py says how fast it is"
    assert tried.counted[way] > 20_000, tried.counted


def test_no_other_way_leads_there(tried: Tried) -> None:
    assert tried.rates["direct"] is None
    assert tried.counted["blocked"] > 0
