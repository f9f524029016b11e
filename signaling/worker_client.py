"""The worker's internal API (`protocol/internal.py`), called. Every call is bounded in time.

What a worker refuses comes back as the error it named; a worker that does not answer is WorkerUnavailable.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import aiohttp
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from protocol import limits, tracing
from protocol.api import Problem
from protocol.errors import LacquerError, Unauthorized, WorkerUnavailable, from_code
from protocol.internal import (
    FRAME_INFO_HEADER,
    FrameInfo,
    NailSetRequest,
    OwnDesign,
    PreviewRequest,
    Role,
    SessionReport,
    SessionSpec,
    StillAnswer,
    StillRequest,
    View,
    Worn,
)
from protocol.messages import ImageFormat, explain
from protocol.nail_sets import NailSet

CALL_TIMEOUT = aiohttp.ClientTimeout(total=4.0, sock_connect=1.5)
"""A try at another worker still fits into the 5 s that a person waits."""

PICTURE_TIMEOUT = aiohttp.ClientTimeout(total=12.0, sock_connect=1.5)
"""A large picture on a busy machine may take the hand model some seconds; a dead worker is known after 1.5 s."""

CLOSE_TIMEOUT = 2.0
"""Seconds that either end of a WebSocket gets to answer a close."""

MAX_MESSAGE_SIZE = limits.HEADER_SIZE + limits.MAX_FRAME_SIZE + 1
"""aiohttp refuses messages of this size and over, hence one more than the protocol's largest."""

WorkerSocket = aiohttp.ClientWebSocketResponse[Literal[False]]

log = structlog.get_logger()
Model = TypeVar("Model")


class WorkerSilent(WorkerUnavailable):
    """Nobody listens at the worker's address, or the line broke: it is gone, not busy."""


@dataclass(frozen=True)
class PeerAnswer:
    peer_id: str
    sdp: bytes


@dataclass(frozen=True)
class Frame:
    """A session's newest processed frame."""

    image: bytes
    content_type: str
    info: FrameInfo


@dataclass(frozen=True)
class Rendered:
    """A picture that a worker drew."""

    image: bytes
    content_type: str


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]


class WorkerClient:
    """Talks to any number of workers, each named by its URL. An async context manager."""

    def __init__(self, secret: str | None) -> None:
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers=self._headers,
            timeout=CALL_TIMEOUT,
            connector=aiohttp.TCPConnector(limit=0),  # every bridged WebSocket holds one; admission is the worker's
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    # --- sessions ---------------------------------------------------------------------------------------------------
    async def put_session(self, url: str, spec: SessionSpec) -> bool:
        """Opens the session on the worker, or refreshes it there; whether the worker did not know it."""
        body = spec.model_dump_json(exclude_unset=True)
        answer = await self._call("PUT", f"{url}/internal/sessions/{spec.session_id}", json_body=body)
        return answer.status == HTTPStatus.CREATED

    async def end_session(self, url: str, session_id: str, reason: str) -> SessionReport:
        answer = await self._call("DELETE", f"{url}/internal/sessions/{session_id}", params={"reason": reason})
        return _parsed(SessionReport, answer, url)

    async def reports(self, url: str) -> list[SessionReport]:
        """Every session that the worker holds."""
        answer = await self._call("GET", f"{url}/internal/sessions")
        return _parsed(list[SessionReport], answer, url)

    async def leave_session(self, url: str, session_id: str) -> None:
        """The session went on elsewhere: the worker closes what is left of it and forgets it. Raises NotFound."""
        await self._call("POST", f"{url}/internal/sessions/{session_id}/leave")

    async def newest_frame(self, url: str, session_id: str, image_format: ImageFormat) -> Frame:
        """Raises NoFrameYet."""
        params = {"format": image_format.value}
        answer = await self._call("GET", f"{url}/internal/sessions/{session_id}/frame", params=params)
        info = _parsed(FrameInfo, replace(answer, body=answer.headers.get(FRAME_INFO_HEADER, "").encode()), url)
        return Frame(answer.body, answer.content_type, info)

    # --- WebRTC peers -----------------------------------------------------------------------------------------------
    async def add_peer(self, url: str, session_id: str, offer: bytes, role: Role = Role.TWO_WAY) -> PeerAnswer:
        headers = {"Content-Type": "application/sdp"}
        path = f"{url}/internal/sessions/{session_id}/peers"
        answer = await self._call("POST", path, data=offer, headers=headers, params={"role": role.value})
        return PeerAnswer(answer.headers.get("Location", "").rstrip("/").rpartition("/")[2], answer.body)

    async def trickle(
        self, url: str, session_id: str, peer_id: str, fragment: bytes, role: Role = Role.TWO_WAY
    ) -> None:
        headers = {"Content-Type": "application/trickle-ice-sdpfrag"}
        path = f"{url}/internal/sessions/{session_id}/peers/{peer_id}"
        await self._call("PATCH", path, data=fragment, headers=headers, params={"role": role.value})

    async def remove_peer(self, url: str, session_id: str, peer_id: str, role: Role = Role.TWO_WAY) -> None:
        path = f"{url}/internal/sessions/{session_id}/peers/{peer_id}"
        await self._call("DELETE", path, params={"role": role.value})

    # --- outside any session ----------------------------------------------------------------------------------------
    async def nail_set(self, url: str, picture: bytes) -> NailSet:
        """The nails that a picture shows, as a design. Raises BadImage, VisionFailed, AtCapacity."""
        return _parsed(NailSet, await self._work(f"{url}/internal/nail-sets", NailSetRequest(image=_b64(picture))), url)

    async def still(self, url: str, picture: bytes, worn: Worn) -> StillAnswer:
        """The picture, wearing that. Raises BadImage, VisionFailed, AtCapacity, UnknownDesign, CatalogueUnknown."""
        request = StillRequest(**dict(worn), image=_b64(picture))
        return _parsed(StillAnswer, await self._work(f"{url}/internal/stills", request), url)

    async def preview(self, url: str, worn: Worn, view: View) -> Rendered:
        """That, drawn on a hand. Raises AtCapacity, UnknownDesign, CatalogueUnknown."""
        answer = await self._work(f"{url}/internal/previews", PreviewRequest(**dict(worn), view=view))
        return Rendered(answer.body, answer.content_type)

    async def _work(self, url: str, request: BaseModel) -> _Answer:
        body = request.model_dump_json(exclude_unset=True)
        return await self._call("POST", url, json_body=body, timeout=PICTURE_TIMEOUT)

    # --- own designs ------------------------------------------------------------------------------------------------
    async def designs(self, url: str) -> dict[int, str]:
        """Versions of the own designs that the worker knows, by id."""
        return _parsed(dict[int, str], await self._call("GET", f"{url}/internal/designs"), url)

    async def put_design(self, url: str, own: OwnDesign) -> None:
        await self._call("PUT", f"{url}/internal/designs/{own.design.id}", json_body=own.model_dump_json())

    async def remove_design(self, url: str, design_id: int) -> None:
        await self._call("DELETE", f"{url}/internal/designs/{design_id}")

    # --- the worker itself ------------------------------------------------------------------------------------------
    async def drain(self, url: str) -> None:
        """It takes nobody in any more, and asks everybody to connect elsewhere."""
        await self._call("PUT", f"{url}/internal/drain")

    async def undrain(self, url: str) -> None:
        await self._call("DELETE", f"{url}/internal/drain")

    # --- sockets ----------------------------------------------------------------------------------------------------
    async def connect(self, url: str, session_id: str) -> WorkerSocket:
        """The session's WebSocket on the worker; the caller closes it. Text stays bytes: it is handed on, not read."""
        assert self._http is not None, "enter the client first"
        with _telling(url):
            async with asyncio.timeout(CALL_TIMEOUT.total):
                return await self._http.ws_connect(
                    f"{url}/ws/tryon/{session_id}",
                    max_msg_size=MAX_MESSAGE_SIZE,
                    autoclose=False,
                    heartbeat=limits.PING_INTERVAL,
                    decode_text=False,
                    headers=tracing.headers(),
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
                )

    async def _call(self, method: str, url: str, *, json_body: str | None = None, **options: Any) -> _Answer:
        assert self._http is not None, "enter the client first"
        if json_body is not None:
            # As a file: aiohttp sends one in pieces, where bytes with a picture in them would go out in one go.
            body = io.BytesIO(json_body.encode())
            options |= {"data": body, "headers": {"Content-Type": "application/json"}}
        with _telling(url), tracing.span("call worker", **{"http.request.method": method}):
            options["headers"] = {**options.get("headers", {}), **tracing.headers()}
            async with self._http.request(method, url, **options) as response:
                answer = _Answer(response.status, await response.read(), response.content_type, response.headers)
        if answer.status >= 400:
            raise _refusal(url, answer)
        return answer


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data)  # pydantic's Base64Bytes decodes what it is given


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """A worker that cannot be reached, or does not speak HTTP, becomes WorkerUnavailable."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("worker unreachable", url=url, error=str(error) or type(error).__name__)
        gone = isinstance(error, aiohttp.ClientConnectionError)
        raise (WorkerSilent if gone else WorkerUnavailable) from error


def _refusal(url: str, answer: _Answer) -> LacquerError:
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        log.error("worker answer unknown", url=url, status=answer.status, body=answer.body[:200])
        return WorkerUnavailable()
    if problem.code == Unauthorized.code:
        # Ours to mend, not the client's: it has shown its token to us, and the worker was shown our secret.
        log.error("worker secret refused", url=url)
        return WorkerUnavailable()
    return from_code(problem.code, problem.detail)


def _parsed(kind: type[Model], answer: _Answer, url: str) -> Model:
    """What the worker said, checked: it may be of another version. Raises WorkerUnavailable."""
    try:
        return TypeAdapter(kind).validate_json(answer.body)
    except ValidationError as error:
        log.error("worker answer unknown", url=url, error=explain(error))
        raise WorkerUnavailable from error
