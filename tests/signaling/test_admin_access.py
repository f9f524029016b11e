"""The operator's token: compared without telling anything, and not to be found by trying."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from signaling import admin_access, redis_counter
from signaling.app import OPERATIONS
from signaling.rates import LocalCounter
from signaling.redis_counter import RedisCounter
from tests.signaling.conftest import Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker

TOKEN = "only the shop knows this"
WORKERS = "/admin/workers/"
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}


def shown(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


async def asked(lacquer: Lacquer, token: str, more: dict[str, str] | None = None) -> aiohttp.ClientResponse:
    return await lacquer.client.get(WORKERS, headers=shown(token, **(more or {})))


async def test_the_admin_token_is_compared_in_constant_time(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its letters could be found one by one, by how long a refusal takes."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(admin_access, "hmac", SimpleNamespace(compare_digest=compare))
    lacquer = await start(worker, admin_token=TOKEN)
    shown = ("only the shop knows that", "o", "only the shop knows this and more", TOKEN)
    statuses = [
        (await lacquer.client.get("/admin/workers/", headers={"Authorization": f"Bearer {token}"})).status
        for token in shown
    ]
    assert statuses == [401, 401, 401, 200]
    assert compared == [(token.encode(), TOKEN.encode()) for token in shown]


async def test_an_address_that_guesses_is_soon_not_listened_to(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, admin_token=TOKEN, rate_admin_tokens=3)
    for _ in range(2):
        assert (await asked(lacquer, TOKEN)).status == 200, "the right one does not count"
        await refused(await asked(lacquer, "a wrong one"), 401, "unauthorized")
    await refused(await asked(lacquer, "a wrong one"), 401, "unauthorized")
    response = await asked(lacquer, TOKEN)
    await refused(response, 429, "rate_limited")  # or a guess that is right would be told from others
    assert response.headers["Retry-After"] == "20"
    assert (await asked(lacquer, TOKEN, ELSEWHERE)).status == 200, "operators elsewhere notice nothing"
    lacquer.clock.advance(20)
    assert (await asked(lacquer, TOKEN)).status == 200


async def test_guesses_that_come_at_once_are_counted_one_by_one(
    start: Start, worker: FakeWorker, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting in Redis takes a while, in which many more could be looked at."""
    compared = 0

    def compare(one: bytes, other: bytes) -> bool:
        nonlocal compared
        compared += 1
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(admin_access, "hmac", SimpleNamespace(compare_digest=compare))
    monkeypatch.setattr(redis_counter, "PATIENCE", 5.0)
    async with RedisCounter(redis_url, TOKEN, LocalCounter(time.monotonic)) as counter:
        lacquer = await start(worker, counter=counter, admin_token=TOKEN, rate_admin_tokens=3)
        answers = await asyncio.gather(*(asked(lacquer, f"guess {number}") for number in range(40)))
        statuses = Counter(answer.status for answer in answers)
    assert (statuses, compared) == ({401: 3, 429: 37}, 3), "one that is right among the others is not let in"


async def test_all_that_admins_may_do_shares_that_limit(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, admin_token=TOKEN, rate_admin_tokens=1)
    await refused(await asked(lacquer, "a wrong one"), 401, "unauthorized")
    for operation in OPERATIONS:
        if operation.admin:
            path = operation.path.replace("{", "").replace("}", "")
            await refused(await called(lacquer, operation.method, path), 429, "rate_limited")


async def called(lacquer: Lacquer, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
    return await lacquer.client.request(method, path, headers=shown(TOKEN), **options)


async def test_who_shows_no_token_guesses_nothing(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, admin_token=TOKEN, rate_admin_tokens=1)
    for _ in range(5):
        await refused(await lacquer.client.get(WORKERS), 401, "unauthorized")
    assert (await asked(lacquer, TOKEN)).status == 200


async def test_no_cache_keeps_what_admins_are_told(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, admin_token=TOKEN, admin_thumbnails=True)
    paths = [each.path for each in OPERATIONS if each.admin and each.method == "GET" and "{" not in each.path]
    assert len(paths) >= 5
    for path in paths:
        response = await called(lacquer, "GET", path)
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-store"), path
        refusal = await lacquer.client.get(path)
        assert (refusal.status, refusal.headers["Cache-Control"]) == (401, "no-store"), path
    drained = await called(lacquer, "POST", f"{WORKERS}{worker.worker_id}/drain")
    assert (drained.status, drained.headers["Cache-Control"]) == (204, "no-store")
