"""Request bodies, read within bounds: bytes are counted as they come, and reading stops at the limit."""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from protocol import limits
from protocol.errors import (
    AtCapacity,
    BadImage,
    BadRequest,
    InvalidFields,
    SilentPeer,
    TooLarge,
    UnsupportedMediaType,
)
from protocol.messages import explain
from signaling import images
from signaling.images import Picture
from signaling.problems import problem_response

MAX_IMAGES = 2
"""Files of one form: the nail reference and the person's own picture."""

MAX_FORM_SIZE = MAX_IMAGES * limits.MAX_UPLOAD_SIZE + limits.MAX_JSON_SIZE
MAX_JSON_WITH_IMAGE = limits.MAX_UPLOAD_SIZE * 4 // 3 + limits.MAX_JSON_SIZE
MAX_PARTS = 16

READ_TIMEOUT = 60.0
"""Seconds to send a body: two 12 MB photos at 3.2 Mbit/s up. Slower phones send smaller photos."""

MAX_AT_ONCE = 8
"""Forms that have come and are worked on, or wait for it."""

MAX_HELD = MAX_AT_ONCE * MAX_FORM_SIZE
"""Bytes of bodies with pictures in memory at once. Those on their way count with what has come of them: who sends a
byte now and then takes nobody's place."""

REFERENCE_SIDE = 1280
"""Longest side of a nail reference that is kept: a nail on it is then still larger than on video."""

SOURCE_SIDE = 2048
"""Longest side of a still to try on: what the worker's body limit takes as a PNG, and more than video ever has."""

PICTURE_SIDE = 4096
"""Longest side of any other picture that is kept; video ends at 1920."""

Model = TypeVar("Model", bound=BaseModel)

_BROKEN_FORM = (ValueError, RuntimeError, AssertionError, HttpProcessingError)
"""What aiohttp and UTF-8 say of broken forms; the last of a part's headers."""


@dataclass
class Form:
    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def refuse_oversize(request: web.Request, limit: int) -> None:
    """Answers at once, before a byte of the body is read, where the sender names its length. Raises TooLarge."""
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(f"the body has {request.content_length} bytes; {limit} are taken")


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Answers `Expect: 100-continue`, as curl sends it: no need to send what is too large for anything."""
    try:
        refuse_oversize(request, MAX_FORM_SIZE)
    except TooLarge as error:
        return problem_response(error)
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None


def require_type(request: web.Request, *types: str) -> str:
    """The request's media type, without parameters. Raises UnsupportedMediaType."""
    if "Content-Type" not in request.headers or request.content_type not in types:
        raise UnsupportedMediaType(f"Content-Type must be {' or '.join(types)}")
    return request.content_type


Hold = Callable[[int], None]
"""Counts bytes that have come. Raises AtCapacity where there is no room for more."""


async def read_body(request: web.Request, limit: int, hold: Hold = lambda size: None) -> bytes:
    """The whole body. Raises TooLarge, SilentPeer, and what `hold` does."""
    refuse_oversize(request, limit)
    body = bytearray()
    async with _in_time():
        async for chunk in request.content.iter_any():
            hold(len(chunk))
            body += chunk
            if len(body) > limit:
                raise TooLarge(f"the body is longer than the {limit} bytes that are taken")
    return bytes(body)


async def read_json(request: web.Request) -> dict[str, object]:
    """A small JSON object. Raises BadRequest, TooLarge."""
    return parse_json_object(await read_body(request, limits.MAX_JSON_SIZE), "the body")


def parse_json_object(text: bytes | str, what: str) -> dict[str, object]:
    """Raises BadRequest. NaN and infinities are refused: they are no JSON, and could not be given back."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{what} is not JSON: {error}"[:200]) from error
    if not isinstance(value, dict):
        raise BadRequest(f"{what} is a JSON {type(value).__name__}, not an object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is out of range")
    return value


def parse(model: type[Model], data: Mapping[str, object]) -> Model:
    """The body as its model. Raises InvalidFields, naming the first wrong field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidFields(explain(error)) from error
    except RecursionError:
        raise InvalidFields("the body is nested too deeply") from None


def decode_base64_image(text: str) -> bytes:
    """Base64, or a `data:` URL of it. Raises BadImage, TooLarge."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImage(f"the image is not base64: {error}") from error
    if len(data) > limits.MAX_UPLOAD_SIZE:
        raise TooLarge(f"the image has {len(data)} bytes; {limits.MAX_UPLOAD_SIZE} are taken")
    return data


class Uploads:
    """Reads forms, as many as there is room for, and checks their images, one at a time. Close it when done."""

    def __init__(self) -> None:
        self._held = self._forms = 0
        # Decoded, a picture may take 120 MB, so one at a time. Threads cannot be cancelled: a lock around to_thread
        # would let go of a decoder that still runs when its client goes away; a pool of one does not.
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="image")

    async def close(self) -> None:
        """Waits for the picture that is being decoded; a second at most."""
        await asyncio.to_thread(self._decoder.shutdown, wait=True, cancel_futures=True)

    @asynccontextmanager
    async def form(self, request: web.Request, *files: str) -> AsyncIterator[Form]:
        """The multipart form while it is in use: parts named in `files` as files, other files not at all, the rest as
        text.

        Raises TooLarge, BadRequest, SilentPeer, or AtCapacity where too many are being read.
        """
        refuse_oversize(request, MAX_FORM_SIZE)
        with self.room() as hold:
            form = await _read_form(request, files, hold)
            if self._forms >= MAX_AT_ONCE:
                raise AtCapacity("too many uploads at once")
            self._forms += 1
            try:
                yield form
            finally:
                self._forms -= 1

    @contextmanager
    def room(self) -> Iterator[Hold]:
        """Kept while a body with a picture is in memory."""
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held + size > MAX_HELD:
                raise AtCapacity("too many uploads at once")
            self._held, mine = self._held + size, mine + size

        try:
            yield hold
        finally:
            self._held -= mine

    async def picture(self, data: bytes, max_side: int = PICTURE_SIDE) -> Picture:
        """The image checked and made anew. Raises BadImage."""
        call = functools.partial(images.normalise, data, max_side)
        return await asyncio.get_running_loop().run_in_executor(self._decoder, call)


async def _read_form(request: web.Request, files: tuple[str, ...], hold: Hold) -> Form:
    form = Form()
    async with _in_time():
        try:
            async for name, data in _parts(request, files, hold):
                if name in files:
                    form.files[name] = data
                else:
                    form.fields[name] = data.decode()
        except _BROKEN_FORM as error:
            raise BadRequest(f"the form cannot be read: {error}"[:200]) from error
    return form


async def _parts(request: web.Request, files: tuple[str, ...], hold: Hold) -> AsyncIterator[tuple[str, bytes]]:
    reader = await request.multipart()
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader) or not part.name:
            raise BadRequest("every part of the form needs a name, and none may be a form itself")
        is_file = part.name in files or part.filename is not None
        data = await _read_part(part, limits.MAX_UPLOAD_SIZE if is_file else limits.MAX_JSON_SIZE, hold)
        if part.name in files or not is_file:  # what is left is a file nobody asked for
            yield part.name, data
    raise BadRequest(f"the form has more than {MAX_PARTS} parts")


async def _read_part(part: BodyPartReader, limit: int, hold: Hold) -> bytes:
    """As sent: a Content-Encoding is not undone, so that no small part can unpack into a large one."""
    data = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        hold(len(chunk))
        data += chunk
        if len(data) > limit:
            raise TooLarge(f"`{part.name}` is longer than the {limit} bytes that are taken")
    return bytes(data)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            yield
    except web.RequestPayloadError as error:
        raise BadRequest(f"the body breaks off or does not unpack: {error}"[:200]) from error
    except TimeoutError:
        raise SilentPeer(f"the body did not arrive within {READ_TIMEOUT:.0f} s") from None
