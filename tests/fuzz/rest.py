"""REST calls made up from the OpenAPI document (schemathesis), against signaling on a real port with a fake worker."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from protocol import logs
from signaling.app import create_app
from signaling.prompt_runner import PromptRunner
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.fuzz.campaign import Watch, report
from tests.signaling.fake_worker import FakeWorker

ADMIN = "an admin token for fuzzing"
SECRET = "worker-secret"
NOT_FOR_US = {"/ws/tryon/{session_id}/"}
"""An upgrade is no REST call."""


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")  # type: ignore[untyped-decorator]
def _as_text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


async def serve(folder: Path) -> None:
    """Signaling and a fake worker, until stdin ends."""
    async with FakeWorker(secret=SECRET, capacity=10**6) as worker:
        known = Settings(
            data_dir=folder,
            secret_key="x" * 40,
            admin_token=ADMIN,
            worker_secret=SECRET,
            # or nothing but 429 would come back
            rate_sessions_per_address=0,
            rate_sessions_per_owner=0,
            rate_live_sessions=0,
            rate_uploads=0,
            rate_results=0,
            rate_ice_servers=0,
            rate_offers=0,
            rate_previews=0,
            rate_admin_tokens=0,
        )
        runner = PromptRunner(create_app(known, LocalRouter([worker.url], secret=SECRET)), handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            await asyncio.wait({ended}, timeout=0.5)
            for remembered in (worker.previews, worker.stills, worker.pictures, worker.closes, worker.ended):
                remembered.clear()  # the fake's memory is not signaling's
        await runner.cleanup()


@contextmanager
def service() -> Iterator[tuple[str, psutil.Process]]:
    """`serve` in a process of its own, so that its memory can be told: its URL, and the process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.rest", "--serve", folder]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin and process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"], psutil.Process(process.pid)
        finally:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()


def main() -> None:
    warnings.simplefilter("ignore")
    logs.configure("console", "ERROR")
    if sys.argv[1] == "--serve":
        return asyncio.run(serve(Path(sys.argv[2])))
    count = int(sys.argv[3])
    with service() as (url, process):
        calls = Calls(url)
        watch = Watch("rest", count, calls.made, clock=time.perf_counter, process=process)
        calls.make(watch, count)
        report(watch.done())


class Calls:
    """Half of them to what exists: a session is made now and then, and its id put where one belongs."""

    def __init__(self, url: str) -> None:
        self._http, self._url = requests.Session(), url
        self._schema = schemathesis.openapi.from_dict(self._http.get(f"{url}/api/schema", timeout=10).json())
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
