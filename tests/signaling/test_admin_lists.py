"""What an operator is shown of sessions, results and errors, and of nobody else's business."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
import structlog

from protocol.errors import RegistryUnavailable
from signaling.admin_lists import ERRORS, OVERVIEW, RESULTS, SESSION, SESSIONS
from signaling.app import OPERATIONS
from signaling.paging import Page
from signaling.recent_errors import process_name
from tests.signaling.conftest import RESULTS as OWN_RESULTS
from tests.signaling.conftest import Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_admin_api import ADMIN, TOKEN
from tests.signaling.test_openapi import conforms
from tests.signaling.test_session_api import upload

GUARDED = [operation for operation in OPERATIONS if operation.path.startswith("/admin/")]


@pytest.fixture
async def operated(start: Start, worker: FakeWorker) -> Lacquer:
    worker.worker_id, worker.capacity = "w-1", 4
    return await start(worker, admin_token=TOKEN, rate_admin_tokens=0)


async def listed(lacquer: Lacquer, path: str) -> Any:
    response = await lacquer.client.get(path, headers=ADMIN)
    assert response.headers["Cache-Control"] == "no-store"
    return await conforms(response, path.partition("?")[0])


async def test_only_who_shows_the_admin_token_may(operated: Lacquer) -> None:
    made = await operated.create()
    assert len(GUARDED) >= 10
    for operation in GUARDED:
        assert operation.admin, operation.path
        path = operation.path.format(worker_id="w-1", session_id=made["session_id"], result_id="0")
        for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {made['token']}"}):
            response = await operated.client.request(operation.method, path, headers=shown)
            await refused(response, 401, "unauthorized")
    assert (await operated.get(f"/api/try-on/sessions/{made['session_id']}/"))["status"] == "created"


async def test_without_an_admin_token_nobody_may(lacquer: Lacquer) -> None:
    for path in (OVERVIEW, SESSIONS, RESULTS, ERRORS):
        await refused(await lacquer.client.get(path, headers=ADMIN), 403, "forbidden")


async def test_the_overview_counts_and_says_who_speaks(operated: Lacquer) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    await operated.create()
    await operated.sweep()
    shown = await listed(operated, OVERVIEW)
    assert (shown["created"], shown["active"], shown["thumbnails"]) == (1, 1, False)
    assert shown["process"]["name"] == process_name()
    await socket.close()


async def test_a_live_session_is_shown_with_what_its_worker_says_now(operated: Lacquer, worker: FakeWorker) -> None:
    made = await operated.create(post_id=1)
    socket = await operated.connect(made["session_id"])
    held = worker.sessions[made["session_id"]]
    held.statistics = held.statistics.model_copy(update={"fps": 29.5, "frames_dropped": {"superseded": 3}})
    held.nails, held.confidence = 5, 0.9
    (shown,) = await listed(operated, SESSIONS)
    assert (shown["session_id"], shown["worker"], shown["connections"]) == (made["session_id"], "w-1", 1)
    assert (shown["nails"], shown["confidence"]) == (5, 0.9)
    assert shown["statistics"]["fps"] == 29.5
    assert shown["statistics"]["frames_dropped"] == {"superseded": 3}
    assert shown["design"] == {"id": 1, "name": "Classic Red", "colours": shown["design"]["colours"]}
    await socket.close()


async def test_owners_are_told_apart_and_not_named(operated: Lacquer) -> None:
    await operated.create()
    operated.clock.advance(1)
    await operated.create()
    operated.clock.advance(1)
    async with operated.stranger() as stranger:
        await stranger.post("/api/try-on/sessions/", json={"mode": "explore", "post_id": 1})
    theirs, second, first = (session["owner"] for session in await listed(operated, SESSIONS))
    assert first == second != theirs
    owners = [session.owner for session in await operated.context.store.live_sessions(0, Page(limit=9)) or []]
    text = await (await operated.client.get(SESSIONS, headers=ADMIN)).text()
    assert owners and not any(owner in text or owner.partition(":")[2] in text for owner in owners)


async def test_a_silent_worker_holds_nothing_up(operated: Lacquer, worker: FakeWorker) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    worker.delay = 5
    async with asyncio.timeout(3):
        (shown,) = await listed(operated, SESSIONS)
    assert (shown["worker"], shown["connections"]) == ("w-1", None)
    worker.delay = 0
    await socket.close()


async def test_sessions_are_listed_while_nobody_knows_where_they_are(
    operated: Lacquer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_session_id: str) -> str | None:
        raise RegistryUnavailable

    await operated.create()
    monkeypatch.setattr(operated.router, "owner", away)
    (shown,) = await listed(operated, SESSIONS)
    assert shown["worker"] is None


async def test_lists_are_bounded_and_go_on_although_the_last_session_is_over(operated: Lacquer) -> None:
    made = []
    for _ in range(3):
        made.append((await operated.create())["session_id"])
        operated.clock.advance(1)
    response = await operated.client.get(f"{SESSIONS}?limit=2", headers=ADMIN)
    assert [session["session_id"] for session in await response.json()] == made[:0:-1]
    await operated.client.delete(SESSION.format(session_id=made[1]), headers=ADMIN)
    rest = await operated.follow(str(response.links["next"]["url"]), headers=ADMIN)
    assert made[0].encode() in rest.body and made[1].encode() not in rest.body
    assert rest.next_link == ""
    for path in (SESSIONS, RESULTS, ERRORS):
        await refused(await operated.client.get(f"{path}?limit=201", headers=ADMIN), 422, "invalid_fields")


async def test_sessions_that_are_over_are_not_listed(operated: Lacquer) -> None:
    made = await operated.create()
    operated.clock.advance(3600)
    assert await listed(operated, SESSIONS) == []
    response = await operated.client.delete(SESSION.format(session_id=made["session_id"]), headers=ADMIN)
    await refused(response, 410, "session_ended")


async def test_a_session_is_ended(operated: Lacquer, worker: FakeWorker) -> None:
    made = await operated.create()
    socket = await operated.connect(made["session_id"])
    response = await operated.client.delete(SESSION.format(session_id=made["session_id"]), headers=ADMIN)
    assert response.status == 204
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert worker.ended == [(made["session_id"], "ended")]
    assert await listed(operated, SESSIONS) == []


async def test_results_of_everybody_are_listed_without_what_their_owners_wrote(operated: Lacquer) -> None:
    async with operated.client.post("/api/try-on/sessions/", data=upload(picture())) as response:
        uploaded = (await response.json())["session_id"]
    for session_id in ((await operated.create())["session_id"], uploaded):
        form = aiohttp.FormData({"session_id": session_id, "metadata": '{"for": "my secret sister"}'})
        form.add_field("processed_image", picture(), filename="snap.jpg")
        assert (await operated.client.post(OWN_RESULTS, data=form)).status == 201
        operated.clock.advance(1)
    photo, classic = await listed(operated, RESULTS)
    assert (classic["design"]["id"], classic["width"], classic["height"]) == (1, 64, 48)
    assert photo["design"]["id"] is None
    assert "secret" not in str([photo, classic])


async def test_errors_hold_nothing_secret(operated: Lacquer, worker: FakeWorker) -> None:
    made = (await operated.create())["session_id"]
    structlog.get_logger().warning(
        "worker unreachable",
        url=worker.url,
        session=made,
        error="worker_unavailable",
        token=TOKEN,
        peer="203.0.113.9",
        body=b"\xff\xd8\xff",
    )
    shown = await listed(operated, ERRORS)
    newest = shown["errors"][0]
    assert shown["process"] == process_name()
    assert (newest["event"], newest["code"], newest["session_id"]) == (
        "worker unreachable",
        "worker_unavailable",
        made,
    )
    assert (newest["worker"], newest["count"]) == ("w-1", 1)
    assert not [secret for secret in (TOKEN, "203.0.113.9", "127.0.0.1", "http:", "xff") if secret in str(shown)]
