"""The WHIP-shaped endpoint: media types, ETags, limits, and which worker is asked."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import aiohttp
import pytest

from protocol import limits
from protocol.errors import AtCapacity
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import ANSWER, FakeWorker

OFFER = b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\n"
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def post_offer(lacquer: Lacquer, session_id: str, offer: bytes = OFFER) -> aiohttp.ClientResponse:
    return await lacquer.client.post(f"{SESSIONS}{session_id}/webrtc/", data=offer, headers=SDP)


async def connected(lacquer: Lacquer) -> tuple[str, str]:
    """(session id, path of its connection)."""
    session_id = (await lacquer.create())["session_id"]
    response = await post_offer(lacquer, session_id)
    assert response.status == 201, await response.text()
    return session_id, response.headers["Location"].partition(str(lacquer.client.port))[2]


async def test_an_offer_is_answered_as_rfc_9725_says(lacquer: Lacquer) -> None:
    created = await lacquer.create()
    response = await post_offer(lacquer, created["session_id"])
    assert (response.status, response.content_type) == (201, "application/sdp")
    assert await response.read() == ANSWER
    assert response.headers["Location"] == f"{created['webrtc_url']}peer-1/"
    assert response.headers["ETag"] == '"peer-1"'
    assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"


async def test_the_worker_gets_the_session_first(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create(post_id=3)
    await post_offer(lacquer, created["session_id"])
    spec = worker.sessions[created["session_id"]].spec
    assert (spec.design_id, spec.nail_set) == (3, None)
    assert spec.expires_at == pytest.approx(lacquer.clock.now + 1800)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Content-Type": "application/json"}, OFFER, 415, "unsupported_media_type"),
        ({"Content-Type": ""}, OFFER, 415, "unsupported_media_type"),
        (SDP, b"", 400, "bad_sdp"),
        (SDP, b"hello", 400, "bad_sdp"),
        (SDP, OFFER + b"broken", 400, "bad_sdp"),
        (SDP, OFFER + b"a" * limits.MAX_SDP_SIZE, 413, "too_large"),
    ],
)
async def test_wrong_offers_are_told_apart(
    lacquer: Lacquer, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    session_id = (await lacquer.create())["session_id"]
    response = await lacquer.client.post(f"{SESSIONS}{session_id}/webrtc/", data=body, headers=headers)
    await refused(response, status, code)
    assert (await post_offer(lacquer, session_id)).status == 201  # the session lives on


async def test_the_media_types_parameters_do_not_matter(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    headers = {"Content-Type": "application/SDP; charset=utf-8"}
    response = await lacquer.client.post(f"{SESSIONS}{session_id}/webrtc", data=OFFER, headers=headers)
    assert response.status == 201


async def test_a_refused_offer_leaves_the_streaming_connection_alone(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id, _ = await connected(lacquer)
    await refused(await post_offer(lacquer, session_id, OFFER + b"broken"), 400, "bad_sdp")
    assert await lacquer.router.owner(session_id) == worker.url


async def test_unknown_sessions_and_connections(lacquer: Lacquer) -> None:
    await refused(await post_offer(lacquer, str(uuid4())), 404, "not_found")
    session_id = (await lacquer.create())["session_id"]
    path = f"{SESSIONS}{session_id}/webrtc/peer-1/"
    match = {**FRAGMENT, "If-Match": '"peer-1"'}
    await refused(await lacquer.client.patch(path, data=b"a=mid:0", headers=match), 404, "not_found")
    await post_offer(lacquer, session_id)
    await lacquer.client.delete(path)
    await refused(await lacquer.client.patch(path, data=b"a=mid:0", headers=match), 404, "not_found")
    await refused(await lacquer.client.delete(f"{SESSIONS}{session_id}/webrtc/..%2f..%2fx/"), 404, "not_found")


async def test_candidates_are_handed_on(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id, path = await connected(lacquer)
    match = {**FRAGMENT, "If-Match": '"peer-1"'}
    response = await lacquer.client.patch(path, data=b"a=ice-ufrag:x\r\n", headers=match)
    assert response.status == 204
    assert "ETag" not in response.headers and not await response.read()
    assert worker.sessions[session_id].peers["peer-1"] == [b"a=ice-ufrag:x\r\n"]
    await refused(await lacquer.client.patch(path, data=b"x", headers=SDP), 415, "unsupported_media_type")
    big = b"a" * (limits.MAX_SDP_SIZE + 1)
    await refused(await lacquer.client.patch(path, data=big, headers=match), 413, "too_large")


@pytest.mark.parametrize(
    ("tag", "status", "code"),
    [
        (None, 428, "precondition_required"),
        ('"other"', 412, "precondition_failed"),
        ('W/"peer-1"', 412, "precondition_failed"),
        ('"other", "another"', 412, "precondition_failed"),
        ("*", 422, "unsupported"),
        ('"*"', 422, "unsupported"),
    ],
)
async def test_a_fragment_must_be_for_this_connection(
    lacquer: Lacquer, worker: FakeWorker, tag: str | None, status: int, code: str
) -> None:
    session_id, path = await connected(lacquer)
    headers = {**FRAGMENT, **({"If-Match": tag} if tag else {})}
    await refused(await lacquer.client.patch(path, headers=headers, data=b"a=mid:0"), status, code)
    assert worker.sessions[session_id].peers["peer-1"] == [], "and the connection goes on as it was"


async def test_one_of_several_tags_is_enough(lacquer: Lacquer) -> None:
    _, path = await connected(lacquer)
    headers = {**FRAGMENT, "If-Match": '"other", "peer-1"'}
    assert (await lacquer.client.patch(path, headers=headers, data=b"a=mid:0")).status == 204


@pytest.mark.parametrize("tag", [None, '"other"', "*"])
async def test_hanging_up_frees_the_connection_and_keeps_the_session(
    lacquer: Lacquer, worker: FakeWorker, tag: str | None
) -> None:
    """Whatever If-Match says, and twice as well as once."""
    session_id, path = await connected(lacquer)
    for _ in range(2):
        response = await lacquer.client.delete(path, headers={"If-Match": tag} if tag else {})
        assert (response.status, await response.read()) == (200, b"")
    assert worker.sessions[session_id].connections == 0
    assert (await post_offer(lacquer, session_id)).status == 201


async def test_options_say_what_is_taken(lacquer: Lacquer) -> None:
    _, path = await connected(lacquer)
    connection = await lacquer.client.options(path)
    endpoint = await lacquer.client.options(path.rpartition("peer-1")[0])
    assert connection.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert endpoint.headers["Accept-Post"] == "application/sdp"
    assert endpoint.status == connection.status == 200
    assert "POST" in endpoint.headers["Allow"] and "PATCH" in connection.headers["Allow"]


async def test_there_is_nothing_to_get_or_put(lacquer: Lacquer) -> None:
    _, path = await connected(lacquer)
    for at in (path, path.rpartition("peer-1")[0]):
        for method in ("GET", "HEAD"):
            response = await lacquer.client.request(method, at)
            assert (response.status, await response.read()) == (204, b"")
        response = await lacquer.client.put(at, data=b"x")
        assert response.status == 405 and "OPTIONS" in response.headers["Allow"]
        await refused(response, 405, "method_not_allowed")
    await refused(await lacquer.client.post(path, data=OFFER, headers=SDP), 405, "method_not_allowed")


async def test_ice_servers_come_with_the_answer_and_with_options(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, ice_servers=[{"urls": ["stun:stun.example:3478", "stun:two.example"]}])
    session_id = (await lacquer.create())["session_id"]
    links = ['<stun:stun.example:3478>; rel="ice-server"', '<stun:two.example>; rel="ice-server"']
    assert (await post_offer(lacquer, session_id)).headers.getall("Link") == links
    endpoint = f"{SESSIONS}{session_id}/webrtc/"
    assert (await lacquer.client.options(endpoint)).headers.getall("Link") == links
    assert "Link" not in (await lacquer.client.options(f"{SESSIONS}{uuid4()}/webrtc/")).headers


async def test_the_last_slot_goes_to_one(lacquer: Lacquer, worker: FakeWorker) -> None:
    worker.capacity = 1
    ids = [(await lacquer.create())["session_id"] for _ in range(4)]
    worker.delay = 0.05
    answers = await asyncio.gather(*(post_offer(lacquer, session_id) for session_id in ids))
    assert sorted(answer.status for answer in answers) == [201, 503, 503, 503]
    full = next(answer for answer in answers if answer.status == 503)
    await refused(full, 503, "at_capacity")
    assert "Retry-After" in full.headers


async def test_where_one_worker_is_full_after_all_another_serves(start: Start) -> None:
    async with FakeWorker() as full, FakeWorker() as free:
        lacquer = await start(full, free)
        session_id = (await lacquer.create())["session_id"]
        full.refusal = AtCapacity()
        free.refusal = None
        for _ in range(2):  # whichever was tried first
            assert (await post_offer(lacquer, session_id)).status == 201
        assert await lacquer.router.owner(session_id) == free.url


async def test_where_one_worker_died_another_serves_at_once(start: Start) -> None:
    async with FakeWorker() as first, FakeWorker() as second:
        lacquer = await start(first, second)
        session_id = (await lacquer.create())["session_id"]
        assert (await post_offer(lacquer, session_id)).status == 201
        dead, alive = (first, second) if session_id in first.sessions else (second, first)
        await dead.stop()
        assert (await post_offer(lacquer, session_id)).status == 201
        assert session_id in alive.sessions


async def test_a_worker_that_hangs_is_given_up_within_5_s(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    worker.delay = 30
    started = time.monotonic()
    await refused(await post_offer(lacquer, session_id), 503, "worker_unavailable")
    assert time.monotonic() - started < 5.5
    worker.delay = 0
    assert (await post_offer(lacquer, session_id)).status == 201


async def test_a_worker_that_speaks_nonsense_is_no_worker(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    worker.garbage = True
    await refused(await post_offer(lacquer, session_id), 503, "worker_unavailable")


async def test_a_wrong_worker_secret_is_not_blamed_on_the_client(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, worker_secret="wrong")
    session_id = (await lacquer.create())["session_id"]
    await refused(await post_offer(lacquer, session_id), 503, "worker_unavailable")


async def test_a_client_that_hangs_up_while_connecting_keeps_no_slot(lacquer: Lacquer, worker: FakeWorker) -> None:
    worker.capacity = 1
    session_id = (await lacquer.create())["session_id"]
    other = (await lacquer.create())["session_id"]
    worker.delay = 0.5
    url = f"{SESSIONS}{session_id}/webrtc/"
    with pytest.raises(TimeoutError):
        await lacquer.client.post(url, data=OFFER, headers=SDP, timeout=aiohttp.ClientTimeout(total=0.1))
    await asyncio.sleep(0.1)
    worker.delay = 0
    assert (await post_offer(lacquer, other)).status == 201
