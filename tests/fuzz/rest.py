"""REST calls made up from the OpenAPI document (schemathesis), against signaling on a real port with a fake worker."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from protocol import logs
from signaling.app import create_app
from signaling.openapi import DOCUMENT
from signaling.prompt_runner import PromptRunner
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.fuzz.campaign import Watch, report

ADMIN = "an admin token for fuzzing"
SECRET = "worker-secret"
NOT_FOR_US = {"/ws/tryon/{session_id}/"}
"""An upgrade is no REST call."""


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")  # type: ignore[untyped-decorator]
def _as_text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


class Service:
    """Signaling and a fake worker, in a thread with a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.url = ""
        self.document: dict[str, Any] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="service")

    async def _serve(self) -> None:
        from tests.signaling.fake_worker import FakeWorker  # noqa: PLC0415

        self._loop = asyncio.get_running_loop()
        async with FakeWorker(secret=SECRET, capacity=10**6) as worker:
            known = Settings(data_dir=self._folder, secret_key="x" * 40, admin_token=ADMIN, worker_secret=SECRET)
            app = create_app(known, LocalRouter([worker.url], secret=SECRET))
            runner = PromptRunner(app, handler_cancellation=True, shutdown_timeout=1)
            await runner.setup()
            site = _site(runner)
            await site.start()
            self.url, self.document = f"http://127.0.0.1:{runner.addresses[0][1]}", app[DOCUMENT]
            self._ready.set()
            await self._stop.wait()
            await runner.cleanup()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


def _site(runner: PromptRunner) -> Any:
    from aiohttp import web  # noqa: PLC0415

    return web.TCPSite(runner, "127.0.0.1", 0)


@contextmanager
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        running = Service(Path(folder))
        running.start()
        try:
            yield running
        finally:
            running.stop()


def main() -> None:
    warnings.simplefilter("ignore")
    logs.configure("console", "ERROR")
    count = int(sys.argv[3])
    with service() as running:
        calls = Calls(running)
        watch = Watch("rest", count, calls.made, clock=time.perf_counter)
        calls.make(watch, count)
    report(watch.done())


class Calls:
    """Half of them to what exists: a session is made now and then, and its id put where one belongs."""

    def __init__(self, running: Service) -> None:
        self._schema = schemathesis.openapi.from_dict(running.document)
        self._http, self._url = requests.Session(), running.url
        self._session_id, self._case, self._admin = "", None, False

    def make(self, watch: Watch, count: int) -> None:
        operations = [each.ok() for each in self._schema.get_all_operations()]
        operations = [each for each in operations if each.path not in NOT_FOR_US]
        each = max(count // len(operations), 2)
        admins = _admins(self._schema.raw_schema)
        for operation in operations:
            self._renew()
            self._admin = (operation.method.upper(), operation.path) in admins
            _feed(operation, each, lambda case: self._try(watch, case))
        extra = next(each for each in operations if each.path.endswith("/sessions/") and each.method == "post")
        self._admin = False
        _feed(extra, max(count - watch.outcome.tried, 1), lambda case: self._try(watch, case))

    def _try(self, watch: Watch, case: Any) -> None:
        self._case = case
        watch.feed(f"{case.method} {case.formatted_path} {case.query} {case.headers} {case.body!r}"[:4000].encode())

    def _renew(self) -> None:
        asked = self._http.post(f"{self._url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1}, timeout=10)
        self._session_id = asked.json()["session_id"]

    def made(self, _: bytes) -> bool:
        """Whether the answer was 2xx. Raises AssertionError for one that must not be."""
        case: Any = self._case
        if "session_id" in (case.path_parameters or {}) and len(str(case.path_parameters["session_id"])) % 2:
            case.path_parameters["session_id"] = self._session_id
        response = case.call(base_url=self._url, session=self._http, timeout=10)
        status = response.status_code
        assert status < 500 or status == 503, (status, response.content[:300])
        if self._admin:
            assert status in (401, 403, 404, 405, 413), f"an admin's route answered {status} to a stranger"
        if status >= 400 and case.method.upper() != "HEAD":
            assert "problem+json" in str(response.headers.get("content-type", "")), (status, response.headers)
        return bool(status < 300)


def _feed(operation: Any, count: int, take: Any) -> None:
    strategy = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode))

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(strategy)
    def feed(case: Any) -> None:
        take(case)

    feed()


def _admins(document: dict[str, Any]) -> set[tuple[str, str]]:
    """(method, path) of what the document says needs the admin token."""
    return {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if re.search("admin", str(operation.get("security", "")), re.IGNORECASE)
    }


if __name__ == "__main__":
    main()
