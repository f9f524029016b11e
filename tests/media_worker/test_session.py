from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from media_worker.admission import Sessions
from media_worker.pipeline import Processed
from media_worker.shelf import Shelf
from protocol.designs import Finger, Finish, Shape
from protocol.errors import (
    AtCapacity,
    LacquerError,
    NoFrameYet,
    NotFound,
    Replaced,
    SessionEnded,
    UnknownDesign,
    UnknownNail,
    WorkerUnavailable,
)
from protocol.internal import SessionSpec
from protocol.messages import Config, FingerConfig, ImageFormat
from tests.media_worker.fakes import NO_MODEL, FakeConnection, FakePipeline, session

pytestmark = pytest.mark.usefixtures("fake_vision")


def spec(session_id: str = "s-1", **changes: object) -> SessionSpec:
    return SessionSpec(session_id=session_id, design_id=1, expires_at=time.time() + 600).model_copy(update=changes)


async def test_the_engine_lives_while_somebody_is_connected(fake_vision: type[FakePipeline]) -> None:
    one, first, second = session(), FakeConnection("peer"), FakeConnection("socket")
    await one.attach(first)
    await one.attach(second)
    await one.detach(first)
    assert await one.run(lambda pipeline: 1) == 1
    assert (fake_vision.built, fake_vision.closed) == (1, 0)
    await one.detach(second)
    await one.detach(second)
    assert (fake_vision.built, fake_vision.closed) == (1, 1)
    with pytest.raises(SessionEnded):
        await one.run(lambda pipeline: 1)


async def test_a_newer_connection_replaces_the_older_of_its_kind() -> None:
    one, old, new, other = session(), FakeConnection("peer"), FakeConnection("peer"), FakeConnection("socket")
    for connection in (old, other, new):
        await one.attach(connection)
    assert [type(error) for error in old.closed_with] == [Replaced]
    assert other.closed_with == []
    for connection in (old, other, new):
        await one.detach(connection)


class SlowToLeave(FakeConnection):
    """A client that does not answer: its close takes until `gone` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()

    async def close(self, error: object) -> None:
        await super().close(error)
        await self.gone.wait()


async def test_a_connection_cancelled_while_it_replaces_another_holds_no_slot() -> None:
    one, old, new = session(), SlowToLeave(), FakeConnection()
    await one.attach(old)
    attaching = asyncio.create_task(one.attach(new))
    await asyncio.sleep(0)
    attaching.cancel()
    await asyncio.gather(attaching, return_exceptions=True)
    await one.detach(old)
    assert one.connections == 0


async def test_a_slow_client_holds_up_no_other() -> None:
    """Sessions end at once, on drain as on expiry, and one that signaling ends meanwhile stops neither."""
    sessions, slow, quick = Sessions(4, NO_MODEL, Shelf()), SlowToLeave(), FakeConnection()
    await sessions.open(spec("a")).attach(slow)
    await sessions.open(spec("b")).attach(quick)
    draining = asyncio.create_task(sessions.drain(within=0))
    while not slow.closed_with:
        await asyncio.sleep(0)
    assert quick.closed_with
    with pytest.raises(NotFound):
        await sessions.end("b", "deleted")
    slow.gone.set()
    await draining


async def test_the_sweep_survives_a_session_that_is_ended_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.admission.SWEEP_INTERVAL", 0.01)
    sessions, slow = Sessions(4, NO_MODEL, Shelf()), SlowToLeave()
    await sessions.open(spec("a", expires_at=0.0)).attach(slow)
    sessions.open(spec("b", expires_at=0.0))
    sweep = asyncio.create_task(sessions.sweep())
    while not slow.closed_with:
        await asyncio.sleep(0.005)
    with pytest.raises(NotFound):
        await sessions.end("b", "expired")
    slow.gone.set()
    sessions.open(spec("c", expires_at=0.0))
    async with asyncio.timeout(2):
        while sessions.reports():
            await asyncio.sleep(0.005)
    sweep.cancel()
    await asyncio.gather(sweep, return_exceptions=True)


async def test_a_session_about_to_be_used_again_is_not_forgotten_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.admission.IDLE_RETENTION", 0.2)
    monkeypatch.setattr("media_worker.admission.SWEEP_INTERVAL", 0.02)
    sessions = Sessions(4, NO_MODEL, Shelf())
    sweep = asyncio.create_task(sessions.sweep())
    one = sessions.open(spec("a"))
    for _ in range(4):
        await asyncio.sleep(0.1)
        assert sessions.open(spec("a")) is one, "its counters and its picture are still there"
    sweep.cancel()
    await asyncio.gather(sweep, return_exceptions=True)


async def test_end_tells_closes_and_forgets() -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    report = await one.end("deleted")
    await one.end("deleted")
    assert report.session_id == "s-1"
    assert [(event.event, event.reason) for event in connection.told] == [("ended", "deleted")]
    assert [type(error) for error in connection.closed_with] == [SessionEnded]
    with pytest.raises(SessionEnded):
        await one.attach(FakeConnection())
    with pytest.raises(NoFrameYet):
        await one.capture(ImageFormat.JPEG)
    await one.detach(connection)


async def test_a_report_tells_of_the_newest_frame() -> None:
    one = session()
    assert (one.report().nails, one.report().confidence) == (None, None)
    frame = np.zeros((4, 6, 3), np.uint8)
    one.keep(Processed(frame, nails=[], hands=0), 6, 4, lambda: frame)
    assert (one.report().nails, one.report().confidence) == (0, 0.0)


async def test_expiry_warns_once_and_an_extension_is_told() -> None:
    one, connection = session(expires_at=1000.0), FakeConnection()
    await one.attach(connection)
    assert [one.check_expiry(now) for now in (900, 945, 950, 1001)] == [False, False, False, True]
    one.refresh(spec(expires_at=2000.0))
    assert not one.check_expiry(1001)
    assert not one.check_expiry(1950)
    assert [event.event for event in connection.told] == ["expiring", "extended", "expiring"]
    await one.detach(connection)


async def test_slots_are_held_by_sessions_with_connections() -> None:
    sessions = Sessions(1, NO_MODEL, Shelf())
    one, two = sessions.open(spec("a")), sessions.open(spec("b"))
    sessions.admit(one)
    connection = FakeConnection()
    await one.attach(connection)
    sessions.admit(one)  # one more connection of the same session takes no further slot
    with pytest.raises(AtCapacity):
        sessions.admit(two)
    await one.detach(connection)
    sessions.admit(two)
    sessions.draining = True
    with pytest.raises(WorkerUnavailable):
        sessions.admit(two)


async def test_drain_asks_everybody_to_leave_then_closes_what_is_left() -> None:
    """The sessions themselves go on elsewhere, so nobody is told that one ended."""
    sessions, connection = Sessions(4, NO_MODEL, Shelf()), FakeConnection()
    one = sessions.open(spec("a"))
    await one.attach(connection)
    await sessions.drain(within=0.1)
    assert [message.type for message in connection.told] == ["draining"]
    assert [type(error) for error in connection.closed_with] == [WorkerUnavailable]
    with pytest.raises(NotFound):
        sessions.get("a")
    with pytest.raises(WorkerUnavailable):
        await one.attach(FakeConnection())
    await one.detach(connection)


async def test_an_operator_drains_a_worker_and_lets_people_in_again() -> None:
    sessions, stays, leaves = Sessions(4, NO_MODEL, Shelf()), FakeConnection(), FakeConnection()
    one = sessions.open(spec("a"))
    await one.attach(stays)
    sessions.start_drain(within=60)
    await asyncio.sleep(0.01)
    assert [message.type for message in stays.told] == ["draining"]
    with pytest.raises(WorkerUnavailable):
        sessions.admit(one)
    await sessions.end_drain()
    sessions.admit(one)
    await sessions.end_drain()  # once more changes nothing
    assert not stays.closed_with

    await one.attach(leaves)
    sessions.start_drain(within=0.05)
    sessions.start_drain(within=60)  # once more does not put it off
    async with asyncio.timeout(2):
        while not leaves.closed_with:
            await asyncio.sleep(0.01)
    assert sessions.draining
    await sessions.drain(within=0)
    await one.detach(stays)
    await one.detach(leaves)


async def test_a_session_that_goes_on_elsewhere_is_forgotten() -> None:
    sessions, connection = Sessions(4, NO_MODEL, Shelf()), FakeConnection()
    one = sessions.open(spec("a"))
    assert sessions.held() == frozenset()
    await one.attach(connection)
    assert sessions.held() == {"a"}
    await sessions.leave("a")
    assert [type(error) for error in connection.closed_with] == [Replaced]
    assert not connection.told  # the session did not end
    with pytest.raises(NotFound):
        await sessions.leave("a")
    await one.detach(connection)


async def test_opening_again_keeps_the_settings_made_here() -> None:
    sessions = Sessions(4, NO_MODEL, Shelf())
    one = sessions.open(spec("a"))
    one.choose(Config(design=6))
    assert sessions.open(spec("a", settings=Config(design=2))) is one
    assert one.settings.design == 6


async def test_a_change_is_worn_at_once_and_kept(fake_vision: type[FakePipeline]) -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    one.choose(Config(finish=Finish.CHROME, compare=0.3))
    one.choose(Config(shape=Shape.COFFIN))
    await one.dress()
    looks = await one.run(lambda pipeline: (pipeline.look, pipeline.compare))
    coat = looks[0].coats[Finger.RING]
    assert (coat.finish, coat.shape, looks[1]) == (Finish.CHROME, Shape.COFFIN, 0.3)
    assert one.report().settings == Config(finish=Finish.CHROME, compare=0.3, shape=Shape.COFFIN)
    await one.detach(connection)


@pytest.mark.parametrize(
    ("wish", "error"), [(FingerConfig(design=999), UnknownDesign), (FingerConfig(nail=0), UnknownNail)]
)
async def test_a_change_is_made_as_a_whole_or_not_at_all(wish: FingerConfig, error: type[LacquerError]) -> None:
    one = session()
    with pytest.raises(error):
        one.choose(Config(finish=Finish.CHROME, fingers={Finger.RING: wish}))
    assert one.settings == Config()


async def test_a_session_that_moves_here_wears_what_it_wore(fake_vision: type[FakePipeline]) -> None:
    one, connection = session(settings=Config(design=999, finish=Finish.PEARL)), FakeConnection()
    await one.attach(connection)
    look = await one.run(lambda pipeline: pipeline.look)
    assert {coat.finish for coat in look.coats.values()} == {Finish.PEARL}, "a design gone meanwhile is no obstacle"
    await one.detach(connection)
