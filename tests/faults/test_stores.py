"""Disks that are full, files that are locked, folders that are gone: refused in words, and nothing half done stays.

What is full is the kernel's doing: with RLIMIT_FSIZE no file of this process grows further, for root as well; and where
file systems may be mounted, a real one of a few megabytes.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from media_worker import images
from protocol import framing
from protocol.messages import ImageFormat
from tests.faults.signaling_process import signaling_process
from tests.signaling.conftest import RESULTS, SECRET_KEY, SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture

MOST = 500_000
"""Bytes of any file while the disk is full."""


@contextmanager
def full_disk() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noise() -> bytes:
    """A picture over MOST, however it is encoded anew."""
    pixels = np.random.default_rng(7).integers(0, 255, (900, 1200, 3), dtype=np.uint8)
    return images.encode(pixels, ImageFormat.JPEG)


def form(session_id: str, image: bytes) -> aiohttp.FormData:
    data = aiohttp.FormData({"session_id": session_id})
    data.add_field("processed_image", image, filename="hand.jpg", content_type="image/jpeg")
    return data


async def keep(lacquer: Lacquer, session_id: str, image: bytes) -> aiohttp.ClientResponse:
    return await lacquer.client.post(RESULTS, data=form(session_id, image))


async def create(lacquer: Lacquer) -> aiohttp.ClientResponse:
    return await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})


async def frame_comes_back(socket: aiohttp.ClientWebSocketResponse) -> None:
    """A stream goes on: frames touch neither database nor disk."""
    await socket.send_bytes(framing.pack({"type": "frame", "frame_number": 1, "timestamp": 0}, picture()))
    async with asyncio.timeout(2):
        while (await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
            pass


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_full_disk_for_pictures_refuses_those_and_leaves_nothing(
    start: Start, worker: FakeWorker, tmp_path: Path
) -> None:
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    large = await asyncio.to_thread(noise)
    assert len(large) > MOST
    with full_disk():
        await refused(await keep(lacquer, session_id, large), 503, "store_unavailable")
        assert await asyncio.to_thread(files, tmp_path / "blobs") == []
        assert (await keep(lacquer, session_id, picture())).status == 201, "what still fits is kept"
        await frame_comes_back(socket)
    assert (await keep(lacquer, session_id, large)).status == 201


async def test_a_full_disk_for_the_database_refuses_what_writes_and_loses_nothing(
    start: Start, worker: FakeWorker
) -> None:
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    socket, made = await lacquer.connect(session_id), [session_id]
    with full_disk():
        async with asyncio.timeout(20):
            while (answer := await create(lacquer)).status == 201:
                made.append((await answer.json())["session_id"])
        await refused(answer, 503, "store_unavailable")
        assert (await lacquer.client.get("/healthz")).status == 200
        assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["session_id"] == session_id, "reading goes on"
        await frame_comes_back(socket)
    assert (await create(lacquer)).status == 201
    for known in made[:: len(made) // 10 + 1]:
        await lacquer.get(f"{SESSIONS}{known}/")


async def test_a_database_that_another_program_locks_is_waited_for_and_then_refused(
    start: Start, worker: FakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.database.BUSY_TIMEOUT_MS", 300)
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.glob("*.db")))
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        began = time.monotonic()
        waiting = asyncio.create_task(create(lacquer))
        await frame_comes_back(socket)
        assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["session_id"] == session_id, "reading goes on"
        await refused(await waiting, 503, "store_unavailable")
        assert 0.3 <= time.monotonic() - began < 3
    finally:
        await asyncio.to_thread(other.close)
    assert (await create(lacquer)).status == 201


async def test_a_folder_of_pictures_that_is_gone_is_told_and_used_again(
    start: Start, worker: FakeWorker, tmp_path: Path
) -> None:
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    socket, blobs = await lacquer.connect(session_id), tmp_path / "blobs"
    kept = await (await keep(lacquer, session_id, picture())).json()
    await asyncio.to_thread(blobs.rename, tmp_path / "unmounted")
    await asyncio.to_thread(blobs.touch)  # where a file system is not mounted, something else may be
    await refused(await keep(lacquer, session_id, picture()), 503, "store_unavailable")
    assert (await lacquer.client.get("/readyz")).status == 503
    await frame_comes_back(socket)
    await asyncio.to_thread(blobs.unlink)
    await asyncio.to_thread((tmp_path / "unmounted").rename, blobs)
    assert (await keep(lacquer, session_id, picture())).status == 201
    image = await lacquer.client.get(f"{RESULTS}{kept['result_id']}/image")
    assert image.status == 200, "what was kept before is there"


# --- a real file system that is full --------------------------------------------------------------------------------
DISK_MB = 6
OWN_MOUNTS = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """Put before a command, this gives it a disk of DISK_MB at `tmp_path`/data, which goes with it."""
    data = tmp_path / "data"
    data.mkdir()
    mount = f"mount -t tmpfs -o size={DISK_MB}m none {data}"
    try:
        subprocess.run([*OWN_MOUNTS, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs to mount a file system, as root does: {error}")
    return [*OWN_MOUNTS, f'{mount} && exec "$@"', "-"]


@pytest.mark.long
async def test_a_file_system_that_is_full_refuses_what_writes_keeps_what_it_took_and_goes_on_when_there_is_room(
    small_disk: list[str], worker: FakeWorker, tmp_path: Path
) -> None:
    """Database and pictures on one disk, as `lacquer serve` has them, filled to the last byte."""
    worker.secret = SECRET_KEY  # one that a real process takes for one
    running = signaling_process(tmp_path / "data", worker.url, small_disk, LACQUER_WORKER_SECRET=worker.secret)
    base, process = await asyncio.to_thread(running.__enter__)
    try:
        async with aiohttp.ClientSession(base) as http:
            session_id = (await made(http, SESSIONS, json={"mode": "explore", "post_id": 1}))["session_id"]
            large, kept = await asyncio.to_thread(noise), []
            while (answer := await http.post(RESULTS, data=form(session_id, large))).status == 201:
                kept.append((await answer.json())["result_id"])
            await refused(answer, 503, "store_unavailable")
            assert len(kept) >= 2
            filler = Path(f"/proc/{process.pid}/root{tmp_path}/data/filler")
            await asyncio.to_thread(fill, filler)
            await refused(await http.post(RESULTS, data=form(session_id, picture())), 503, "store_unavailable")
            async with http.ws_connect(f"/ws/tryon/{session_id}/") as socket:
                await socket.receive_json()
                await frame_comes_back(socket)
            for result_id in kept:
                async with http.get(f"{RESULTS}{result_id}/image") as image:
                    assert (image.status, image.content_type) == (200, "image/jpeg")
                    assert len(await image.read()) > MOST
            await asyncio.to_thread(filler.unlink)
            async with http.delete(f"{RESULTS}{kept[0]}/") as answer:
                assert answer.status == 204
            assert (await made(http, RESULTS, data=form(session_id, large)))["session_id"] == session_id
            assert len(await asyncio.to_thread(files, filler.parent / "blobs")) == len(kept), "and no half a picture"
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def made(http: aiohttp.ClientSession, path: str, **options: Any) -> dict[str, Any]:
    async with http.post(path, **options) as response:
        assert response.status == 201, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


def fill(path: Path) -> None:
    """To the last byte of its file system."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC
