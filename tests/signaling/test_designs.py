"""The catalogue and ICE servers over REST."""

from __future__ import annotations

import pytest

from protocol.designs import catalogue
from tests.signaling.conftest import Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture

DESIGNS = "/api/try-on/designs/"


async def test_the_catalogue_is_listed_in_its_order(lacquer: Lacquer) -> None:
    listed = await lacquer.get(DESIGNS)
    assert [entry["id"] for entry in listed] == list(catalogue())
    assert listed[0]["thumbnail_url"].endswith("/api/try-on/designs/1/thumbnail")
    assert (await lacquer.get(f"{DESIGNS}1/")) == listed[0]


async def test_a_thumbnail_is_drawn_once_and_kept_by_browsers(lacquer: Lacquer, worker: FakeWorker) -> None:
    first = await lacquer.client.get(f"{DESIGNS}1/thumbnail")
    again = await lacquer.client.get(f"{DESIGNS}1/thumbnail", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.content_type, await first.read()) == ("image/webp", picture(image_format="WEBP"))
    assert "max-age" in first.headers["Cache-Control"]
    assert again.status == 304
    assert [(asked.design_id, asked.view) for asked in worker.previews] == [(1, "finger")]


async def test_a_preview_is_the_design_on_a_hand(lacquer: Lacquer, worker: FakeWorker) -> None:
    answer = await lacquer.client.get(f"{DESIGNS}1/preview")
    assert answer.status == 200
    assert [(asked.design_id, asked.view) for asked in worker.previews] == [(1, "hand")]


@pytest.mark.parametrize("design_id", ["0", "99999", "9" * 40, "x", "-1", "1.0", "\u0661"])
async def test_unknown_designs(lacquer: Lacquer, design_id: str) -> None:
    await refused(await lacquer.client.get(f"{DESIGNS}{design_id}/"), 404, "unknown_design")
    await refused(await lacquer.client.get(f"{DESIGNS}{design_id}/thumbnail"), 404, "unknown_design")


async def test_without_a_worker_there_is_no_thumbnail(start: Start) -> None:
    lacquer = await start()
    await refused(await lacquer.client.get(f"{DESIGNS}1/thumbnail"), 503, "worker_unavailable")


async def test_ice_servers_come_as_a_browser_takes_them(start: Start, worker: FakeWorker) -> None:
    servers = [{"urls": ["stun:stun.example:3478"]}, {"urls": ["turn:t"], "username": "u", "credential": "c"}]
    lacquer = await start(worker, ice_servers=servers)
    assert await lacquer.get("/api/try-on/ice-servers/") == servers
    assert (await lacquer.create())["ice_servers"] == servers
