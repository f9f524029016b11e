"""Signaling and a worker on real ports in one process: `lacquer serve` without vision, so that it starts in a second.

python -m tests.interop.server FOLDER    prints signaling's URL and the worker's, and serves until stdin ends
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from unittest import mock

from aiohttp.test_utils import TestServer

from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from protocol import logs
from signaling.app import create_app
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.media_worker.fakes import NO_MODEL, FakePipeline

SECRET = "between-us"


async def serve(folder: Path) -> None:
    worker = WorkerApi(WorkerSettings(worker_secret=SECRET), NO_MODEL)
    async with TestServer(worker.app()) as behind:
        router = LocalRouter([str(behind.make_url("")).rstrip("/")])
        settings = Settings(data_dir=folder, secret_key="k" * 32, worker_secret=SECRET)
        async with TestServer(create_app(settings, router), handler_cancellation=True) as server:
            print(str(server.make_url("")).rstrip("/"), str(behind.make_url("")).rstrip("/"), flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logs.configure("console")  # to stderr, which is a file
    with mock.patch("media_worker.session.Pipeline", FakePipeline):
        asyncio.run(serve(Path(sys.argv[1])))
