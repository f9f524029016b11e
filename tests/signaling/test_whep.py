"""Watching: who may, where a viewer is led, and what it is told while there is nothing to see."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from protocol import limits
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_webrtc import FRAGMENT, OFFER, SDP, post_offer


def path_of(url: str) -> str:
    return "/whep/" + url.rpartition("/whep/")[2]


async def watch(lacquer: Lacquer, url: str, **headers: str) -> aiohttp.ClientResponse:
    return await lacquer.client.post(path_of(url), data=OFFER, headers={**SDP, **headers})


async def published(lacquer: Lacquer) -> dict[str, Any]:
    created = await lacquer.create()
    assert (await post_offer(lacquer, created["session_id"])).status == 201
    return created


async def test_whoever_has_the_watch_address_may_watch_and_nothing_else(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await published(lacquer)
    response = await watch(lacquer, created["watch_url"])
    assert response.status == 201
    assert response.headers["Location"] == f"{created['watch_url']}/viewer-1"
    assert created["session_id"] not in created["watch_url"]
    path = path_of(response.headers["Location"])
    headers = {**FRAGMENT, "If-Match": '"viewer-1"'}
    assert (await lacquer.client.patch(path, data=b"a=mid:0\r\n", headers=headers)).status == 204
    assert worker.sessions[created["session_id"]].viewers["viewer-1"] == [b"a=mid:0\r\n"]
    assert (await lacquer.client.delete(path.replace("viewer-1", "peer-1"))).status == 200
    assert worker.sessions[created["session_id"]].peers, "a viewer hangs nobody else up"
    for _ in range(2):
        assert (await lacquer.client.delete(path)).status == 200
    assert not worker.sessions[created["session_id"]].viewers
    watch_id = created["watch_url"].rpartition("/")[2]
    await refused(await post_offer(lacquer, watch_id), 404, "not_found")


async def test_a_sessions_id_needs_its_token(lacquer: Lacquer) -> None:
    created, other = await published(lacquer), await lacquer.create()
    await refused(await watch(lacquer, created["whep_url"]), 401, "unauthorized")
    theirs = f"Bearer {other['token']}"
    await refused(await watch(lacquer, created["whep_url"], Authorization=theirs), 403, "forbidden")
    response = await watch(lacquer, created["whep_url"], Authorization=f"Bearer {created['token']}")
    assert response.status == 201
    assert response.headers["Location"] == f"{created['whep_url']}/viewer-1"


@pytest.mark.parametrize("name", [str(uuid4()), "A" * 22, "nothing"])
async def test_what_does_not_exist_cannot_be_watched(lacquer: Lacquer, name: str) -> None:
    created = await lacquer.create()
    response = await watch(lacquer, f"/whep/{name}", Authorization=f"Bearer {created['token']}")
    document = await refused(response, 404, "not_found")
    assert name in document.detail


async def test_without_a_publisher_a_viewer_is_told_when_to_come_back(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create()
    early = await watch(lacquer, created["watch_url"])
    assert early.headers["Retry-After"] == str(limits.PUBLISHER_RETRY_AFTER)
    await refused(early, 409, "no_publisher")
    assert worker.sessions == {}, "a viewer places no session on a worker"
    await post_offer(lacquer, created["session_id"])
    await lacquer.client.delete(f"{SESSIONS}{created['session_id']}/webrtc/peer-1/")
    late = await watch(lacquer, created["watch_url"])
    assert late.headers["Retry-After"] == str(limits.PUBLISHER_RETRY_AFTER), "also where the worker says so"
    await refused(late, 409, "no_publisher")
    worker.sessions.clear()
    await refused(await watch(lacquer, created["watch_url"]), 409, "no_publisher")


async def test_the_ninth_viewer_is_refused_and_the_session_stays_where_it_is(start: Start) -> None:
    async with FakeWorker() as one, FakeWorker() as two:
        lacquer = await start(one, two)
        created = await published(lacquer)
        owner = await lacquer.router.owner(created["session_id"])
        for _ in range(limits.MAX_VIEWERS):
            assert (await watch(lacquer, created["watch_url"])).status == 201
        ninth = await watch(lacquer, created["watch_url"])
        assert int(ninth.headers["Retry-After"]) > 0
        await refused(ninth, 503, "at_capacity")
        assert await lacquer.router.owner(created["session_id"]) == owner
        report = (one if owner == one.url else two).sessions[created["session_id"]].report()
        assert (report.viewers, report.connections) == (limits.MAX_VIEWERS, 1)


async def test_a_viewer_finds_a_session_that_moved(start: Start) -> None:
    async with FakeWorker() as first, FakeWorker() as second:
        lacquer = await start(first, second)
        created = await published(lacquer)
        old, new = (first, second) if created["session_id"] in first.sessions else (second, first)
        await old.stop()
        assert (await post_offer(lacquer, created["session_id"])).status == 201
        assert (await watch(lacquer, created["watch_url"])).status == 201
        assert new.sessions[created["session_id"]].viewers


async def test_an_ended_session_is_gone(lacquer: Lacquer) -> None:
    created = await published(lacquer)
    await lacquer.client.delete(f"{SESSIONS}{created['session_id']}/")
    await refused(await watch(lacquer, created["watch_url"]), 410, "session_ended")


async def test_players_tell_the_address_by_its_type(lacquer: Lacquer) -> None:
    """draft-ietf-wish-whep, WHEP Endpoint URL Discoverability."""
    created = await lacquer.create()
    for method in ("GET", "HEAD"):
        response = await lacquer.client.request(method, path_of(created["watch_url"]))
        assert (response.status, response.content_type, await response.read()) == (200, "application/sdp", b"")
    options = await lacquer.client.options(path_of(created["watch_url"]))
    assert (options.status, options.headers["Accept-Post"]) == (200, "application/sdp")
    await refused(await lacquer.client.put(path_of(created["watch_url"])), 405, "method_not_allowed")
