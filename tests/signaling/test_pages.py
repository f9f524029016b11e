"""The page and its files, as HTTP sends them."""

from __future__ import annotations

import gzip
import re

import pytest

from signaling import pages
from signaling.pages import web_folder
from tests.signaling.conftest import Lacquer, Start, refused

PLAIN = {"Accept-Encoding": "identity"}


@pytest.mark.parametrize("path", ["/", "/try-on/live", "/try-on/live/"])
async def test_the_page_is_served_fresh(lacquer: Lacquer, path: str) -> None:
    response = await lacquer.client.get(path)
    assert (response.status, response.content_type, response.charset) == (200, "text/html", "utf-8")
    assert response.headers["Cache-Control"] == "no-cache"
    again = await lacquer.client.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304
    assert again.headers["ETag"] == response.headers["ETag"]


@pytest.mark.parametrize("path", ["/admin", "/admin/"])
async def test_the_operators_page_is_served_and_may_do_less(lacquer: Lacquer, path: str) -> None:
    response = await lacquer.client.get(path)
    assert (response.status, response.content_type) == (200, "text/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "trusted-types 'none'" in policy
    assert "unsafe" not in policy
    text = await response.text()
    (main,) = re.findall(r'src="(/static/@\w+/admin/main\.js)"', text)
    assert (await lacquer.client.get(main)).headers["Cache-Control"] == pages.FOREVER


async def test_the_operators_page_is_no_part_of_a_visit(lacquer: Lacquer) -> None:
    for path in ("/", "/service-worker.js"):
        assert "/admin/" not in await (await lacquer.client.get(path)).text()


async def test_files_are_served_and_nothing_else(lacquer: Lacquer) -> None:
    script = await lacquer.client.get("/static/main.js")
    assert script.content_type == "text/javascript"
    assert script.headers["Cache-Control"] == "no-cache"
    assert script.headers["X-Content-Type-Options"] == "nosniff"
    outside = (
        "/static/..%2fpyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static//etc/passwd",
        "/static/@a/..%2fx",
    )
    for path in ("/static/nothing.js", "/static/", "/static/%00", f"/static/{'x' * 300}", "/static/@", *outside):
        await refused(await lacquer.client.get(path), 404, "not_found")


async def test_what_can_be_compressed_is(lacquer: Lacquer) -> None:
    small = await lacquer.client.get("/static/main.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    plain = await lacquer.client.get("/static/main.js", headers=PLAIN)
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    body = await plain.read()
    assert gzip.decompress(await small.read()) == body
    assert body.startswith(b"/** Wires the page to the session")
    assert small.headers["ETag"] != plain.headers["ETag"], "other bytes, another name"
    assert int(small.headers["Content-Length"]) < len(body) / 2
    picture = await lacquer.client.get("/static/screenshot.webp")
    assert (picture.content_type, picture.headers.get("Content-Encoding")) == ("image/webp", None)


async def test_code_is_kept_for_good_under_its_version_alone(lacquer: Lacquer) -> None:
    text = await (await lacquer.client.get("/")).text()
    address = next(iter(re.findall(r'src="(/static/@\w+/main\.js)"', text)))
    assert (await lacquer.client.get(address)).headers["Cache-Control"] == pages.FOREVER
    overtaken = await lacquer.client.get("/static/@0123456789ab/main.js")
    assert (overtaken.status, overtaken.headers["Cache-Control"]) == (200, "no-cache")


async def test_only_this_site_frames_the_page_unless_told(start: Start) -> None:
    alone = await (await start()).client.get("/")
    assert "frame-ancestors 'self';" in alone.headers["Content-Security-Policy"]
    shop = await (await start(allowed_origins="https://shop.example")).client.get("/")
    assert "frame-ancestors 'self' https://shop.example;" in shop.headers["Content-Security-Policy"]


async def test_sockets_to_the_host_that_browsers_use(start: Start) -> None:
    lacquer = await start(public_url="https://nails.example")
    policy = (await lacquer.client.get("/")).headers["Content-Security-Policy"]
    assert "connect-src 'self' https://nails.example ws://nails.example wss://nails.example;" in policy


async def test_a_host_that_is_none_is_not_repeated(lacquer: Lacquer) -> None:
    await refused(await lacquer.client.get("/", headers={"Host": "a; script-src *"}), 400, "bad_request")


async def test_the_service_worker_may_do_nothing_but_fetch(lacquer: Lacquer) -> None:
    worker = await lacquer.client.get("/service-worker.js")
    assert worker.content_type == "text/javascript"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert worker.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"


async def test_unknown_pages_and_methods_are_problems(lacquer: Lacquer) -> None:
    await refused(await lacquer.client.get("/nowhere"), 404, "not_found")
    await refused(await lacquer.client.get("/%ff%fe"), 404, "not_found")
    wrong = await lacquer.client.put("/api/try-on/sessions/")
    await refused(wrong, 405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_the_folder_is_found() -> None:
    assert (web_folder() / "index.html").is_file()
