"""Bodies of the internal HTTP API: models in, models out."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from protocol.errors import BadRequest
from protocol.messages import explain

M = TypeVar("M", bound=BaseModel)


async def read_model(request: web.Request, model: type[M]) -> M:
    """Raises BadRequest."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        raise BadRequest(explain(error)) from error


def json_response(model: BaseModel) -> web.Response:
    return web.json_response(text=model.model_dump_json())
