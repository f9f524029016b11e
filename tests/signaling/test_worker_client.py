"""The internal API, called: errors come back as themselves, silence as WorkerUnavailable."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from protocol import errors
from protocol.errors import LacquerError, NotFound, WorkerUnavailable
from protocol.internal import SessionSpec
from signaling.worker_client import WorkerClient
from tests.signaling.fake_worker import FakeWorker

SPEC = SessionSpec(session_id="s1", design_id=1, expires_at=1)


@pytest.fixture
async def client() -> AsyncIterator[WorkerClient]:
    async with WorkerClient("worker-secret") as it:
        yield it


@pytest.mark.parametrize("kind", [kind for code, kind in errors.BY_CODE.items() if code != "unauthorized"])
async def test_what_a_worker_refuses_comes_back_as_itself(
    client: WorkerClient, worker: FakeWorker, kind: type[LacquerError]
) -> None:
    worker.refusal = kind("why it is so")
    with pytest.raises(LacquerError) as refusal:
        await client.put_session(worker.url, SPEC)
    assert type(refusal.value) is kind
    assert refusal.value.message == "why it is so"


async def test_a_session_goes_there_and_its_report_comes_back(client: WorkerClient, worker: FakeWorker) -> None:
    await client.put_session(worker.url, SPEC)
    assert worker.sessions["s1"].spec.settings.model_fields_set == set()
    assert [report.session_id for report in await client.reports(worker.url)] == ["s1"]
    assert (await client.end_session(worker.url, "s1", "ended")).session_id == "s1"
    with pytest.raises(NotFound):
        await client.end_session(worker.url, "s1", "ended")


async def test_silence_and_nonsense_are_worker_unavailable(client: WorkerClient, worker: FakeWorker) -> None:
    worker.garbage = True
    with pytest.raises(WorkerUnavailable):
        await client.reports(worker.url)
    with pytest.raises(WorkerUnavailable):
        await client.put_session("http://127.0.0.1:9", SPEC)
    with pytest.raises(WorkerUnavailable):
        await client.connect("http://127.0.0.1:9", "s1")
    with pytest.raises(WorkerUnavailable):
        await client.connect(f"{worker.url}/elsewhere", "s1")  # an HTTP answer instead of an upgrade
