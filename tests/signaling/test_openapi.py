"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from protocol import errors
from signaling.app import OPERATIONS
from signaling.openapi import document
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_session_api import upload

DOCUMENT = document(OPERATIONS)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_it_is_valid() -> None:
    validate(DOCUMENT)


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)


async def test_every_route_is_in_it(lacquer: Lacquer) -> None:
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in lacquer.client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    pages = {("get", "/"), ("get", "/try-on/live"), ("get", "/static/{path}"), ("get", "/service-worker.js")}
    pages |= {("get", "/admin"), ("get", "/admin/")}
    described = {(method, path.rstrip("/")) for method, path, _ in operations()}
    assert {(method, path.rstrip("/")) for method, path in routes - pages} - {("get", "/try-on/live"), ("get", "")} == (
        described
    )


async def test_it_is_served(lacquer: Lacquer) -> None:
    assert await lacquer.get("/api/schema") == DOCUMENT
    assert await lacquer.get("/api/schema/") == DOCUMENT


def test_every_documented_code_exists() -> None:
    codes = {code for _, _, operation in operations() for code in _codes(operation)}
    assert codes <= set(errors.BY_CODE)
    assert {"at_capacity", "bad_image", "bad_sdp", "no_frame_yet", "session_ended", "unknown_design"} <= codes


def _codes(operation: dict[str, Any]) -> Iterator[str]:
    for response in operation["responses"].values():
        yield from response["description"].split("`")[1::2]


async def conforms(response: aiohttp.ClientResponse, path: str) -> Any:
    """The answer's JSON, checked against the document."""
    operation = DOCUMENT["paths"][path][response.method.lower()]
    described = operation["responses"].get(str(response.status), operation["responses"]["default"])
    if "content" not in described:
        assert await response.read() == b""
        return None
    schema = described["content"][response.content_type]["schema"]
    if "application/" not in response.content_type:
        return None
    answer = await response.json(content_type=None)
    OAS31Validator({**schema, "components": DOCUMENT["components"]}).validate(answer)
    return answer


async def test_answers_are_as_documented(lacquer: Lacquer, worker: FakeWorker) -> None:
    client = lacquer.client
    session_path, result_path = f"{SESSIONS}{{session_id}}/", f"{RESULTS}{{result_id}}/"
    created = await conforms(await client.post(SESSIONS, json={"mode": "explore", "post_id": 1}), SESSIONS)
    await conforms(await client.post(SESSIONS, data=upload(picture(), picture())), SESSIONS)
    await conforms(await client.get(SESSIONS), SESSIONS)
    here = f"{SESSIONS}{created['session_id']}/"
    await conforms(await client.get(here), session_path)
    await conforms(await client.post(f"{here}extend/"), f"{session_path}extend/")
    image = base64.b64encode(picture()).decode()
    body = {"session_id": created["session_id"], "processed_image": image, "metadata": {"a": [1, None]}}
    kept = await conforms(await client.post(RESULTS, json=body), RESULTS)
    await conforms(await client.get(RESULTS), RESULTS)
    there = f"{RESULTS}{kept['result_id']}/"
    await conforms(await client.get(there), result_path)
    await conforms(await client.get(f"{there}image"), f"{result_path}image")
    await conforms(await client.delete(there), result_path)
    await conforms(await client.delete(here), session_path)
    for path in ("/api/try-on/designs/", "/api/try-on/ice-servers/", "/healthz", "/readyz"):
        await conforms(await client.get(path), path)


@pytest.mark.parametrize(
    ("method", "path", "template", "options"),
    [
        ("GET", f"{SESSIONS}x/", f"{SESSIONS}{{session_id}}/", {}),
        ("GET", f"{RESULTS}x/", f"{RESULTS}{{result_id}}/", {}),
        ("GET", "/api/try-on/designs/0/", "/api/try-on/designs/{design_id}/", {}),
        ("POST", SESSIONS, SESSIONS, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", SESSIONS, SESSIONS, {"json": {"mode": "explore", "post_id": 987654}}),
        ("POST", SESSIONS, SESSIONS, {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        ("GET", f"{SESSIONS}?limit=0", SESSIONS, {}),
    ],
)
async def test_refusals_are_as_documented(
    lacquer: Lacquer, method: str, path: str, template: str, options: dict[str, Any]
) -> None:
    response = await lacquer.client.request(method, path, **options)
    assert str(response.status) in DOCUMENT["paths"][template][method.lower()]["responses"]
    await conforms(response, template)


def test_every_picture_may_be_unchanged() -> None:
    """They carry an ETag, so all of them answer 304 to who has them already."""
    for _, path, operation in operations():
        if "image/jpeg" in operation["responses"].get("200", {}).get("content", {}):
            assert "304" in operation["responses"], path
