"""REST of results: with and without a picture sent along."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from PIL import Image

from protocol import framing, limits
from protocol.api import ResultView
from protocol.messages import Config
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture


async def stream(lacquer: Lacquer, session_id: str) -> aiohttp.ClientWebSocketResponse:
    """A socket on which one frame was processed."""
    socket = await lacquer.connect(session_id)
    await socket.send_bytes(framing.pack({"type": "frame", "frame_number": 1, "timestamp": 5}, picture()))
    await socket.receive_bytes()
    return socket


async def test_without_a_picture_the_newest_frame_is_kept(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await stream(lacquer, session_id)
    worker.sessions[session_id].settings = Config(design=3)  # chosen after the session began
    response = await lacquer.client.post(RESULTS, json={"session_id": session_id, "metadata": {"shared": True}})
    result = ResultView.model_validate_json(await response.read())
    assert response.status == 201
    assert response.headers["Location"].endswith(f"{RESULTS}{result.result_id}/")
    assert (result.width, result.height, result.confidence_score) == (64, 48, 0.9)
    assert result.metadata == {"shared": True}
    assert result.design is not None
    assert result.design.id == 3
    image = await lacquer.follow(result.image_url)
    assert (image.content_type, image.body) == ("image/jpeg", picture())
    await socket.close()


async def test_before_the_first_frame_there_is_nothing_to_keep(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    await refused(await lacquer.client.post(RESULTS, json={"session_id": session_id}), 409, "no_frame_yet")
    socket = await lacquer.connect(session_id)
    await refused(await lacquer.client.post(RESULTS, json={"session_id": session_id}), 409, "no_frame_yet")
    await socket.close()


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
async def test_a_picture_as_base64(lacquer: Lacquer, prefix: str) -> None:
    session_id = (await lacquer.create())["session_id"]
    body = {
        "session_id": session_id,
        "processed_image": prefix + base64.b64encode(picture(30, 20, "PNG")).decode(),
        "confidence_score": 0.25,
    }
    response = await lacquer.client.post(RESULTS, json=body)
    result = ResultView.model_validate_json(await response.read())
    assert (result.width, result.height, result.confidence_score) == (30, 20, 0.25)
    image = await lacquer.follow(result.image_url)
    assert image.content_type == "image/png"
    assert Image.open(io.BytesIO(image.body)).size == (30, 20)


async def test_a_picture_as_a_form(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    form = aiohttp.FormData({"session_id": session_id, "confidence_score": "0.5", "metadata": '{"a": [1]}'})
    form.add_field("processed_image", picture(image_format="WEBP"), filename="x.webp", content_type="image/webp")
    response = await lacquer.client.post(RESULTS, data=form)
    result = ResultView.model_validate_json(await response.read())
    assert (result.confidence_score, result.metadata) == (0.5, {"a": [1]})
    assert (await lacquer.follow(result.image_url)).content_type == "image/jpeg"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"session_id": "x"}, 422, "invalid_fields"),
        ({"session_id": None}, 422, "invalid_fields"),
        ({"session_id": str(uuid4())}, 404, "not_found"),
        ({"confidence_score": 2}, 422, "invalid_fields"),
        ({"metadata": [1]}, 422, "invalid_fields"),
        ({"metadata": {"long": "x" * limits.MAX_JSON_SIZE}}, 413, "too_large"),
        ({"processed_image": "*" * 8}, 422, "bad_image"),
        ({"processed_image": "é"}, 422, "bad_image"),
        ({"processed_image": "data:image/png;base64,QUJD"}, 422, "bad_image"),
        ({"processed_image": base64.b64encode(bytes(limits.MAX_UPLOAD_SIZE + 1)).decode()}, 413, "too_large"),
        ({"processed_image": 7}, 422, "invalid_fields"),
    ],
)
async def test_wrong_results_are_told_apart(lacquer: Lacquer, change: dict[str, Any], status: int, code: str) -> None:
    body = json.dumps({"session_id": (await lacquer.create())["session_id"], **change}).encode()
    headers = {"Content-Type": "application/json"}
    await refused(await lacquer.client.post(RESULTS, data=io.BytesIO(body), headers=headers), status, code)


@pytest.mark.parametrize("body", [b"{", b'{"metadata":{"a":1e999}}', b'{"metadata":{"a":Infinity}}'])
async def test_what_is_no_json_is_a_bad_request(lacquer: Lacquer, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    await refused(await lacquer.client.post(RESULTS, data=body, headers=headers), 400, "bad_request")


async def test_odd_metadata_comes_back_or_is_refused(lacquer: Lacquer) -> None:
    session_id, image = (await lacquer.create())["session_id"], base64.b64encode(picture()).decode()
    for text in ['{"a":"\\u0000"}', '{"a":"💅"}', '{"a":' + "[" * 300 + "]" * 300 + "}", '{"a":"\\ud800"}']:
        body = f'{{"session_id":"{session_id}","processed_image":"{image}","metadata":{text}}}'
        response = await lacquer.client.post(RESULTS, data=body, headers={"Content-Type": "application/json"})
        assert response.status in (201, 422), await response.text()
        if response.status == 201:
            assert (await response.json())["metadata"] == json.loads(text)


async def test_an_ended_session_takes_no_more_results_but_shows_its_old_ones(lacquer: Lacquer) -> None:
    session_id, image = (await lacquer.create())["session_id"], base64.b64encode(picture()).decode()
    body = {"session_id": session_id, "processed_image": image}
    kept = await (await lacquer.client.post(RESULTS, json=body)).json()
    await lacquer.client.delete(f"{SESSIONS}{session_id}/")
    await refused(await lacquer.client.post(RESULTS, json=body), 410, "session_ended")
    assert (await lacquer.get(f"{RESULTS}{kept['result_id']}/"))["image_url"] == kept["image_url"]


async def test_delete_takes_the_row_and_the_picture(lacquer: Lacquer) -> None:
    session_id, image = (await lacquer.create())["session_id"], base64.b64encode(picture()).decode()
    body = {"session_id": session_id, "processed_image": image}
    kept = await (await lacquer.client.post(RESULTS, json=body)).json()
    path = f"{RESULTS}{kept['result_id']}/"
    stored = await lacquer.context.store.results.get(kept["result_id"])
    assert stored is not None
    assert (await lacquer.client.delete(path)).status == 204
    for method, gone in (("GET", path), ("DELETE", path), ("GET", f"{path}image")):
        await refused(await lacquer.client.request(method, gone), 404, "not_found")
    with pytest.raises(Exception, match="gone"):
        await lacquer.context.blobs.get(stored.blob)


async def test_lists_are_the_callers_own_in_parts(lacquer: Lacquer) -> None:
    session_id, image = (await lacquer.create())["session_id"], base64.b64encode(picture()).decode()
    made = []
    for _ in range(3):
        response = await lacquer.client.post(RESULTS, json={"session_id": session_id, "processed_image": image})
        made.append((await response.json())["result_id"])
        lacquer.clock.advance(1)
    first = await lacquer.follow(str(lacquer.client.make_url(f"{RESULTS}?limit=2")))
    rest = await lacquer.follow(first.next_link)
    assert [r["result_id"] for r in json.loads(first.body) + json.loads(rest.body)] == made[::-1]
    assert rest.next_link == ""
    async with lacquer.stranger() as stranger:
        assert await (await stranger.get(RESULTS)).json() == []
        assert (await stranger.get(f"{RESULTS}{made[0]}/")).status == 200


async def test_a_picture_is_not_sent_twice(lacquer: Lacquer) -> None:
    session_id, image = (await lacquer.create())["session_id"], base64.b64encode(picture()).decode()
    response = await lacquer.client.post(RESULTS, json={"session_id": session_id, "processed_image": image})
    url = (await response.json())["image_url"]
    first = await lacquer.follow(url)
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    again = await lacquer.follow(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_many_signaling_processes_share_what_they_keep(
    start: Start, worker: FakeWorker, many_machines: Mapping[str, str]
) -> None:
    """PostgreSQL and a bucket: what one keeps, another shows and forgets."""
    one, two = await start(worker, **many_machines), await start(worker, **many_machines)
    session_id = (await one.create())["session_id"]
    socket = await stream(one, session_id)
    assert (await one.client.get("/readyz")).status == 200
    await two.sweep()  # which finds the session on its worker
    kept = [await (await it.client.post(RESULTS, json={"session_id": session_id})).json() for it in (one, two)]
    for it in (one, two):
        for result in kept:
            response = await it.client.get(f"{RESULTS}{result['result_id']}/image")
            assert (response.status, await response.read()) == (200, picture())
    assert len(await one.get(RESULTS)) == 2
    assert (await two.client.delete(f"{RESULTS}{kept[0]['result_id']}/")).status == 204
    assert [result["result_id"] for result in await one.get(RESULTS)] == [kept[1]["result_id"]]
    await refused(await one.client.get(f"{RESULTS}{kept[0]['result_id']}/image"), 404, "not_found")
    await socket.close()
