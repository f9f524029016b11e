"""Bodies within bounds: 100 MB by length and in pieces, bombs, broken forms."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from protocol import limits
from signaling import uploads
from tests.signaling.conftest import RESULTS, SESSIONS, Client, Lacquer, refused
from tests.signaling.fake_worker import picture
from tests.signaling.test_images import png_bomb, webp_bomb

PIECE = bytes(2**18)
FORM = {"Content-Type": "multipart/form-data; boundary=frontier"}
NAMED = b'--frontier\r\nContent-Disposition: form-data; name="a"\r\n'
PART = b'--frontier\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n\r\n'


async def hundred_megabytes(sent: list[int], start: bytes = PART % b"nail_reference_image") -> AsyncIterator[bytes]:
    yield start
    for _ in range(400):
        sent[0] += len(PIECE)
        yield PIECE


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def answered_early(client: Client, path: str, headers: dict[str, str], start: bytes) -> tuple[int, bytes]:
    """Status and body of an answer that comes while the body is still being sent, raw: aiohttp's client would wait."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **headers}.items())
    writer.write(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + start)
    async with asyncio.timeout(2):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body


@pytest.mark.parametrize("path", [SESSIONS, RESULTS])
@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=frontier", "application/json"])
async def test_100_mb_by_its_length_is_refused_before_a_byte_is_read(
    lacquer: Lacquer, path: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "Content-Length": str(100 * 2**20)}
    status, body = await answered_early(lacquer.client, path, headers, b"")
    assert status == 413
    assert b'"code":"too_large"' in body


async def test_curl_asks_first_and_is_told_without_sending(lacquer: Lacquer) -> None:
    headers = {**FORM, "Content-Length": str(100 * 2**20), "Expect": "100-continue"}
    status, _ = await answered_early(lacquer.client, SESSIONS, headers, b"")
    assert status == 413


@pytest.mark.parametrize("path", [SESSIONS, RESULTS])
async def test_100_mb_in_pieces_stops_at_the_limit(lacquer: Lacquer, path: str) -> None:
    before, sent = peak_mb(), [0]
    name = b"nail_reference_image" if path == SESSIONS else b"processed_image"
    body = hundred_megabytes(sent, PART % name)
    response = await lacquer.client.post(path, data=body, headers=FORM)
    await refused(response, 413, "too_large")
    assert peak_mb() - before < 60
    assert (await lacquer.get("/healthz"))["status"] == "ok"


async def test_100_mb_of_json_in_pieces_stops_at_the_limit(lacquer: Lacquer) -> None:
    body = hundred_megabytes([0], b'{"mode":"')
    response = await lacquer.client.post(SESSIONS, data=body, headers={"Content-Type": "application/json"})
    await refused(response, 413, "too_large")


async def test_a_field_that_is_no_file_has_a_small_limit(lacquer: Lacquer) -> None:
    form = aiohttp.FormData({"mode": "x" * (limits.MAX_JSON_SIZE + 1)}, default_to_multipart=True)
    await refused(await lacquer.client.post(SESSIONS, data=form), 413, "too_large")


@pytest.mark.parametrize("bomb", [png_bomb(), webp_bomb(b"VP8X"), picture(image_format="GIF"), b"GIF89a"])
async def test_an_image_bomb_is_a_bad_image(lacquer: Lacquer, bomb: bytes) -> None:
    form = aiohttp.FormData({"mode": "upload"})
    form.add_field("nail_reference_image", bomb, filename="nails.png")
    started = time.monotonic()
    await refused(await lacquer.client.post(SESSIONS, data=form), 422, "bad_image")
    assert time.monotonic() - started < 2


async def test_a_packed_body_does_not_unpack_over_the_limit(lacquer: Lacquer) -> None:
    import gzip  # noqa: PLC0415

    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await lacquer.client.post(SESSIONS, data=gzip.compress(bytes(50 * 2**20)), headers=headers)
    assert response.status in (400, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--frontier\r\n",
        b"--frontier\r\nContent-Disposition: form-data\r\n\r\nx\r\n--frontier--\r\n",
        b'--frontier\r\nContent-Disposition: form-data; name="mode"\r\n\r\n\xff\xfe\r\n--frontier--\r\n',
        b'--frontier\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        b"--b\r\n\r\nx\r\n--b--\r\n--frontier--\r\n",
        b"".join(PART % (b"f%d" % i) + b"x\r\n" for i in range(40)) + b"--frontier--\r\n",
        b'--frontier\r\nContent-Disposition: form-data; name="a\x13b"\r\n\r\nx\r\n--frontier--\r\n',
        b'--frontier\r\nContent-Disposition: form-data; name="a"\r\nNo colon\r\n\r\nx\r\n--frontier--\r\n',
        b"--frontier\r\n" + b"X: y\r\n" * 5000 + b"\r\nx\r\n--frontier--\r\n",
        b"--frontier\r\nX: " + b"y" * 50_000 + b"\r\n\r\nx\r\n--frontier--\r\n",
        NAMED + b"Content-Length: 99999999999\r\n\r\nx\r\n--frontier--\r\n",
        NAMED + b"Content-Length: -1\r\n\r\nx\r\n--frontier--\r\n",
        NAMED + b"Content-Length: x\r\n\r\nx\r\n--frontier--\r\n",
        NAMED + b"Content-Transfer-Encoding: x\r\n\r\nx\r\n--frontier--\r\n",
        PART % b"_charset_" + b"x" * 100 + b"\r\n--frontier--\r\n",
        PART % b"nail_reference_image" + b"cut off in the mid",
    ],
)
async def test_broken_forms_are_bad_requests_or_missing_fields(lacquer: Lacquer, body: bytes) -> None:
    response = await lacquer.client.post(SESSIONS, data=body, headers=FORM)
    assert response.status in (400, 422), await response.text()
    assert response.content_type == "application/problem+json"


async def test_a_file_that_nobody_asked_for_is_ignored(lacquer: Lacquer) -> None:
    form = aiohttp.FormData()
    form.add_field("other", b"\xff\xd8 no text", filename="other.jpg")
    form.add_field("nail_reference_image", picture(), filename="nails.jpg")
    response = await lacquer.client.post(SESSIONS, data=form)
    assert response.status == 201, await response.text()


@pytest.mark.parametrize("headers", [FORM, {"Content-Type": "application/json"}])
async def test_a_body_that_does_not_unpack_is_a_bad_request(lacquer: Lacquer, headers: dict[str, str]) -> None:
    headers = {**headers, "Content-Encoding": "gzip", "Content-Length": "5"}
    status, body = await answered_early(lacquer.client, SESSIONS, headers, b"\x1f\x8b123")
    assert status == 400
    assert b'"code":"bad_request"' in body


async def test_a_form_without_a_boundary_is_a_bad_request(lacquer: Lacquer) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    await refused(await lacquer.client.post(SESSIONS, data=b"x", headers=headers), 400, "bad_request")


async def test_a_body_that_never_ends_is_given_up(lacquer: Lacquer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "READ_TIMEOUT", 0.2)
    headers = {"Content-Type": "application/json", "Content-Length": "20"}
    status, body = await answered_early(lacquer.client, SESSIONS, headers, b"{")
    assert status == 408
    assert b'"code":"silent_peer"' in body


async def slow(release: asyncio.Event, start: bytes = b"") -> AsyncIterator[bytes]:
    yield PART % b"nail_reference_image" + start
    await release.wait()
    yield b"\r\n--frontier--\r\n"


async def test_uploads_that_never_end_take_nobodys_place(lacquer: Lacquer) -> None:
    release = asyncio.Event()
    stuck = [
        asyncio.create_task(lacquer.client.post(SESSIONS, data=slow(release), headers=FORM))
        for _ in range(3 * uploads.MAX_AT_ONCE)
    ]
    await asyncio.sleep(0.2)
    form = aiohttp.FormData({"mode": "upload"})
    form.add_field("nail_reference_image", picture(), filename="nails.jpg")
    response = await lacquer.client.post(SESSIONS, data=form)
    assert response.status == 201, await response.text()
    release.set()
    statuses = {(await each).status for each in stuck}
    assert statuses <= {422, 503}, "all of them end at once, which is more than are worked on"


@pytest.mark.parametrize("content_type", [FORM["Content-Type"], "application/json"])
async def test_what_has_come_of_uploads_is_bounded_in_all(
    lacquer: Lacquer, monkeypatch: pytest.MonkeyPatch, content_type: str
) -> None:
    monkeypatch.setattr(uploads, "MAX_HELD", 300_000)
    release = asyncio.Event()
    sent = slow(release, bytes(200_000))
    first = asyncio.create_task(lacquer.client.post(SESSIONS, data=sent, headers=FORM))
    await asyncio.sleep(0.2)
    body = PART % b"processed_image" + bytes(200_000) + b"\r\n--frontier--\r\n"
    headers = {"Content-Type": content_type}
    await refused(await lacquer.client.post(RESULTS, data=body, headers=headers), 503, "at_capacity")
    release.set()
    await refused(await first, 422, "bad_image")
    response = await lacquer.client.post(RESULTS, data=body, headers=headers)
    assert response.status in (400, 404, 422), "there is room again"


async def test_only_a_few_forms_are_worked_on_at_once(lacquer: Lacquer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_AT_ONCE", 0)
    form = aiohttp.FormData({"mode": "upload"}, default_to_multipart=True)
    await refused(await lacquer.client.post(SESSIONS, data=form), 503, "at_capacity")


async def test_pictures_are_checked_one_at_a_time() -> None:
    desk = uploads.Uploads()
    try:
        kept = await asyncio.gather(*(desk.picture(picture(), 32) for _ in range(5)))
        assert {(it.width, it.height) for it in kept} == {(32, 24)}
    finally:
        await desk.close()
