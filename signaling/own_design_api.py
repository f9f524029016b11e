"""Adding, changing and removing a shop's own designs; for who shows the admin token."""

from __future__ import annotations

from aiohttp import web

from protocol.api import ChangeDesign, CreateDesign, DesignView, PhotoDesign
from protocol.designs import Finger
from protocol.errors import (
    AtCapacity,
    BadImage,
    BadRequest,
    Forbidden,
    InvalidFields,
    RateLimited,
    SilentPeer,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    UnknownDesign,
    UnknownNail,
    UnsupportedMediaType,
    VisionFailed,
    WorkerUnavailable,
)
from protocol.nail_sets import NailSet
from signaling import photo_designs, uploads, views
from signaling.admin_access import admin_only
from signaling.context import CONTEXT, Context
from signaling.designs import DESIGNS, find
from signaling.operations import BINARY, Operation
from signaling.own_designs import Own
from signaling.settings import SETTINGS
from signaling.uploads import REFERENCE_SIDE
from signaling.urls import design_url

IMAGE_FIELD = "image"


@admin_only
async def create(request: web.Request) -> web.Response:
    kind = uploads.require_type(request, "application/json", "multipart/form-data")
    fields, nail_set = await (_read_json(request) if kind == "application/json" else _read_photo(request))
    context = request.app[CONTEXT]
    own = await context.unbroken.run(_add(context, fields, nail_set))
    headers = {"Location": design_url(request, own.design.id)}
    return views.json_response(await views.design_in_full(request, own.design), status=201, headers=headers)


async def _read_json(request: web.Request) -> tuple[dict[str, object], None]:
    wanted = uploads.parse(CreateDesign, await uploads.read_json(request))
    return wanted.model_dump(mode="json"), None


async def _read_photo(request: web.Request) -> tuple[dict[str, object], NailSet]:
    context = request.app[CONTEXT]
    async with context.uploads.form(request, IMAGE_FIELD) as form:
        wanted = uploads.parse(PhotoDesign, form.fields)
        if IMAGE_FIELD not in form.files:
            raise InvalidFields(f"{IMAGE_FIELD}: missing")
        picture = await context.uploads.picture(form.files[IMAGE_FIELD], REFERENCE_SIDE)
    nail_set = await context.workshop.take(picture.data)
    described = await photo_designs.description(nail_set)
    return described | wanted.model_dump(mode="json", exclude_none=True), nail_set


async def _add(context: Context, fields: dict[str, object], nail_set: NailSet | None) -> Own:
    own = await context.collection.add(fields, nail_set)
    await context.workshop.inform_all()  # at once, so that people who stream now can choose it
    return own


@admin_only
async def change(request: web.Request) -> web.Response:
    context, own = request.app[CONTEXT], _own(request)
    uploads.require_type(request, "application/json")
    wanted = uploads.parse(ChangeDesign, await uploads.read_json(request))
    fields = wanted.model_dump(mode="json", exclude={"nails"}, exclude_none=True)
    own = await context.unbroken.run(_change(context, own.design.id, fields, wanted.nails))
    return views.json_response(await views.design_in_full(request, own.design))


async def _change(context: Context, design_id: int, fields: dict[str, object], nails: dict[Finger, int]) -> Own:
    changed = await context.collection.change(design_id, fields, nails)
    await context.workshop.inform_all()
    return changed


@admin_only
async def remove(request: web.Request) -> web.Response:
    context, own = request.app[CONTEXT], _own(request)
    if own.file is not None and request.app[SETTINGS].designs_dir is not None:
        raise Forbidden(f"this design comes from the designs folder: remove {own.file} there")
    await context.unbroken.run(_remove(context, own.design.id))
    return web.Response(status=204)


async def _remove(context: Context, design_id: int) -> None:
    await context.collection.remove(design_id)
    await context.workshop.inform_all()


def _own(request: web.Request) -> Own:
    """Raises UnknownDesign, Forbidden."""
    design = find(request)
    own = request.app[CONTEXT].collection.own(design.id)
    if own is None:
        raise Forbidden(f"“{design.name}” is part of the built-in catalogue, which stays as it is")
    return own


_FORM = {
    "type": "object",
    "required": ["name", IMAGE_FIELD],
    "properties": {
        IMAGE_FIELD: BINARY,
        **{name: {"type": "string"} for name in PhotoDesign.model_fields},
    },
}
_ADMIN = (Unauthorized, Forbidden, RateLimited)
_BODY = (BadRequest, SilentPeer, TooLarge, UnsupportedMediaType, InvalidFields)

OPERATIONS = (
    Operation(
        "POST",
        DESIGNS,
        create,
        "Add an own design: in colours, or taken from a photo",
        "designs",
        takes={"application/json": CreateDesign, "multipart/form-data": _FORM},
        answers={201: {"application/json": DesignView}},
        headers=("Location",),
        admin=True,
        errors=(*_ADMIN, *_BODY, BadImage, VisionFailed, AtCapacity, StoreUnavailable, WorkerUnavailable),
    ),
    Operation(
        "PATCH",
        f"{DESIGNS}{{design_id}}/",
        change,
        "Change an own design",
        "designs",
        takes={"application/json": ChangeDesign},
        answers={200: {"application/json": DesignView}},
        admin=True,
        errors=(*_ADMIN, *_BODY, UnknownDesign, UnknownNail, StoreUnavailable),
    ),
    Operation(
        "DELETE",
        f"{DESIGNS}{{design_id}}/",
        remove,
        "Remove an own design",
        "designs",
        answers={204: None},
        admin=True,
        errors=(*_ADMIN, UnknownDesign, StoreUnavailable),
    ),
)
