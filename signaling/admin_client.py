"""A running Lacquer's `/admin/…`, called with the admin token: what `lacquer admin` does, without the words for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Self, TypeVar

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError

from protocol.admin import AdminErrors, AdminOverview, AdminResult, AdminSession
from protocol.api import Problem, WorkerState
from protocol.errors import Forbidden, Unauthorized

TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)

PART = 200
"""Entries asked for at once: as many as the server gives."""

Model = TypeVar("Model", bound=BaseModel)


class AdminFailed(Exception):
    """One sentence for the operator."""

    exit_code: ClassVar[int] = 1


class NotLetIn(AdminFailed):
    """The token is missing or wrong, or the server has none."""

    exit_code = 3


class NoAnswer(AdminFailed):
    exit_code = 4


class StillBusy(AdminFailed):
    """It was waited for, and did not come about in time."""

    exit_code = 5


@dataclass(frozen=True)
class _Answer:
    body: bytes
    more: bool
    """Whether the list goes on."""


@dataclass(frozen=True)
class Look:
    """All that is to be seen at once."""

    overview: AdminOverview
    workers: list[WorkerState]
    sessions: list[AdminSession]
    errors: AdminErrors


class AdminClient:
    """An async context manager. Every call raises AdminFailed."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers=self._headers, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def look(self) -> Look:
        return Look(*await asyncio.gather(self.overview(), self.workers(), self.sessions(50), self.errors(8)))

    async def overview(self) -> AdminOverview:
        return _parsed(AdminOverview, await self._call("GET", "/admin/overview/"), self._url)

    async def workers(self) -> list[WorkerState]:
        """In one order, whichever signaling process answers."""
        found = _parsed_list(WorkerState, await self._call("GET", "/admin/workers/"), self._url)
        return sorted(found, key=lambda worker: worker.id or worker.url)

    async def worker(self, worker_id: str) -> WorkerState | None:
        return next((worker for worker in await self.workers() if worker.id == worker_id), None)

    async def sessions(self, limit: int) -> list[AdminSession]:
        return await self._list(AdminSession, "/admin/sessions/", limit, lambda it: it.session_id)

    async def results(self, limit: int) -> list[AdminResult]:
        return await self._list(AdminResult, "/admin/results/", limit, lambda it: it.result_id)

    async def errors(self, limit: int) -> AdminErrors:
        return _parsed(AdminErrors, await self._call("GET", "/admin/errors/", {"limit": min(limit, PART)}), self._url)

    async def drain(self, worker_id: str) -> None:
        await self._call("POST", f"/admin/workers/{_quoted(worker_id)}/drain")

    async def undrain(self, worker_id: str) -> None:
        await self._call("DELETE", f"/admin/workers/{_quoted(worker_id)}/drain")

    async def end(self, session_id: str) -> None:
        await self._call("DELETE", f"/admin/sessions/{_quoted(session_id)}/")

    async def _list(self, kind: type[Model], path: str, limit: int, id_of: Callable[[Model], str]) -> list[Model]:
        """The newest `limit` entries, part by part."""
        found: list[Model] = []
        asked: dict[str, str | int] = {"limit": min(limit, PART)}
        while True:
            answer = await self._call("GET", path, asked)
            part = _parsed_list(kind, answer, self._url)
            found += part
            if not (part and answer.more) or len(found) >= limit:
                return found[:limit]
            asked["before"] = id_of(found[-1])

    async def _call(self, method: str, path: str, params: Mapping[str, str | int] | None = None) -> _Answer:
        assert self._http is not None, "enter the client first"
        try:
            # Not redirected: the token is for this address alone.
            async with self._http.request(
                method, f"{self._url}{path}", params=params, allow_redirects=False
            ) as response:
                body = await response.read()
        except aiohttp.InvalidURL as error:
            raise AdminFailed(f"{self._url!r} is no address: write it as http://localhost:8000") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise NoAnswer(f"the certificate of {self._url} is none that this machine trusts") from error
        except ValueError as error:
            raise NotLetIn("LACQUER_ADMIN_TOKEN holds signs that no token has, such as a line's end") from error
        except TimeoutError as error:
            raise NoAnswer(f"{self._url} took too long to answer") from error
        except aiohttp.ClientError as error:
            raise NoAnswer(f"no answer from {self._url}: does Lacquer run there?") from error
        if response.status >= 300:
            raise self._refusal(response.status, body)
        return _Answer(body, "next" in response.links)

    def _refusal(self, status: int, body: bytes) -> AdminFailed:
        try:
            problem = Problem.model_validate_json(body)
        except ValidationError:
            return NoAnswer(f"{self._url} answers with HTTP {status}, as no Lacquer does: is the address right?")
        if problem.code == Unauthorized.code:
            return NotLetIn("LACQUER_ADMIN_TOKEN is not the admin token of this server")
        if problem.code == Forbidden.code:
            return NotLetIn(f"the server at {self._url} has no admin token: set LACQUER_ADMIN_TOKEN there, too")
        return AdminFailed(problem.detail)


def _parsed(kind: type[Model], answer: _Answer, url: str) -> Model:
    with _of_this_version(url):
        return kind.model_validate_json(answer.body)


def _parsed_list(kind: type[Model], answer: _Answer, url: str) -> list[Model]:
    with _of_this_version(url):
        return TypeAdapter(list[kind]).validate_json(answer.body)  # type: ignore[valid-type]


@contextmanager
def _of_this_version(url: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise NoAnswer(f"{url} does not answer as this version of Lacquer does") from error


def _quoted(name: str) -> str:
    """Ids are letters, digits and a few signs; anything else is no id, and must not become another path."""
    if not name or not all(sign.isalnum() or sign in "-_.:@" for sign in name) or not name.strip("."):
        raise AdminFailed(f"{name!r:.60} is no id")
    return name
