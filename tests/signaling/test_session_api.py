"""REST of sessions: both modes, ownership of lists, every refusal."""

from __future__ import annotations

import asyncio
import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
from PIL import Image

from protocol.api import SessionCreated, SessionView
from protocol.designs import Finger, Finish, Shape
from protocol.errors import AtCapacity, BadImage, LacquerError, NotFound, WorkerUnavailable
from protocol.messages import Config
from protocol.nail_sets import NailSet
from tests.signaling.conftest import SECRET_KEY, SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture


def upload(
    reference: bytes | None = None, source: bytes | None = None, mode: str = "upload", config: str | None = None
) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("mode", mode)
    if config is not None:
        form.add_field("config", config)
    if reference is not None:
        form.add_field("nail_reference_image", reference, filename="nails.jpg", content_type="image/jpeg")
    if source is not None:
        form.add_field("source_image", source, filename="me.jpg", content_type="image/jpeg")
    return form


# --- explore mode ---------------------------------------------------------------------------------------------------
async def test_explore_mode_answers_all_that_a_client_needs(lacquer: Lacquer) -> None:
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
    created = SessionCreated.model_validate_json(await response.read())
    host = f"{lacquer.client.host}:{lacquer.client.port}"
    here = f"{SESSIONS}{created.session_id}/"
    assert response.status == 201
    assert response.headers["Location"] == f"http://{host}{here}"
    assert created.webrtc_url == f"http://{host}{here}webrtc/"
    assert created.ws_url == f"ws://{host}/ws/tryon/{created.session_id}/"
    assert (created.mode, created.post_id, created.status) == ("explore", 1, "created")
    assert created.expires_at.timestamp() - created.created_at.timestamp() == pytest.approx(1800)
    assert created.design.colours == ["#B3001B"]
    assert created.result is None
    assert created.ice_servers == []


async def test_links_follow_the_public_url(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url="https://nails.example")
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
    created = await response.json()
    assert created["webrtc_url"].startswith("https://nails.example/api/try-on/sessions/")
    assert created["ws_url"].startswith("wss://nails.example/ws/tryon/")
    assert response.cookies["__Host-lacquer_owner"]["secure"]


async def test_a_path_without_its_slash_works_as_well(lacquer: Lacquer) -> None:
    response = await lacquer.client.post("/api/try-on/sessions", json={"mode": "explore", "post_id": 2})
    assert response.status == 201
    session_id = (await response.json())["session_id"]
    assert (await lacquer.get(f"/api/try-on/sessions/{session_id}"))["post_id"] == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad_request"),
        (b"\xff\xfe", 400, "bad_request"),
        (b"[]", 400, "bad_request"),
        (b"[" * 60_000, 400, "bad_request"),
        (b'{"mode":"explore","post_id":NaN}', 400, "bad_request"),
        (b'{"mode":"explore","post_id":' + b"9" * 5000 + b"}", 400, "bad_request"),
        (b"{}", 422, "invalid_fields"),
        (b'{"mode":"fly","post_id":1}', 422, "invalid_fields"),
        (b'{"mode":"explore"}', 422, "invalid_fields"),
        (b'{"mode":"explore","post_id":"1"}', 422, "invalid_fields"),
        (b'{"mode":"explore","post_id":true}', 422, "invalid_fields"),
        (b'{"mode":"explore","post_id":0}', 422, "invalid_fields"),
        (b'{"mode":"upload"}', 422, "invalid_fields"),
        (b'{"mode":"explore","post_id":123456789}', 404, "unknown_design"),
        (b'{"mode":"explore","post_id":99999999999999999999999}', 404, "unknown_design"),
        (b'{"pad":"' + b"x" * 70_000 + b'"}', 413, "too_large"),
    ],
)
async def test_wrong_bodies_are_told_apart(lacquer: Lacquer, body: bytes, status: int, code: str) -> None:
    response = await lacquer.client.post(SESSIONS, data=body, headers={"Content-Type": "application/json"})
    await refused(response, status, code)
    assert (await lacquer.get("/healthz"))["status"] == "ok"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
async def test_other_content_types_are_refused(lacquer: Lacquer, content_type: str) -> None:
    body = json.dumps({"mode": "explore", "post_id": 1}).encode()
    response = await lacquer.client.post(SESSIONS, data=body, headers={"Content-Type": content_type})
    await refused(response, 415, "unsupported_media_type")


async def test_at_capacity_is_503_with_retry_after(start: Start, worker: FakeWorker) -> None:
    worker.capacity = 0
    lacquer = await start(worker, retry_after=7)
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
    await refused(response, 503, "at_capacity")
    assert response.headers["Retry-After"] == "7"


async def test_for_who_is_turned_away_the_database_is_not_asked(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.capacity = 0
    lacquer = await start(worker)
    monkeypatch.setattr(lacquer.context.store, "count_live", None)  # who asks fails
    somebody = {"Authorization": f"Bearer {jwt.encode({'sub': 'ann'}, SECRET_KEY, 'HS256')}"}
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=somebody)
    await refused(response, 503, "at_capacity")


async def test_without_a_worker_it_is_503_too(start: Start) -> None:
    lacquer = await start()
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
    await refused(response, 503, "worker_unavailable")
    assert response.headers["Retry-After"] == "10"


async def test_a_mad_host_header_is_refused(lacquer: Lacquer) -> None:
    headers = {"Host": 'evil"><script>'}
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=headers)
    await refused(response, 400, "bad_request")


# --- upload mode ----------------------------------------------------------------------------------------------------
async def created_by(lacquer: Lacquer, form: aiohttp.FormData) -> dict[str, Any]:
    response = await lacquer.client.post(SESSIONS, data=form)
    assert response.status == 201, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


async def test_upload_mode_answers_with_the_nails_in_the_picture(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await created_by(lacquer, upload(picture(2000, 1500)))
    assert (created["mode"], created["post_id"], created["result"]) == ("upload", None, None)
    design, found = created["design"], created["design"]["nail_set"]
    assert (design["id"], design["name"]) == (None, "Your design")
    assert (found["kind"], found["confidence"], found["finish"], found["filled"]) == ("hand", 0.8, "gloss", [])
    assert found["fingers"] == {"thumb": 0, "index": 1, "middle": 2, "ring": 3, "pinky": 4}
    assert [(nail["finger"], nail["confidence"]) for nail in found["nails"]] == [(f.value, 0.9) for f in Finger]
    images = [await lacquer.follow(nail["image_url"]) for nail in found["nails"]]
    assert [image.body for image in images] == [nail.image for nail in worker.shows.nails]
    assert {image.content_type for image in images} == {"image/png"}
    shown = await lacquer.get(f"{SESSIONS}{created['session_id']}/")
    assert shown["design"] == design


async def test_the_persons_picture_goes_to_a_worker_and_is_not_kept(
    lacquer: Lacquer, worker: FakeWorker, tmp_path: Path
) -> None:
    await created_by(lacquer, upload(picture(2000, 1500)))
    (seen,) = worker.pictures
    assert max(Image.open(io.BytesIO(seen)).size) == 1280
    (kept,) = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert NailSet.model_validate_json(kept.read_bytes()) == worker.shows


async def test_previews_show_the_set_as_it_is_worn(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await created_by(lacquer, upload(picture(), config='{"fingers": {"ring": {"nail": 0}}}'))
    hand = await lacquer.follow(created["design"]["nail_set"]["preview_url"])
    finger = await lacquer.follow(created["design"]["thumbnail_url"])
    again = await lacquer.follow(created["design"]["thumbnail_url"], headers={"If-None-Match": finger.headers["ETag"]})
    assert (hand.content_type, finger.content_type, again.status) == ("image/webp", "image/webp", 304)
    assert [asked.view for asked in worker.previews] == ["hand", "finger"], "the third was not drawn again"
    assert {asked.settings.fingers[Finger.RING].nail for asked in worker.previews} == {0}
    assert worker.previews[0].nail_set == worker.shows


async def test_a_preview_shows_what_was_changed_a_moment_ago(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await created_by(lacquer, upload(picture()))
    socket = await lacquer.connect(created["session_id"])
    worker.sessions[created["session_id"]].settings = Config(finish=Finish.CHROME)
    await lacquer.follow(created["design"]["nail_set"]["preview_url"])
    assert worker.previews[-1].settings.finish == "chrome"
    await socket.close()


async def test_a_preview_tries_on_what_the_session_does_not_keep(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await created_by(lacquer, upload(picture(), config='{"shape": "almond"}'))
    url = created["design"]["nail_set"]["preview_url"]
    hand = await lacquer.follow(url, params={"config": '{"fingers": {"pinky": {"nail": 2}}}'})
    assert hand.status == 200
    await lacquer.follow(url)
    tried, kept = (asked.settings for asked in worker.previews)
    assert (tried.fingers[Finger.PINKY].nail, tried.shape) == (2, "almond")
    assert kept.fingers == {}


@pytest.mark.parametrize(
    ("config", "status", "code"),
    [
        ('{"fingers": {"pinky": {"nail": 99}}}', 404, "unknown_nail"),
        ('{"shape": "claw"}', 422, "invalid_fields"),
        ("{", 400, "bad_request"),
    ],
)
async def test_what_cannot_be_tried_on_is_refused(
    lacquer: Lacquer, worker: FakeWorker, config: str, status: int, code: str
) -> None:
    created = await created_by(lacquer, upload(picture()))
    answer = await lacquer.follow(created["design"]["nail_set"]["preview_url"], params={"config": config})
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert worker.previews == []


async def test_an_upload_moves_with_its_nails_and_settings(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await created_by(lacquer, upload(picture(), config='{"shape": "almond"}'))
    assert created["settings"]["shape"] == "almond"
    socket = await lacquer.connect(created["session_id"])
    spec = worker.sessions[created["session_id"]].spec
    assert (spec.design_id, spec.nail_set, spec.settings) == (None, worker.shows, Config(shape=Shape.ALMOND))
    assert spec.settings.model_fields_set == {"shape"}
    await socket.close()


async def test_explore_mode_takes_settings_too(lacquer: Lacquer, worker: FakeWorker) -> None:
    body = {"mode": "explore", "post_id": 1, "config": {"length": "long", "fingers": {"ring": {"design": 2}}}}
    created = await (await lacquer.client.post(SESSIONS, json=body)).json()
    assert (created["settings"]["length"], created["settings"]["fingers"]["ring"]["design"]) == ("long", 2)


@pytest.mark.parametrize(
    ("config", "status", "code"),
    [
        ("{", 400, "bad_request"),
        ("[]", 400, "bad_request"),
        ('{"shape": "pear"}', 422, "invalid_fields"),
        ('{"design": 987654}', 404, "unknown_design"),
        ('{"fingers": {"ring": {"nail": 5}}}', 404, "unknown_nail"),
        ('{"design": 1, "fingers": {"ring": {"nail": 0}}}', 404, "unknown_nail"),
    ],
)
async def test_wrong_settings_make_no_session(lacquer: Lacquer, config: str, status: int, code: str) -> None:
    await refused(await lacquer.client.post(SESSIONS, data=upload(picture(), config=config)), status, code)
    assert await lacquer.get(SESSIONS) == []


@pytest.mark.parametrize("refusal", [AtCapacity(), WorkerUnavailable()])
async def test_where_no_worker_takes_the_picture_it_is_503(
    lacquer: Lacquer, worker: FakeWorker, refusal: LacquerError
) -> None:
    worker.refusal = refusal
    response = await lacquer.client.post(SESSIONS, data=upload(picture()))
    await refused(response, 503, refusal.code)
    assert response.headers["Retry-After"] == "10"
    assert await lacquer.get(SESSIONS) == []


@pytest.mark.parametrize("place", ["5", "-1", "x", "00000", "1.0", "%00"])
async def test_unknown_nails_of_an_upload(lacquer: Lacquer, place: str) -> None:
    created = await created_by(lacquer, upload(picture()))
    response = await lacquer.client.get(f"{SESSIONS}{created['session_id']}/design/nails/{place}")
    await refused(response, 404, "unknown_nail")


async def test_a_source_image_comes_back_as_a_result(lacquer: Lacquer, worker: FakeWorker) -> None:
    form = upload(picture(), picture(image_format="PNG"), config='{"finish": "matte"}')
    response = await lacquer.client.post(SESSIONS, data=form)
    assert response.status == 201, await response.text()
    created = SessionCreated.model_validate_json(await response.read())
    assert created.result is not None
    assert (created.result.width, created.result.height) == (64, 48)
    assert created.result.confidence_score == 0.8
    assert created.result.session_id == created.session_id
    image = await lacquer.follow(created.result.image_url)
    assert image.body == picture()
    assert [r["result_id"] for r in await lacquer.get("/api/try-on/results/")] == [created.result.result_id]
    (still,) = worker.stills
    assert (still.nail_set, still.settings) == (worker.shows, Config(finish=Finish.MATTE))


async def test_where_the_still_fails_nothing_is_left_behind(lacquer: Lacquer, worker: FakeWorker) -> None:
    worker.refusal = BadImage("no hand in it")
    response = await lacquer.client.post(SESSIONS, data=upload(picture(), picture()))
    told = await refused(response, 422, "bad_image")
    assert told.detail == "no hand in it"
    assert await lacquer.get(SESSIONS) == []


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (upload(), 422, "invalid_fields"),
        (upload(picture(), mode="explore"), 422, "invalid_fields"),
        (upload(b"not a picture"), 422, "bad_image"),
        (upload(b""), 422, "bad_image"),
        (upload(picture(), b"GIF89a"), 422, "bad_image"),
    ],
)
async def test_wrong_forms_are_told_apart(lacquer: Lacquer, form: aiohttp.FormData, status: int, code: str) -> None:
    await refused(await lacquer.client.post(SESSIONS, data=form), status, code)


@pytest.mark.parametrize("part", ["thumbnail", "preview", "nails/0"])
async def test_only_upload_sessions_have_nails(lacquer: Lacquer, part: str) -> None:
    created = await lacquer.create()
    await refused(await lacquer.client.get(f"{SESSIONS}{created['session_id']}/design/{part}"), 404, "not_found")


# --- show, list, extend, end ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("session_id", ["nobody", str(uuid4()), "%00", "..%2f..%2f"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "extend/"), ("GET", "design/preview")]
)
async def test_unknown_sessions_are_not_found(lacquer: Lacquer, session_id: str, method: str, path: str) -> None:
    response = await lacquer.client.request(method, f"{SESSIONS}{session_id}/{path}")
    await refused(response, 404, "not_found")


async def test_lists_show_only_the_callers_own(lacquer: Lacquer) -> None:
    mine = await lacquer.create()
    async with lacquer.stranger() as stranger:
        assert await (await stranger.get(SESSIONS)).json() == []
        # Knowing the id is the permission for this one session.
        seen = await stranger.get(f"{SESSIONS}{mine['session_id']}/")
        assert SessionView.model_validate_json(await seen.read()).session_id == mine["session_id"]
    assert [session["session_id"] for session in await lacquer.get(SESSIONS)] == [mine["session_id"]]


async def test_lists_are_newest_first_in_parts(lacquer: Lacquer) -> None:
    made = []
    for _ in range(5):
        made.append((await lacquer.create())["session_id"])
        lacquer.clock.advance(1)
    seen: list[str] = []
    link = str(lacquer.client.make_url(f"{SESSIONS}?limit=2"))
    while link:
        response = await lacquer.follow(link)
        part = json.loads(response.body)
        assert len(part) <= 2
        seen += [session["session_id"] for session in part]
        link = response.next_link
    assert seen == made[::-1]


async def test_sessions_of_the_same_moment_are_not_lost_between_parts(lacquer: Lacquer) -> None:
    made = {(await lacquer.create())["session_id"] for _ in range(4)}
    first = await lacquer.get(f"{SESSIONS}?limit=3")
    rest = await lacquer.get(f"{SESSIONS}?limit=3&before={first[-1]['session_id']}")
    assert {session["session_id"] for session in first + rest} == made


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=", "limit=9999", "before=x"])
async def test_wrong_list_queries_are_told(lacquer: Lacquer, query: str) -> None:
    await refused(await lacquer.client.get(f"{SESSIONS}?{query}"), 422, "invalid_fields")


async def test_extending_starts_the_half_hour_anew_and_tells_the_worker(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create()
    socket = await lacquer.connect(created["session_id"])
    lacquer.clock.advance(600)
    response = await lacquer.client.post(f"{SESSIONS}{created['session_id']}/extend/")
    extended = SessionView.model_validate_json(await response.read())
    assert extended.expires_at == datetime.fromtimestamp(lacquer.clock.now + 1800, UTC)
    assert worker.sessions[created["session_id"]].spec.expires_at == pytest.approx(lacquer.clock.now + 1800)
    await socket.close()


async def test_extending_works_while_the_worker_does_not_answer(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create()
    socket = await lacquer.connect(created["session_id"])
    await worker.stop()
    await socket.close()
    response = await lacquer.client.post(f"{SESSIONS}{created['session_id']}/extend/")
    assert response.status == 200


async def test_ending_tells_the_worker_keeps_statistics_and_drops_the_upload(
    lacquer: Lacquer, worker: FakeWorker
) -> None:
    created = await (await lacquer.client.post(SESSIONS, data=upload(picture()))).json()
    session_id = created["session_id"]
    socket = await lacquer.connect(session_id)
    kept = (await lacquer.context.sessions.find(session_id)).nail_set
    assert kept is not None
    worker.sessions[session_id].statistics = worker.sessions[session_id].statistics.model_copy(update={"frames_in": 42})
    assert (await lacquer.client.delete(f"{SESSIONS}{session_id}/")).status == 204
    assert worker.ended == [(session_id, "ended")]
    shown = await lacquer.get(f"{SESSIONS}{session_id}/")
    assert (shown["status"], shown["statistics"]["frames_in"]) == ("ended", 42)
    message = await socket.receive()
    assert (message.data, message.extra) == (4410, "session_ended")
    assert await lacquer.router.owner(session_id) is None
    assert shown["design"]["nail_set"] is None
    for part in ("thumbnail", "preview", "nails/0"):
        await refused(await lacquer.client.get(f"{SESSIONS}{session_id}/design/{part}"), 410, "session_ended")
    for store in (lacquer.context.blobs, lacquer.context.nail_sets):
        with pytest.raises(NotFound):
            await store.get(kept)


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("DELETE", "", {}),
        ("POST", "extend/", {}),
        ("POST", "webrtc/", {"data": b"v=0\r\n", "headers": {"Content-Type": "application/sdp"}}),
        ("DELETE", "webrtc/peer-1/", {}),
    ],
)
@pytest.mark.parametrize("how", ["ended", "expired"])
async def test_what_is_over_stays_over(
    lacquer: Lacquer, method: str, path: str, options: dict[str, Any], how: str
) -> None:
    session_id = (await lacquer.create())["session_id"]
    if how == "ended":
        assert (await lacquer.client.delete(f"{SESSIONS}{session_id}/")).status == 204
    else:
        lacquer.clock.advance(1800)
    response = await lacquer.client.request(method, f"{SESSIONS}{session_id}/{path}", **options)
    await refused(response, 410, "session_ended")
    assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["status"] == how


async def test_ended_twice_at_once_is_ended_once(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    async with lacquer.client.ws_connect(f"/ws/tryon/{session_id}/"):
        answers = await asyncio.gather(*(lacquer.client.delete(f"{SESSIONS}{session_id}/") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [204, 410, 410, 410, 410]
    assert len(worker.ended) == 1


async def test_a_client_that_hangs_up_while_ending_does_not_leave_half_an_end(
    lacquer: Lacquer, worker: FakeWorker
) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    worker.delay = 0.3
    with pytest.raises(TimeoutError):
        await lacquer.client.delete(f"{SESSIONS}{session_id}/", timeout=aiohttp.ClientTimeout(total=0.1))
    await asyncio.sleep(0.5)
    assert worker.ended == [(session_id, "ended")]
    assert await lacquer.router.owner(session_id) is None
    await socket.close()


async def test_a_dead_worker_does_not_hold_a_rest_call(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    await worker.stop()
    await socket.close()
    started = time.monotonic()
    assert (await lacquer.client.delete(f"{SESSIONS}{session_id}/")).status == 204
    assert time.monotonic() - started < 5


async def test_sessions_outlive_a_restart(start: Start, worker: FakeWorker) -> None:
    first = await start(worker)
    created = await first.create()
    second = await start(worker)
    assert (await second.get(f"{SESSIONS}{created['session_id']}/"))["status"] == "created"
