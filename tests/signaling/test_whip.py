"""Publishing: who may, and what the rules of RFC 9725 come to. Those that `webrtc_url` shares are in test_webrtc.py."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from signaling.app import OPERATIONS
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_auth import bearer
from tests.signaling.test_webrtc import FRAGMENT, OFFER, SDP


async def publish(lacquer: Lacquer, created: dict[str, Any], **headers: str) -> Any:
    token = {"Authorization": f"Bearer {created['token']}"}
    return await lacquer.client.post(f"/whip/{created['session_id']}", data=OFFER, headers={**SDP, **token, **headers})


async def test_a_publisher_is_answered_and_hangs_up(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create()
    response = await publish(lacquer, created)
    assert response.status == 201
    assert response.headers["Location"] == f"{created['whip_url']}/peer-1"
    assert response.headers["ETag"] == '"peer-1"'
    path, token = f"/whip/{created['session_id']}/peer-1", {"Authorization": f"Bearer {created['token']}"}
    headers = {**FRAGMENT, **token, "If-Match": '"peer-1"'}
    assert (await lacquer.client.patch(path, data=b"a=mid:0\r\n", headers=headers)).status == 204
    assert worker.sessions[created["session_id"]].peers["peer-1"] == [b"a=mid:0\r\n"]
    await refused(await lacquer.client.patch(path, data=b"a=mid:0", headers={**FRAGMENT, **token}), 428,
                  "precondition_required")  # fmt: skip
    for _ in range(2):
        assert (await lacquer.client.delete(path, headers=token)).status == 200
    assert worker.sessions[created["session_id"]].connections == 0


async def test_only_the_sessions_token_or_its_owners_opens_it(lacquer: Lacquer) -> None:
    ann, bob = bearer({"sub": "ann"}), bearer({"sub": "bob"})
    created = await lacquer.create(headers=ann)
    other = await lacquer.create(headers=ann)
    path = f"/whip/{created['session_id']}"
    refusal = await lacquer.client.post(path, data=OFFER, headers=SDP)
    assert refusal.headers["WWW-Authenticate"] == "Bearer"
    await refused(refusal, 401, "unauthorized")
    wrong = {"Authorization": "Bearer nonsense"}
    await refused(await lacquer.client.post(path, data=OFFER, headers={**SDP, **wrong}), 401, "unauthorized")
    await refused(await lacquer.client.post(path, data=OFFER, headers={**SDP, **bob}), 403, "forbidden")
    sibling = {"Authorization": f"Bearer {other['token']}"}
    await refused(await lacquer.client.post(path, data=OFFER, headers={**SDP, **sibling}), 403, "forbidden")
    for method in ("GET", "PATCH", "DELETE"):
        at = f"{path}/peer-1" if method != "GET" else path
        await refused(await lacquer.client.request(method, at, data=b"a", headers=FRAGMENT), 401, "unauthorized")
    assert (await lacquer.client.post(path, data=OFFER, headers={**SDP, **ann})).status == 201
    assert (await publish(lacquer, created)).status == 201


async def test_unknown_and_ended_sessions(lacquer: Lacquer) -> None:
    created = await lacquer.create()
    token = {"Authorization": f"Bearer {created['token']}"}
    await refused(await lacquer.client.post(f"/whip/{uuid4()}", data=OFFER, headers={**SDP, **token}), 404, "not_found")
    await lacquer.client.delete(f"{SESSIONS}{created['session_id']}/")
    await refused(await publish(lacquer, created), 410, "session_ended")


async def test_publishing_takes_a_slot(lacquer: Lacquer, worker: FakeWorker) -> None:
    worker.capacity = 1
    first, second = await lacquer.create(), await lacquer.create()
    assert (await publish(lacquer, first)).status == 201
    full = await publish(lacquer, second)
    assert int(full.headers["Retry-After"]) > 0
    await refused(full, 503, "at_capacity")


async def test_options_name_ice_servers_to_who_may_publish(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, ice_servers=[{"urls": ["stun:s.example"]}], allowed_origins=("https://shop.example",))
    created = await lacquer.create()
    path = f"/whip/{created['session_id']}"
    token = {"Authorization": f"Bearer {created['token']}"}
    told = await lacquer.client.options(path, headers=token)
    assert (told.status, told.headers["Link"]) == (200, '<stun:s.example>; rel="ice-server"')
    assert told.headers["Accept-Post"] == "application/sdp"
    anybody = await lacquer.client.options(path)
    assert anybody.status == 200 and "Link" not in anybody.headers
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = await lacquer.client.options(path, headers=origin)
    assert preflight.status == 204 and "Link" not in preflight.headers
    assert preflight.headers["Accept-Post"] == "application/sdp"
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    answer = await publish(lacquer, created, Origin="https://shop.example")
    assert {"Location", "ETag", "Link"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))


@pytest.mark.parametrize(("method", "status"), [("GET", 204), ("HEAD", 204), ("PUT", 405), ("PATCH", 405)])
async def test_other_methods(lacquer: Lacquer, method: str, status: int) -> None:
    created = await lacquer.create()
    token = {"Authorization": f"Bearer {created['token']}"}
    response = await lacquer.client.request(method, f"/whip/{created['session_id']}", headers=token)
    assert response.status == status


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_every_way_in_asks_for_the_sessions_own_token(lacquer: Lacquer, kind: str) -> None:
    """Whoever adds one is asked here: by nobody, by a stranger, and by another session of the same person."""
    ann = bearer({"sub": "ann"})
    created, sibling = await lacquer.create(headers=ann), await lacquer.create(headers=ann)
    wrong = [(401, {}), (403, {"Authorization": f"Bearer {sibling['token']}"}), (403, bearer({"sub": "bob"}))]
    rows = [each for each in OPERATIONS if each.path.startswith(f"/{kind}/") and each.method != "OPTIONS"]
    assert len(rows) >= 5
    for operation in rows:
        path = re.sub(r"\{(session_id|watched)\}", created["session_id"], operation.path).format(peer_id="p-1")
        media_type = next(iter(operation.takes or {"application/json": None}))
        for status, shown in wrong:
            headers = {"Content-Type": media_type, "If-Match": '"p-1"', **shown}
            answer = await lacquer.client.request(operation.method, path, data=b"v=0\r\n", headers=headers)
            assert answer.status == status, (operation.method, path, shown, answer.status)
