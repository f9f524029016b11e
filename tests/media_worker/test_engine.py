from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from media_worker import engine as engine_module
from media_worker.engine import Engine, Hung
from media_worker.pipeline import Pipeline
from media_worker.polish.looks import Look
from media_worker.vision.hangs import HANGS
from protocol import designs
from protocol.errors import BadImage, VisionFailed
from tests.media_worker.fakes import NO_MODEL, FakePipeline


def build() -> Pipeline:
    return FakePipeline(NO_MODEL, Look.of(designs.find(1)))


async def test_jobs_run_one_after_the_other_in_the_engines_own_thread() -> None:
    engine = Engine(build)
    threads: list[str] = []
    running = 0

    def job(pipeline: Pipeline) -> int:
        nonlocal running
        running += 1
        threads.append(threading.current_thread().name)
        time.sleep(0.01)
        overlap, running = running, running - 1
        return overlap

    assert await asyncio.gather(*(engine.run(job) for _ in range(5))) == [1] * 5
    assert len(set(threads)) == 1
    assert threads[0].startswith("vision")
    await engine.close()


async def test_our_errors_pass_and_others_become_vision_failed() -> None:
    engine = Engine(build)

    def ours(pipeline: Pipeline) -> None:
        raise BadImage("no picture")

    def theirs(pipeline: Pipeline) -> None:
        raise RuntimeError("mediapipe says no")

    with pytest.raises(BadImage, match="no picture"):
        await engine.run(ours)
    with pytest.raises(VisionFailed):
        await engine.run(theirs)
    assert await engine.run(lambda pipeline: 7) == 7, "the engine goes on"
    await engine.close()


async def test_a_model_that_does_not_load_shows_in_the_first_run() -> None:
    def broken() -> Pipeline:
        raise OSError("no such model")

    engine = Engine(broken)
    with pytest.raises(VisionFailed):
        await engine.run(lambda pipeline: None)
    await engine.close()


async def test_a_forgotten_engine_takes_its_thread_along_though_its_model_did_not_load() -> None:
    before, done = set(threading.enumerate()), threading.Event()

    def broken() -> Pipeline:
        done.set()
        raise OSError("no such model")

    gc.disable()
    try:
        Engine(broken)
        await asyncio.to_thread(done.wait, 5)
        async with asyncio.timeout(5):
            while any(each.name == "vision" for each in set(threading.enumerate()) - before):
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


async def test_close_is_idempotent_and_frees_the_pipeline_once() -> None:
    FakePipeline.closed = 0
    engine = Engine(build)
    await asyncio.gather(engine.close(), engine.close())
    await engine.close()
    assert FakePipeline.closed == 1


async def test_a_hanging_model_does_not_hang_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "CLOSE_TIMEOUT", 0.1)
    release = threading.Event()
    engine = Engine(build)
    stuck = asyncio.create_task(engine.run(lambda pipeline: release.wait()))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await engine.close()
    release.set()
    await stuck


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "PATIENCE", 0.1)
    monkeypatch.setattr(engine_module, "HANG", 0.3)


@pytest.mark.usefixtures("in_a_hurry")
async def test_a_job_that_hangs_holds_up_one_frame_and_is_replaced() -> None:
    release, built = threading.Event(), FakePipeline.built
    engine = Engine(build)
    assert await engine.run(lambda pipeline: 7) == 7
    began = time.monotonic()
    with pytest.raises(VisionFailed):
        await engine.run(lambda pipeline: release.wait())
    for _ in range(20):
        with pytest.raises(VisionFailed):
            await engine.run(lambda pipeline: 7)
    assert time.monotonic() - began < 0.25, "one frame waited, the others did not"
    await asyncio.sleep(0.3)
    with pytest.raises(Hung):
        await engine.run(lambda pipeline: 7)
    assert await engine.run(lambda pipeline: 7) == 7, "a thread and a pipeline of its own"
    assert FakePipeline.built == built + 2
    assert HANGS.count() == 1
    release.set()
    await engine.close()


@pytest.mark.usefixtures("in_a_hurry")
async def test_what_is_to_be_kept_is_done_when_vision_answers_again() -> None:
    release, kept = threading.Event(), threading.Event()
    engine = Engine(build)
    with pytest.raises(VisionFailed):
        await engine.run(lambda pipeline: release.wait())
    with pytest.raises(VisionFailed):
        await engine.run(lambda pipeline: kept.set(), keep=True)
    release.set()
    assert await asyncio.to_thread(kept.wait, 2)
    async with asyncio.timeout(2):
        assert await engine.run(lambda pipeline: 7) == 7
    await engine.close()


@pytest.mark.usefixtures("in_a_hurry")
async def test_a_model_that_loads_slowly_is_waited_for() -> None:
    def slow() -> Pipeline:
        time.sleep(0.5)
        return build()

    engine = Engine(slow)
    assert await engine.run(lambda pipeline: 7) == 7
    await engine.close()
