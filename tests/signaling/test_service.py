"""Sessions that move from worker to worker."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import WSMsgType

from protocol.errors import WorkerUnavailable
from protocol.messages import Config, Stats
from tests.signaling.conftest import SESSIONS, Lacquer, Start, eventually
from tests.signaling.fake_worker import FakeWorker


async def _placed(lacquer: Lacquer, a: FakeWorker, b: FakeWorker) -> tuple[str, FakeWorker, FakeWorker]:
    """A session with a client; the worker that it is on, and the other one."""
    session_id = (await lacquer.create())["session_id"]
    await lacquer.connect(session_id)
    here, other = (a, b) if session_id in a.sessions else (b, a)
    held = here.sessions[session_id]
    held.settings, held.statistics = Config(design=7), Stats(frames_in=50, frames_out=49)
    return session_id, here, other


async def test_a_session_that_moves_takes_its_last_choices_and_counts_along(start: Start) -> None:
    """Without a sweep in between: what was chosen a moment ago is worn on the next worker, too."""
    async with FakeWorker(worker_id="a") as a, FakeWorker(worker_id="b") as b:
        lacquer = await start(a, b)
        session_id, here, other = await _placed(lacquer, a, b)
        await lacquer.router.drain(here.worker_id)
        socket = await lacquer.connect(session_id)
        assert other.sessions[session_id].spec.settings == Config(design=7)
        for more in (10, 70):  # also where nobody asks before it counted further than the first one
            other.sessions[session_id].statistics = Stats(frames_in=more, frames_out=more)
            await lacquer.sweep()
            view = await lacquer.get(f"{SESSIONS}{session_id}/")
            assert (view["statistics"]["frames_in"], view["settings"]["design"]) == (50 + more, 7)
        await eventually(lambda: here.left == [session_id])
        await socket.close()


async def test_who_is_still_connected_to_the_worker_that_was_left_is_told(start: Start) -> None:
    async with FakeWorker(worker_id="a") as a, FakeWorker(worker_id="b") as b:
        lacquer = await start(a, b)
        session_id = (await lacquer.create())["session_id"]
        first = await lacquer.connect(session_id)
        here = a if session_id in a.sessions else b
        await lacquer.router.drain(here.worker_id)
        second = await lacquer.connect(session_id)
        message = await first.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 4409)
        await second.send_str("here")
        assert await second.receive_str() == "here"
        await second.close()


async def test_a_worker_that_does_not_answer_any_more_holds_nobody_up(start: Start) -> None:
    async with FakeWorker(worker_id="a") as a, FakeWorker(worker_id="b") as b:
        lacquer = await start(a, b)
        session_id, here, other = await _placed(lacquer, a, b)
        here.draining = True
        await lacquer.router.drain(here.worker_id)
        await here.stop()
        socket = await lacquer.connect(session_id)
        assert session_id in other.sessions
        await socket.close()


async def test_one_that_nobody_listens_at_is_avoided_by_all_at_once(start: Start) -> None:
    async with FakeWorker(capacity=4, worker_id="a") as a, FakeWorker(capacity=4, worker_id="b") as b:
        lacquer = await start(a, b)
        session_id, here, other = await _placed(lacquer, a, b)
        await here.stop()
        socket = await lacquer.connect(session_id)
        assert await lacquer.router.owner(session_id) == other.url
        live = {view.url: view.live for view in await lacquer.router.workers()}
        assert live == {here.url: False, other.url: True}
        await socket.close()


async def test_one_that_says_no_is_not_taken_for_dead(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker)
    worker.refusal = WorkerUnavailable()
    session_id = (await lacquer.create())["session_id"]
    path, sdp = f"{SESSIONS}{session_id}/webrtc/", {"Content-Type": "application/sdp"}
    assert (await lacquer.client.post(path, data=b"v=0\r\n", headers=sdp)).status == 503
    assert [view.live for view in await lacquer.router.workers()] == [True]


async def test_a_late_failure_takes_no_session_from_its_new_owner(start: Start) -> None:
    """Another signaling process may have placed the session meanwhile."""
    async with FakeWorker() as a, FakeWorker() as b:
        lacquer = await start(a, b)
        session = await lacquer.context.sessions.find((await lacquer.create())["session_id"])

        async def call(url: str) -> None:
            await lacquer.router.release(session.session_id)
            assert await lacquer.router.claim(session.session_id, b.url if url == a.url else a.url)
            raise WorkerUnavailable

        tried: list[str] = []
        service = lacquer.context.sessions
        try:
            await service._connect_to(a.url, replace(session), call)
        except WorkerUnavailable:
            tried.append(a.url)
        assert tried
        assert await lacquer.router.owner(session.session_id) == b.url
