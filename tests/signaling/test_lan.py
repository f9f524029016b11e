"""`lacquer serve --lan`: its words, and the whole of it as a process, at this machine's own address."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from signaling import embedded, lan
from signaling.addresses import LanUnavailable, lan_addresses
from signaling.lan import Lan, words
from signaling.settings import Settings
from tests.serving import Served, lacquer_serve

SESSIONS = "/api/try-on/sessions/"


@pytest.fixture(scope="module")
def address() -> str:
    """This machine's own address in its network."""
    try:
        return lan_addresses()[0]
    except LanUnavailable as error:
        pytest.skip(f"needs an address besides loopback: {error}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lan")


@pytest.fixture(scope="module")
def served(address: str, folder: Path) -> Iterator[Served]:
    with lacquer_serve(folder, "--lan", "--host", "0.0.0.0", "--workers", "1") as served:
        yield served


@pytest.fixture
def trust(served: Served, folder: Path) -> ssl.SSLContext:
    """Trusts the server's certificate and no other."""
    return ssl.create_default_context(cafile=folder / "data" / "lan" / "certificate.pem")


async def phone_url(served: Served) -> str:
    async with aiohttp.ClientSession() as here, here.get(f"{served.url}/api/lan") as response:
        url: str = (await response.json())["url"]
        return url


async def offer() -> str:
    """Of a client that only opens the data channel."""
    peer = RTCPeerConnection(RTCConfiguration([]))
    peer.createDataChannel("tryon")
    await peer.setLocalDescription(await peer.createOffer())
    try:
        return peer.localDescription.sdp
    finally:
        await peer.close()


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_file_is_told_the_same_without_the_code() -> None:
    told = words(Lan("https://192.168.1.20:8443", [], "AB:CD"), terminal=False)
    assert "https://192.168.1.20:8443" in told and "AB:CD" in told
    assert "iPhone" in told and "Android" in told and "everybody in this network" in told
    assert "\x1b" not in told and "█" not in told and "scan" not in told


def test_a_terminal_gets_the_code_last_and_other_addresses() -> None:
    told = words(Lan("https://192.168.1.20:8443", ["https://10.1.2.3:8443"], "AB:CD"), terminal=True)
    assert "try https://10.1.2.3:8443." in told
    assert told.endswith("\x1b[0m")


def test_it_listens_at_8443_unless_told_otherwise(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LACQUER_PORT", raising=False)
    plan = lan.plan(Settings(data_dir=tmp_path))
    assert (plan.port, plan.host, plan.addresses[0]) == (8443, "0.0.0.0", address)
    assert lan.listening(plan, plan.port).url == f"https://{address}:8443"
    assert lan.plan(Settings(data_dir=tmp_path, port=9000)).port == 9000
    monkeypatch.setenv("LACQUER_PORT", "9001")
    assert lan.plan(Settings(data_dir=tmp_path)).port == 9001


def test_a_public_url_would_lead_phones_away(tmp_path: Path) -> None:
    with pytest.raises(LanUnavailable, match="LACQUER_PUBLIC_URL"):
        lan.plan(Settings(data_dir=tmp_path, public_url="https://nails.example"))


# --- the whole of it -------------------------------------------------------------------------------------------------


async def test_links_and_cookies_are_those_of_the_address(served: Served, address: str, trust: ssl.SSLContext) -> None:
    url = await phone_url(served)
    assert re.fullmatch(rf"https://{re.escape(address)}:\d+", url)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as phone:
        async with phone.post(f"{url}{SESSIONS}", json={"mode": "explore", "post_id": 1}, ssl=trust) as response:
            assert response.status == 201
            created = await response.json()
            cookie = response.cookies["__Host-lacquer_owner"]
        assert created["webrtc_url"].startswith(f"{url}{SESSIONS}")
        assert created["ws_url"] == f"{url.replace('https', 'wss')}/ws/tryon/{created['session_id']}/"
        assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["domain"]
        async with phone.ws_connect(created["ws_url"], ssl=trust) as socket:
            assert (await socket.receive_json())["type"] == "ready"
        async with phone.get(f"{url}{SESSIONS}", ssl=trust) as response:
            assert [entry["session_id"] for entry in await response.json()] == [created["session_id"]]


async def test_this_machines_browsers_use_plain_http(served: Served) -> None:
    async with aiohttp.ClientSession() as desktop:
        async with desktop.post(f"{served.url}{SESSIONS}", json={"mode": "explore", "post_id": 1}) as response:
            created = await response.json()
            assert not response.cookies["lacquer_owner"]["secure"], "browsers drop Secure cookies of plain HTTP"
        assert created["webrtc_url"].startswith(served.url)
        assert created["ws_url"].startswith(served.url.replace("http", "ws"))


@pytest.mark.media
async def test_media_is_offered_at_the_address_alone(served: Served, address: str, trust: ssl.SSLContext) -> None:
    url = await phone_url(served)
    async with aiohttp.ClientSession() as phone:
        async with phone.post(f"{url}{SESSIONS}", json={"mode": "explore", "post_id": 1}, ssl=trust) as response:
            created = await response.json()
        headers = {"Content-Type": "application/sdp"}
        async with phone.post(created["webrtc_url"], data=await offer(), headers=headers, ssl=trust) as response:
            assert response.status == 201, await response.text()
            answer = await response.text()
            assert response.headers["Location"].startswith(("/", url))
    offered = {line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate:")}
    assert address in offered
    assert offered <= set(await asyncio.to_thread(lan_addresses))


def test_only_https_is_open_to_the_network(served: Served, address: str) -> None:
    processes = [psutil.Process(served.process.pid), *served.workers()]
    connections = [connection for process in processes for connection in process.net_connections()]
    listening = sorted(connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN)
    assert listening == ["0.0.0.0", "127.0.0.1", "127.0.0.1"]


def test_it_says_what_it_does(served: Served, folder: Path, address: str) -> None:
    told = (folder / "serve.log").read_text()
    assert f"open https://{address}:" in told
    assert "nobody vouches" in told.replace("\n", " ") and "\x1b[97" not in told


def test_the_next_start_keeps_the_certificate(served: Served, folder: Path) -> None:
    """Else every start would ask the phone's owner again."""
    kept = (folder / "data" / "lan" / "certificate.pem").read_bytes()
    assert lan.plan(Settings(data_dir=folder / "data")).certificate.path.read_bytes() == kept


def test_this_machines_browsers_get_another_port_where_the_usual_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded.listen("127.0.0.1", 0) as other:
        usual = other.getsockname()[1]
        monkeypatch.setattr(embedded, "LOCAL_PORT", usual)
        with embedded._listen_here(taken=8443, any_port=False) as here:
            assert here.getsockname()[1] != usual
    with embedded._listen_here(taken=8443, any_port=False) as here:
        assert here.getsockname()[1] == usual
    with embedded._listen_here(taken=usual, any_port=False) as here:
        assert here.getsockname()[1] != usual, "phones have it"
