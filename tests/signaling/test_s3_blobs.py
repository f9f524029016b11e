"""Pictures in a bucket, when things go wrong. What works is in test_blobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from protocol.errors import StoreUnavailable
from signaling import s3_blobs
from signaling.s3_blobs import S3Blobs
from tests.postgres import free_port
from tests.s3 import BUCKET, ENVIRONMENT, S3Server

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


async def opened(monkeypatch: pytest.MonkeyPatch, url: str, bucket: str = BUCKET) -> S3Blobs:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return await asyncio.to_thread(S3Blobs, bucket, "prefix")


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A server that takes connections and says nothing."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in held:
        writer.close()
    await server.wait_closed()


async def check_fails(blobs: S3Blobs, within: float) -> None:
    began = time.monotonic()
    for call in (blobs.put(KEY, b"picture"), blobs.get(KEY), blobs.delete(KEY), blobs.check()):
        with pytest.raises(StoreUnavailable):
            await call
    assert time.monotonic() - began < 4 * within


async def test_nobody_there_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_blobs, "RETRIES", 1)
    await check_fails(await opened(monkeypatch, f"http://127.0.0.1:{free_port()}"), within=3)


async def test_silence_is_told_in_bounded_time(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setattr(s3_blobs, "TIMEOUT", 0.2)
    await check_fails(await opened(monkeypatch, silent), within=1)


async def test_a_bucket_that_is_not_there_is_no_missing_picture(monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> None:
    blobs = await opened(monkeypatch, s3.url, bucket="nobody-made-this")
    for call in (blobs.put(KEY, b"picture"), blobs.get(KEY), blobs.check()):
        with pytest.raises(StoreUnavailable):
            await call


async def test_it_is_used_again_once_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    server = S3Server()
    try:
        blobs = await opened(monkeypatch, server.url)
        writing = asyncio.create_task(blobs.put(KEY, b"picture"))  # tried again until the server is there
        await asyncio.to_thread(server.start)
        await asyncio.gather(writing, return_exceptions=True)
        await blobs.put(KEY, b"picture")
        assert await blobs.get(KEY) == b"picture"
        assert await asyncio.to_thread(server.objects) == [f"prefix/{KEY}"]
    finally:
        await asyncio.to_thread(server.close)
