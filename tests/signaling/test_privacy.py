"""What is kept, and what is not: the table in signaling/README.md, row by row. Also against `lacquer serve` itself."""

from __future__ import annotations

import asyncio
import base64
import io
import ipaddress
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from media_worker import drawn_hand
from protocol import framing
from tests.rtc_client import RtcClient
from tests.serving import Served, lacquer_serve
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_own_designs import ADMIN, DESIGNS, TOKEN, photo
from tests.signaling.test_session_api import upload

SOMEWHERE = "203.0.113.77"
"""A client's address, as the proxy in front says it."""

ELSEWHERE = b"my own bedroom"
"""What nobody should learn from a picture."""


def telling(image_format: str) -> bytes:
    """A picture that says where it was taken, in every way that its format has."""
    exif = Image.Exif()
    exif[0x010E] = ELSEWHERE.decode()
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0), 29: "2026:01:01"}
    more: dict[str, Any] = {"exif": exif, "xmp": b"<x:xmpmeta>" + ELSEWHERE + b"</x:xmpmeta>"}
    if image_format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", ELSEWHERE.decode())
        more = {"exif": exif, "pnginfo": text}
    if image_format == "JPEG":
        more["comment"] = ELSEWHERE
    output = io.BytesIO()
    Image.new("RGB", (64, 48), "#B3001B").save(output, image_format, **more)
    assert output.getvalue().count(ELSEWHERE) >= 2
    return output.getvalue()


def is_silent(data: bytes) -> bool:
    image = Image.open(io.BytesIO(data))
    tells = {"exif", "xmp", "comment", "Comment"} & image.info.keys()
    return not (tells or image.getexif() or ELSEWHERE in data)


FORMATS = pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])


async def stored(folder: Path) -> dict[str, bytes]:
    """Every blob there is."""

    def read() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (folder / "blobs").rglob("*") if path.is_file()}

    return await asyncio.to_thread(read)


# --- pictures --------------------------------------------------------------------------------------------------------
@FORMATS
async def test_a_reference_picture_is_sent_on_without_its_place_and_kept_nowhere(
    lacquer: Lacquer, worker: FakeWorker, tmp_path: Path, image_format: str
) -> None:
    response = await lacquer.client.post(SESSIONS, data=upload(telling(image_format)))
    session_id = (await response.json())["session_id"]
    assert worker.pictures and all(is_silent(sent) for sent in worker.pictures)
    assert [worker.pictures[0] in blob for blob in (await stored(tmp_path)).values()] == [False]  # the nails alone
    await lacquer.client.delete(f"{SESSIONS}{session_id}/")
    assert await stored(tmp_path) == {}, "which go with the session"


async def test_nails_of_an_expired_session_are_gone(lacquer: Lacquer, tmp_path: Path) -> None:
    await lacquer.client.post(SESSIONS, data=upload(picture()))
    assert len(await stored(tmp_path)) == 1
    lacquer.clock.advance(1801)
    await lacquer.sweep()
    assert await stored(tmp_path) == {}


@FORMATS
async def test_a_still_is_sent_on_without_its_place(lacquer: Lacquer, worker: FakeWorker, image_format: str) -> None:
    data = upload(picture(), telling(image_format))
    assert (await lacquer.client.post(SESSIONS, data=data)).status == 201
    assert is_silent(base64.b64decode(worker.stills[0].model_dump(mode="json")["image"]))


@FORMATS
@pytest.mark.parametrize("as_json", [False, True])
async def test_a_result_is_kept_without_its_place_until_it_is_deleted(
    lacquer: Lacquer, tmp_path: Path, image_format: str, as_json: bool
) -> None:
    session_id, image = (await lacquer.create())["session_id"], telling(image_format)
    form = aiohttp.FormData({"session_id": session_id})
    form.add_field("processed_image", image, filename="a.jpg")
    encoded = {"session_id": session_id, "processed_image": base64.b64encode(image).decode()}
    sent: dict[str, Any] = {"json": encoded} if as_json else {"data": form}
    kept = await (await lacquer.client.post(RESULTS, **sent)).json()
    assert [is_silent(blob) for blob in (await stored(tmp_path)).values()] == [True]
    assert is_silent((await lacquer.follow(kept["image_url"])).body)
    assert (await lacquer.client.delete(f"{RESULTS}{kept['result_id']}/")).status == 204
    assert await stored(tmp_path) == {}


@FORMATS
async def test_an_own_designs_photo_is_sent_on_without_its_place_and_kept_nowhere(
    start: Start, worker: FakeWorker, tmp_path: Path, image_format: str
) -> None:
    shop = await start(worker, admin_token=TOKEN)
    response = await shop.client.post(DESIGNS, data=photo(image=telling(image_format)), headers=ADMIN)
    design_id = (await response.json())["id"]
    assert worker.pictures and all(is_silent(sent) for sent in worker.pictures)
    assert [worker.pictures[0] in blob for blob in (await stored(tmp_path)).values()] == [False]
    await shop.client.delete(f"{DESIGNS}{design_id}/", headers=ADMIN)
    assert await stored(tmp_path) == {}


# --- rows of the database --------------------------------------------------------------------------------------------
async def test_a_session_is_an_id_times_settings_and_counters(lacquer: Lacquer, tmp_path: Path) -> None:
    headers = {"X-Forwarded-For": SOMEWHERE, "User-Agent": "A Phone of Somebody"}
    created = await lacquer.create(headers=headers)
    written = await asyncio.to_thread(_database, tmp_path)
    assert created["session_id"] in written
    for secret in (SOMEWHERE, "A Phone of Somebody", created["token"], "eyJ"):
        assert secret not in written


def _database(folder: Path) -> str:
    with sqlite3.connect(folder / "lacquer.db") as database:
        return "\n".join(database.iterdump())


# --- a whole session, as `lacquer serve` serves it -------------------------------------------------------------------
@dataclass
class Watched:
    served: Served
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def files(self) -> set[str]:
        """All but the database's, which hold rows, and the networks', which a worker reads while it starts."""
        found = (path for base in ("data", "tmp") for path in (self.folder / base).rglob("*") if path.is_file())
        return {path.name for path in found if not re.search(r"^lacquer\.db|\.tflite$", path.name)}

    def bytes_kept(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "tmp").mkdir()
    settings = {"LACQUER_DEBUG": "true", "LACQUER_LOG_LEVEL": "DEBUG", "TMPDIR": str(folder / "tmp")}
    with lacquer_serve(folder, "--workers", "1", **settings) as served:
        yield Watched(served, folder)


@pytest.fixture
async def http(watched: Watched) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"X-Forwarded-For": SOMEWHERE}
    async with aiohttp.ClientSession(watched.served.url, headers=headers) as session:
        yield session


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    return [drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(still=True), 0.5)]


async def begin(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.post(SESSIONS, json={"mode": "explore", "post_id": 1}) as response:
        created: dict[str, Any] = await response.json()
        return created


@pytest.mark.media
async def test_a_streamed_session_leaves_no_file(
    watched: Watched, http: aiohttp.ClientSession, clip: list[np.ndarray]
) -> None:
    """Frames live in memory alone, whichever way they come; the log tells nothing of who sent them, or what."""
    before = watched.files()
    created = await begin(http)
    seen: list[str] = []

    async def offer(sdp: str) -> str:
        async with http.post(created["webrtc_url"], data=sdp, headers={"Content-Type": "application/sdp"}) as response:
            seen.extend((sdp, await response.text()))
            return seen[-1]

    async with RtcClient(clip) as client:
        await client.connect(offer)
        await client.until(lambda: len(client.pictures) >= 3, seconds=60)
        client.say(type="capture", format="jpeg")
        await client.until(lambda: client.binaries, seconds=60)
        photo = client.binaries[-1][1]
    frame = telling("JPEG")
    async with http.ws_connect(created["ws_url"]) as socket:
        await socket.send_bytes(framing.pack({"type": "frame", "frame_number": 1, "timestamp": 1}, frame))
        processed = next(data for data in [(await socket.receive()).data for _ in range(4)] if isinstance(data, bytes))
        assert is_silent(framing.unpack(processed)[1])
        await socket.send_bytes(framing.pack({"type": "frame", "frame_number": 2, "timestamp": 2}, frame[:200]))
        await socket.receive()
    assert await asyncio.to_thread(watched.files) == before
    kept = await asyncio.to_thread(watched.bytes_kept)
    for image in (photo, frame, framing.unpack(processed)[1]):
        assert image[100:160] not in kept
    await say_wrong_things(http, created, seen[0])
    assert await asyncio.to_thread(watched.files) == before
    await nothing_is_told(watched, created, seen, [photo, frame])


async def say_wrong_things(http: aiohttp.ClientSession, created: dict[str, Any], sdp: str) -> None:
    """Whatever makes somebody write a line."""
    token, kind = created["token"], {"Content-Type": "application/sdp"}
    shown = {"Authorization": f"Bearer {token}"}
    for method, path, options in (
        ("GET", f"{SESSIONS}?token={token}", {"headers": {"Authorization": f"Bearer {token[:-4]}"}}),
        ("GET", f"/no/such/page?token={token}", {"headers": shown}),
        ("POST", created["webrtc_url"], {"data": sdp[: len(sdp) // 2], "headers": shown | kind}),
        ("POST", created["webrtc_url"], {"data": sdp.replace("candidate:", "candidate:x"), "headers": shown | kind}),
        ("POST", SESSIONS, {"data": upload(telling("JPEG")[:500]), "headers": shown}),
        ("POST", RESULTS, {"json": {"session_id": created["session_id"], "processed_image": "AAAA"}, "headers": shown}),
        ("DELETE", f"{SESSIONS}{created['session_id']}/", {"headers": shown}),
    ):
        async with http.request(method, path, **options) as response:
            await response.read()
    address = http._base_url
    assert address is not None
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"GET /?token={token} HTTP/1.1\r\nBroken\x01: Bearer {token}\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def nothing_is_told(watched: Watched, created: dict[str, Any], sdps: list[str], images: list[bytes]) -> None:
    log = await asyncio.to_thread(lambda: watched.log)
    assert "[debug" in log and f"route={SESSIONS}" in log, "or this test saw nothing"
    addresses = {it for sdp in sdps for it in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", sdp)} | {SOMEWHERE}
    hidden = [it for it in addresses if not ipaddress.ip_address(it).is_loopback and it != "0.0.0.0"]
    passwords = [it for sdp in sdps for it in re.findall(r"a=ice-(?:pwd|ufrag):(\S{8,})|fingerprint:\S+ (\S+)", sdp)]
    pieces = [base64.b64encode(image).decode()[:24] for image in images] + [repr(image[:12])[2:-1] for image in images]
    for secret in (created["token"][:30], "eyJ", *hidden, *map("".join, passwords), *pieces, "a=candidate", "v=0"):
        assert secret not in log, [line for line in log.splitlines() if secret in line]
