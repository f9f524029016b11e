"""The OpenAPI 3.1 document, made from the operations and the pydantic models. Served at `/api/schema`."""

from __future__ import annotations

import http
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from aiohttp import web
from pydantic import TypeAdapter

from protocol.api import Problem
from protocol.errors import LacquerError
from signaling.health import VERSION
from signaling.operations import Body, Operation
from signaling.problems import MEDIA_TYPE

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

_PATH_PARAMETERS: Mapping[str, Json] = {
    "session_id": {"type": "string", "format": "uuid"},
    "result_id": {"type": "string", "format": "uuid"},
    "design_id": {"type": "integer", "minimum": 1},
    "peer_id": {"type": "string"},
    "watched": {"type": "string", "description": "A session's id, with its token; or its watch id, without one."},
    "worker_id": {"type": "string"},
    "nail": {"type": "integer", "minimum": 0, "description": "Place in the set's `nails`."},
}


def document(operations: Iterable[Operation]) -> Json:
    """The whole document, ready for `json.dumps`."""
    schemas = _Schemas()
    paths: defaultdict[str, Json] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lacquer", "version": VERSION, "summary": "Real-time nail try-on"},
        "paths": dict(paths),
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
        # An empty alternative: no token is needed, one only says who is asking.
        "security": [{}, {"bearer": []}, {"cookie": []}],
    }


_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A session's token, or a host application's JWT (HS256 with SECRET_KEY; RS256 or "
        "ES256 with a key of LACQUER_JWKS_URL) whose `sub` is the owner.",
    },
    "admin": {"type": "http", "scheme": "bearer", "description": "LACQUER_ADMIN_TOKEN."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "lacquer_owner",
        "description": "Handed out when missing; over HTTPS it is `__Host-lacquer_owner`.",
    },
}


class _Schemas:
    """JSON Schemas of Python types; models go to `components` and are referred to."""

    def __init__(self) -> None:
        self.components: Json = {}

    def of(self, kind: Any, mode: Mode) -> Json:
        if isinstance(kind, Mapping):
            return dict(kind)
        schema = TypeAdapter(kind).json_schema(mode=mode, ref_template="#/components/schemas/{model}")
        self.components |= schema.pop("$defs", {})
        if "$ref" in schema or schema.get("type") == "array":
            return schema
        self.components[kind.__name__] = schema
        return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _operation(operation: Operation, schemas: _Schemas) -> Json:
    described: Json = {
        "operationId": _operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": {**_answers(operation, schemas), **_errors(operation, schemas)},
    }
    if operation.admin:
        described["security"] = [{"admin": []}]
    if operation.bearer:
        described["security"] = [{"bearer": []}]
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.takes, schemas, "validation")}
    return described


def _operation_id(operation: Operation) -> str:
    words = re.findall(r"[a-z_]+", operation.path.removeprefix("/api/try-on").replace("-", "_"))
    return "_".join([operation.method.lower(), *words])


def _parameters(operation: Operation) -> list[Json]:
    in_path = re.findall(r"{(\w+)}", operation.path)
    return [
        *({"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in in_path),
        *({"name": name, "in": "query", "schema": dict(schema)} for name, schema in operation.query.items()),
    ]


def _answers(operation: Operation, schemas: _Schemas) -> Json:
    headers = {name: {"schema": {"type": "string"}} for name in operation.headers}
    answers: Json = {}
    for status, body in operation.answers.items():
        answers[str(status)] = {"description": http.HTTPStatus(status).phrase}
        if body is not None:
            answers[str(status)]["content"] = _content(body, schemas, "serialization")
        if headers and status < 300:
            answers[str(status)]["headers"] = headers
    return answers


def _errors(operation: Operation, schemas: _Schemas) -> Json:
    content = {MEDIA_TYPE: {"schema": schemas.of(Problem, "serialization")}}
    by_status: defaultdict[int, list[type[LacquerError]]] = defaultdict(list)
    for error in operation.errors:
        by_status[error.status].append(error)
    errors: Json = {}
    for status, kinds in sorted(by_status.items()):
        errors[str(status)] = {"description": "; ".join(f"`{e.code}`: {e.title}" for e in kinds), "content": content}
        if status in (429, 503):
            errors[str(status)]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    errors["default"] = {"description": f"`{LacquerError.code}`: {LacquerError.title}", "content": content}
    return errors


def _content(body: Body, schemas: _Schemas, mode: Mode) -> Json:
    return {media_type: {"schema": schemas.of(kind, mode)} for media_type, kind in body.items()}


async def schema(request: web.Request) -> web.Response:
    return web.json_response(request.app[DOCUMENT], dumps=lambda value: json.dumps(value, ensure_ascii=False))


DOCUMENT = web.AppKey("openapi", dict[str, Any])

OPERATIONS = (
    Operation(
        "GET",
        "/api/schema/",
        schema,
        "This document",
        "operations",
        answers={200: {"application/json": {"type": "object"}}},
    ),
)
