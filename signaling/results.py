"""`/api/try-on/results/…`: pictures worth keeping, taken from the stream or sent along."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from pydantic import JsonValue

from protocol import limits
from protocol.api import CreateResult, ResultView
from protocol.errors import (
    AtCapacity,
    BadImage,
    BadRequest,
    InvalidFields,
    NoFrameYet,
    NotFound,
    RateLimited,
    RegistryUnavailable,
    SessionEnded,
    SilentPeer,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
    WorkerUnavailable,
)
from protocol.internal import StillAnswer
from protocol.messages import ImageFormat
from signaling import pagination, rates, uploads, views
from signaling.auth import Caller, caller
from signaling.context import CONTEXT, Context
from signaling.image_response import image_response
from signaling.images import Picture, inspect
from signaling.operations import BINARY, IMAGE, Operation
from signaling.sessions import Session, is_id
from signaling.tables import Result
from signaling.urls import API, result_url

IMAGE_FIELD = "processed_image"

AT_ONCE = 100
"""Results deleted in one transaction at most."""


@dataclass(frozen=True)
class _Wanted:
    """A result to keep: what the client said, and the image it sent, if any."""

    fields: CreateResult
    image: bytes | None


async def create(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    await rates.upload(request)
    wanted = await _read(request)
    session = await context.sessions.find_live(wanted.fields.session_id)
    await rates.result(request, session.owner)
    if wanted.image is not None:
        picture, confidence = await context.uploads.picture(wanted.image), None
    else:
        session, picture, confidence = await _newest_frame(context, session)
    if wanted.fields.confidence_score is not None:
        confidence = wanted.fields.confidence_score
    work = _store(context, session, picture, confidence=confidence, metadata=wanted.fields.metadata)
    result = await context.unbroken.run(work)
    headers = {"Location": result_url(request, result.result_id)}
    return views.json_response(await views.result(request, result, session), status=201, headers=headers)


async def keep_still(context: Context, session: Session, still: StillAnswer) -> Result:
    """The still try-on of upload mode, as the session's first result."""
    work = _store(context, session, inspect(still.image), confidence=still.info.confidence, metadata={})
    return await context.unbroken.run(work)


async def _read(request: web.Request) -> _Wanted:
    kind = uploads.require_type(request, "application/json", "multipart/form-data")
    if kind == "application/json":
        return await _read_json(request)
    async with request.app[CONTEXT].uploads.form(request, IMAGE_FIELD) as form:
        return _Wanted(_checked(_typed(form.fields)), form.files.get(IMAGE_FIELD))


async def _read_json(request: web.Request) -> _Wanted:
    with request.app[CONTEXT].uploads.room() as hold:
        body = await uploads.read_body(request, uploads.MAX_JSON_WITH_IMAGE, hold)
        return await asyncio.to_thread(_parse_json, body)  # 16 MB of JSON and base64 take a while


def _parse_json(body: bytes) -> _Wanted:
    fields = _checked(uploads.parse_json_object(body, "the body"))
    image = None if fields.processed_image is None else uploads.decode_base64_image(fields.processed_image)
    return _Wanted(fields, image)


def _typed(texts: Mapping[str, str]) -> dict[str, object]:
    """A form's fields as JSON would have them: pydantic reads numbers from text, but not objects."""
    fields: dict[str, object] = {name: text for name, text in texts.items() if text}
    if metadata := texts.get("metadata"):
        fields["metadata"] = uploads.parse_json_object(metadata, "metadata")
    return fields


def _checked(data: Mapping[str, object]) -> CreateResult:
    fields = uploads.parse(CreateResult, data)
    try:
        size = len(json.dumps(fields.metadata, ensure_ascii=False).encode())
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can write it, but no UTF-8 answer could give it back
        raise InvalidFields("metadata: holds text that is not Unicode") from None
    if size > limits.MAX_JSON_SIZE:
        raise TooLarge(f"metadata: {size} bytes of JSON; {limits.MAX_JSON_SIZE} are taken")
    return fields


async def _newest_frame(context: Context, session: Session) -> tuple[Session, Picture, float]:
    """The stream's newest picture, and the session as it is worn on it. Raises NoFrameYet, WorkerUnavailable."""
    url = await context.router.owner(session.session_id)
    if url is None:
        raise NoFrameYet("nothing streams in this session")
    frame = await context.workers.newest_frame(url, session.session_id, ImageFormat.JPEG)
    session = await context.sessions.refresh(session)  # the design may have changed since the last sweep
    picture = Picture(frame.image, frame.content_type, frame.info.width, frame.info.height)
    return session, picture, frame.info.confidence


async def _store(
    context: Context,
    session: Session,
    picture: Picture,
    *,
    confidence: float | None,
    metadata: dict[str, JsonValue],
) -> Result:
    worn = session.settings.design
    result = Result(
        result_id=str(uuid.uuid4()),
        session_id=session.session_id,
        owner=session.owner,
        created_at=context.clock(),
        design_id=worn if worn is not None else session.post_id,
        blob=await context.blobs.put(picture.data),
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        confidence_score=confidence,
        metadata=metadata,
    )
    await context.store.results.add(result)
    return result


async def list_own(request: web.Request) -> web.Response:
    context, page, who = request.app[CONTEXT], pagination.asked_page(request), caller(request)
    found = await context.store.results.of(who.owner, page, only=who.session_id)
    shown, more = pagination.cut(found, page)
    sessions = await context.store.sessions_by_id({result.session_id for result in shown})
    headers = pagination.link_header(request, page, shown[-1].result_id) if more else None
    return views.json_list(
        [await views.result(request, it, sessions.get(it.session_id)) for it in shown], headers=headers
    )


async def show(request: web.Request) -> web.Response:
    result = await _find(request)
    session = await request.app[CONTEXT].store.session(result.session_id)
    return views.json_response(await views.result(request, result, session))


async def image(request: web.Request) -> web.Response:
    result = await _find(request)
    data = await request.app[CONTEXT].blobs.get(result.blob)
    return image_response(request, data, result.content_type, tag=result.blob)


async def delete(request: web.Request) -> web.Response:
    context, result = request.app[CONTEXT], await _find(request)
    await context.unbroken.run(_forget(context, result))
    return web.Response(status=204)


async def _forget(context: Context, result: Result) -> None:
    await context.blobs.delete(*await context.store.results.delete(result.result_id))


async def delete_own(request: web.Request) -> web.Response:
    context, who = request.app[CONTEXT], caller(request)
    await context.unbroken.run(_forget_all(context, who))
    return web.Response(status=204)


async def _forget_all(context: Context, who: Caller) -> None:
    """Some at a time: a host application's user may have thousands, and nobody else should wait for them."""
    while loose := await context.store.results.delete_of(who.owner, AT_ONCE, only=who.session_id):
        await context.blobs.delete(*loose)


async def _find(request: web.Request) -> Result:
    result_id = request.match_info["result_id"].lower()
    result = await request.app[CONTEXT].store.results.get(result_id) if is_id(result_id) else None
    if result is None:
        raise NotFound(f"there is no result {result_id:.40}")
    return result


_FORM = {
    "type": "object",
    "required": ["session_id"],
    "properties": {
        "session_id": {"type": "string", "format": "uuid"},
        IMAGE_FIELD: BINARY,
        "confidence_score": {"type": "number", "minimum": 0, "maximum": 1},
        "metadata": {"type": "string", "description": "A JSON object."},
    },
}
_RESULTS, _RESULT = f"{API}/results/", f"{API}/results/{{result_id}}/"

OPERATIONS = (
    Operation(
        "POST",
        _RESULTS,
        create,
        "Keep a picture: the one sent along, or the session's newest processed frame",
        "results",
        takes={"application/json": CreateResult, "multipart/form-data": _FORM},
        answers={201: {"application/json": ResultView}},
        headers=("Location",),
        errors=(
            BadRequest,
            Unauthorized,
            NotFound,
            SilentPeer,
            NoFrameYet,
            SessionEnded,
            TooLarge,
            UnsupportedMediaType,
            InvalidFields,
            BadImage,
            RateLimited,
            AtCapacity,
            StoreUnavailable,
            WorkerUnavailable,
            RegistryUnavailable,
        ),
    ),
    Operation(
        "GET",
        _RESULTS,
        list_own,
        "The caller's own results, newest first",
        "results",
        query=pagination.QUERY,
        answers={200: {"application/json": list[ResultView]}},
        headers=("Link",),
        errors=(Unauthorized, InvalidFields, StoreUnavailable),
    ),
    Operation(
        "DELETE",
        _RESULTS,
        delete_own,
        "Forget all of the caller's own results, and their pictures",
        "results",
        answers={204: None},
        errors=(Unauthorized, StoreUnavailable),
    ),
    Operation(
        "GET",
        _RESULT,
        show,
        "One result",
        "results",
        answers={200: {"application/json": ResultView}},
        errors=(NotFound, StoreUnavailable),
    ),
    Operation(
        "DELETE",
        _RESULT,
        delete,
        "Forget a result and its picture",
        "results",
        answers={204: None},
        errors=(NotFound, StoreUnavailable),
    ),
    Operation(
        "GET",
        f"{_RESULT}image",
        image,
        "The result's picture",
        "results",
        answers={200: IMAGE, 304: None},
        errors=(NotFound, StoreUnavailable),
    ),
)
