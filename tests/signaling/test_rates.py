"""Limits as a client meets them."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from protocol.errors import RateLimited
from signaling.rates import RATES
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start, problem, refused
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_auth import bearer
from tests.signaling.test_session_api import upload

DESIGN = {"mode": "explore", "post_id": 1}


async def test_defaults_let_a_shop_behind_one_address_work(lacquer: Lacquer) -> None:
    """A hundred people who come in within the same minute."""
    for _ in range(100):
        async with lacquer.stranger() as person:
            assert (await person.post(SESSIONS, json=DESIGN)).status == 201


async def test_an_address_may_start_so_many_sessions(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_sessions_per_address=2)
    for _ in range(2):
        async with lacquer.stranger() as person:
            assert (await person.post(SESSIONS, json=DESIGN)).status == 201
    async with lacquer.stranger() as person:
        response = await person.post(SESSIONS, json=DESIGN)
        await refused(response, 429, "rate_limited")
    assert response.headers["Retry-After"] == "30"
    assert response.headers["RateLimit-Policy"] == '"sessions-per-address";q=2;w=60'
    assert response.headers["RateLimit"] == '"sessions-per-address";r=0;t=30'
    lacquer.clock.advance(30)
    await lacquer.create()


async def test_an_owner_is_limited_wherever_they_are(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_sessions_per_owner=1)
    ann, bob = bearer({"sub": "ann"}), bearer({"sub": "bob"})
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    await lacquer.create(headers=ann)
    await refused(await lacquer.client.post(SESSIONS, json=DESIGN, headers={**ann, **elsewhere}), 429, "rate_limited")
    await lacquer.create(headers=bob)


async def test_so_many_sessions_are_open_at_once(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_live_sessions=2)
    ann = bearer({"sub": "ann"})
    first, _ = [await lacquer.create(headers=ann) for _ in range(2)]
    said = await refused(await lacquer.client.post(SESSIONS, json=DESIGN, headers=ann), 429, "rate_limited")
    assert "2 sessions are open" in said.detail
    await lacquer.client.delete(f"{SESSIONS}{first['session_id']}/")
    await lacquer.create(headers=ann)
    lacquer.clock.advance(1800)  # expired, though no sweep came yet
    await lacquer.create(headers=ann)


async def test_pictures_are_limited_however_they_are_sent(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_uploads=2)
    created = await lacquer.create()
    assert (await lacquer.client.post(SESSIONS, data=upload(picture()))).status == 201
    result = {"session_id": created["session_id"], "processed_image": picture()}
    assert (await lacquer.client.post(RESULTS, data=form(result))).status == 201
    await refused(await lacquer.client.post(RESULTS, data=form(result)), 429, "rate_limited")
    await refused(await lacquer.client.post(SESSIONS, data=upload(picture())), 429, "rate_limited")
    await lacquer.create()  # a design costs no picture


def form(fields: dict[str, Any]) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in fields.items():
        data.add_field(name, value, filename="a.jpg" if isinstance(value, bytes) else None)
    return data


async def test_results_have_a_daily_quota_that_follows_the_owner(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_results=1)
    one, two = [(await lacquer.create())["session_id"] for _ in range(2)]
    async with lacquer.stranger() as elsewhere:  # who knows the id keeps it for its owner
        kept = await elsewhere.post(RESULTS, data=form({"session_id": one, "processed_image": picture()}))
        assert kept.status == 201
    again = await lacquer.client.post(RESULTS, data=form({"session_id": two, "processed_image": picture()}))
    await refused(again, 429, "rate_limited")
    assert int(again.headers["Retry-After"]) == 24 * 3600


async def test_relays_are_not_asked_for_all_day(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_ice_servers=1)
    await lacquer.get("/api/try-on/ice-servers/")
    await refused(await lacquer.client.get("/api/try-on/ice-servers/"), 429, "rate_limited")


async def test_previews_that_are_drawn_are_limited_and_those_in_memory_free(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_previews=2)
    thumbnail = "/api/try-on/designs/{}/thumbnail"
    for design in (1, 2, 1, 2, 1):
        assert (await lacquer.client.get(thumbnail.format(design))).status == 200
    await refused(await lacquer.client.get(thumbnail.format(3)), 429, "rate_limited")
    assert (await lacquer.client.get(thumbnail.format(1))).status == 200
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    assert (await lacquer.client.get(thumbnail.format(3), headers=elsewhere)).status == 200


async def test_what_a_session_tries_on_is_limited_too(start: Start, worker: FakeWorker) -> None:
    """Each wish is another picture, so memory helps little."""
    lacquer = await start(worker, rate_previews=3)
    created = await (await lacquer.client.post(SESSIONS, data=upload(picture()))).json()
    address = f"{SESSIONS}{created['session_id']}/design/preview"
    statuses = [
        (await lacquer.client.get(address, params={"config": f'{{"colours": ["#10184{part}"]}}'})).status
        for part in range(1, 6)
    ]
    assert statuses == [200, 200, 200, 429, 429]


async def test_a_session_connects_so_often(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_offers=1)
    one, two = await lacquer.create(), await lacquer.create()
    sdp: dict[str, Any] = {"data": b"v=0\r\n", "headers": {"Content-Type": "application/sdp"}}
    for session, status in ((one, 201), (one, 429), (two, 201)):
        async with lacquer.client.session.post(session["webrtc_url"], **sdp) as response:
            assert response.status == status


async def test_an_address_has_so_many_sockets_open(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_sockets=1)
    session_id = (await lacquer.create())["session_id"]
    first = await lacquer.connect(session_id)
    async with lacquer.client.ws_connect(f"/ws/tryon/{session_id}/") as second:
        said = await second.receive_json()
        assert (said["code"], said["fatal"]) == ("rate_limited", True)
        assert (await second.receive()).data == RateLimited.close_code == 4429
    headers = {"X-Forwarded-For": "203.0.113.9"}
    async with lacquer.client.ws_connect(f"/ws/tryon/{session_id}/", headers=headers) as elsewhere:
        assert (await elsewhere.receive_json())["type"] == "ready"
    await first.close()
    again = await lacquer.connect(session_id)
    await again.close()


async def test_a_refused_socket_counts_no_longer(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_sockets=1)
    for _ in range(3):
        async with lacquer.client.ws_connect("/ws/tryon/demo/") as socket:
            assert (await socket.receive_json())["code"] == "not_found"
            await socket.receive()
    assert len(lacquer.client.app[RATES].sockets) == 0


@pytest.mark.parametrize(
    ("proxies", "shared"), [("127.0.0.0/8", False), ("10.0.0.0/8", True), ("", True), ("127.0.0.0/8, fd00::/8", False)]
)
async def test_behind_a_proxy_each_client_counts_alone(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch, proxies: str, shared: bool
) -> None:
    monkeypatch.setenv("LACQUER_TRUSTED_PROXIES", proxies)
    lacquer = await start(worker, rate_sessions_per_address=1)
    statuses = []
    for address in ("203.0.113.1", "203.0.113.2"):
        async with lacquer.stranger() as person:
            answer = await person.post(SESSIONS, json=DESIGN, headers={"X-Forwarded-For": address})
            statuses.append(answer.status)
    assert statuses == ([201, 429] if shared else [201, 201])


async def test_a_refusal_comes_before_the_body_is_read(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, rate_uploads=1)
    assert (await lacquer.client.post(SESSIONS, data=upload(picture()))).status == 201
    response = await lacquer.client.post(SESSIONS, data=b"no form", headers={"Content-Type": "multipart/form-data"})
    assert (await problem(response)).code == "rate_limited"


@pytest.mark.parametrize("log_addresses", [False, True])
async def test_the_log_is_not_flooded_and_shows_addresses_where_they_are_wanted(
    start: Start, worker: FakeWorker, log_addresses: bool
) -> None:
    lacquer = await start(worker, rate_ice_servers=1, log_addresses=log_addresses)
    with capture_logs() as events:
        for _ in range(20):
            await lacquer.client.get("/api/try-on/ice-servers/", headers={"X-Forwarded-For": "203.0.113.77"})
    told = [event for event in events if event["event"] == "rate limited"]
    assert [(event["limit"], event["times"]) for event in told][:1] == [("ice-servers", 1)]
    assert len(told) < 10, "once a second"
    assert ("203.0.113.77" in str(events)) == log_addresses
