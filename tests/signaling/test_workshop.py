"""Workers know the own designs of today before they are asked about them."""

from __future__ import annotations

import pytest

from protocol.errors import CatalogueUnknown, WorkerUnavailable
from protocol.internal import View, Worn
from tests.signaling.conftest import SESSIONS, Lacquer, Start, eventually
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_session_api import upload

FIELDS = {"name": "Night", "family": "Shop", "colours": ["#101840"]}


async def test_a_call_goes_through_while_designs_change(lacquer: Lacquer, worker: FakeWorker) -> None:
    """One more is added between the telling and the call."""
    collection, workshop = lacquer.context.collection, lacquer.context.workshop
    await collection.add(FIELDS)
    told: list[str | None] = []

    async def call() -> str:
        told.append(workshop.today(Worn(design_id=100000)).catalogue)
        if len(told) == 2:
            await collection.add(FIELDS)
        if len(worker.designs) < 2:
            raise CatalogueUnknown
        return "done"

    assert await workshop.informed(worker.url, call) == "done"
    assert len(set(told)) == 2
    assert list(worker.designs) == [100000, 100001]


async def test_a_worker_that_never_understands_is_given_up(lacquer: Lacquer, worker: FakeWorker) -> None:
    async def call() -> None:
        raise CatalogueUnknown

    with pytest.raises(WorkerUnavailable):
        await lacquer.context.workshop.informed(worker.url, call)


async def test_only_what_a_worker_lacks_is_sent(lacquer: Lacquer, worker: FakeWorker) -> None:
    collection, workshop = lacquer.context.collection, lacquer.context.workshop
    first, second = await collection.add(FIELDS), await collection.add(FIELDS)
    await workshop.inform(worker.url)
    kept = worker.designs[first.design.id]
    await collection.change(second.design.id, {"name": "Midnight"}, {})
    await workshop.inform_all()
    assert worker.designs[first.design.id] is kept
    assert worker.designs[second.design.id].design.name == "Midnight"


async def test_a_dead_worker_holds_up_no_other(start: Start, worker: FakeWorker) -> None:
    async with FakeWorker() as dead:
        lacquer = await start(dead, worker)
        await eventually(lambda: bool(dead.health_polls and worker.health_polls))
        await lacquer.context.collection.add(FIELDS)
        await dead.stop()
        await lacquer.context.workshop.inform_all()
        assert list(worker.designs) == [100000]


async def test_where_nobody_listens_at_one_worker_another_draws(start: Start) -> None:
    async with FakeWorker() as a, FakeWorker() as b:
        lacquer = await start(a, b)
        first, other = (a, b) if await lacquer.router.any_worker() == a.url else (b, a)
        await first.stop()
        await lacquer.context.workshop.preview(Worn(design_id=1), View.FINGER)
        assert len(other.previews) == 1
        assert await lacquer.router.any_worker() == other.url  # everybody knows


async def test_who_tries_on_much_does_not_push_the_catalogue_out(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.workshop.PREVIEWS_KEPT", 3)
    monkeypatch.setattr("signaling.workshop.TRIED_KEPT", 3)
    lacquer = await start(worker)
    created = await (await lacquer.client.post(SESSIONS, data=upload(picture()))).json()
    thumbnail = "/api/try-on/designs/1/thumbnail"
    assert (await lacquer.client.get(thumbnail)).status == 200
    for part in range(1, 8):
        tried = {"config": f'{{"colours": ["#10184{part}"]}}'}
        shown = await lacquer.client.get(f"{SESSIONS}{created['session_id']}/design/preview", params=tried)
        assert shown.status == 200
    assert (await lacquer.client.get(thumbnail)).status == 200
    assert len(worker.previews) == 8, "the catalogue's once"
    for design in (1, 2, 3, 4, 1):
        await lacquer.client.get(f"/api/try-on/designs/{design}/thumbnail")
    assert len(worker.previews) == 12, "the one that nobody asked for longest goes"
