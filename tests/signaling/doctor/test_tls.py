from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from protocol.checkup import Outcome
from signaling.doctor import tls
from tests.coturn import make_certificate
from tests.redis_server import free_port


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """(an https URL, the certificate that vouches for itself), valid for a day."""
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}", certificate
    await runner.cleanup()


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        (None, Outcome.OK),
        ("http://localhost:8000", Outcome.OK),
        ("http://nails.example", Outcome.WARNING),
        (f"https://127.0.0.1:{free_port()}", Outcome.FAILED),
    ],
)
async def test_without_a_certificate(url: str | None, outcome: Outcome) -> None:
    assert (await tls.certificate(url)).outcome is outcome


async def test_one_that_nobody_trusts(served: tuple[str, Path]) -> None:
    verdict = await tls.certificate(served[0])
    assert verdict.outcome is Outcome.FAILED
    assert "self-signed" in verdict.said


async def test_one_that_ends_tomorrow(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, certificate = served
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    verdict = await tls.certificate(url)
    assert verdict.outcome is Outcome.FAILED
    assert "renew" in verdict.mend


def test_days() -> None:
    day = 86400.0
    assert tls.judge("a", 60 * day, 0).outcome is Outcome.OK
    assert tls.judge("a", 10 * day, 0).outcome is Outcome.WARNING
    assert tls.judge("a", 1 * day, 0).outcome is Outcome.FAILED
