"""Names that this server goes by."""

from __future__ import annotations

import aiohttp
import pytest
from pydantic import ValidationError

from signaling.hosts import host_name, names
from signaling.settings import Settings
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker

PUBLIC = "https://nails.example:8443"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("nails.example", "nails.example"),
        ("Nails.Example.:8000", "nails.example"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("", None),
        (".", None),
        ("a b", None),
        ("nails.example/evil", None),
        ("user@nails.example", None),
        ("nails.example:port", None),
        ("[::1", None),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str | None) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("hosts", "public", "ours"),
    [
        ("", None, set()),
        ("", PUBLIC, {"nails.example"}),
        ("*", PUBLIC, set()),
        ("Nails.example, shop.example.", None, {"nails.example", "shop.example"}),
        ("shop.example,[2001:db8::1]", PUBLIC, {"shop.example", "nails.example", "2001:db8::1"}),
    ],
)
def test_a_public_url_names_the_host(
    hosts: str, public: str | None, ours: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACQUER_ALLOWED_HOSTS", hosts)
    assert names(Settings(public_url=public)) == (ours | {"localhost", "127.0.0.1", "::1"} if ours else set())


@pytest.mark.parametrize("hosts", ["https://nails.example", "nails.example:8000", "*.nails.example", "a b"])
def test_what_is_no_name_is_refused(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_ALLOWED_HOSTS", hosts)
    with pytest.raises(ValidationError, match="without a scheme or a port"):
        Settings()


async def test_a_name_that_was_made_to_lead_here_reads_nothing(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url=PUBLIC)
    for path in ("/", SESSIONS, "/static/main.js", "/api/schema", "/no/such/path"):
        said = await refused(await lacquer.client.get(path, headers={"Host": "evil.example:8000"}), 421, "misdirected")
    assert "LACQUER_ALLOWED_HOSTS" in said.detail
    for host in ("nails.example", "nails.example:8443", "localhost:8000", "127.0.0.1"):
        assert (await lacquer.client.get(SESSIONS, headers={"Host": host})).status == 200
    await refused(await lacquer.client.get(SESSIONS, headers={"Host": "nails.example/x"}), 400, "bad_request")


async def test_nor_opens_a_socket(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url=PUBLIC)
    session_id = (await lacquer.create())["session_id"]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await lacquer.client.ws_connect(f"/ws/tryon/{session_id}/", headers={"Host": "evil.example"})
    assert refusal.value.status == 421
    assert worker.sessions == {}


async def test_probes_ask_by_whatever_name_they_have(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url=PUBLIC)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await lacquer.client.get(path, headers={"Host": "signaling-7f9c:8000"})).status == 200


async def test_a_plain_demo_goes_by_any_name(lacquer: Lacquer) -> None:
    assert (await lacquer.client.get(SESSIONS, headers={"Host": "laptop.local:8000"})).status == 200
