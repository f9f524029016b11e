"""A slow viewer misses frames, from one keyframe to the next, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

from media_worker.encoded_track import Encoded
from media_worker.outlet import BURST, HEADROOM, QUEUED, Outlet
from media_worker.rate_control import Target

FRAME = Encoded([bytes(1000)] * 6, 0, keyframe=False, pixels=640 * 480)  # 48 kbit: 1.44 Mbit/s at 30 fps
KEYFRAME = Encoded([bytes(1000)] * 40, 0, keyframe=True, pixels=640 * 480)


def outlet(bitrate: int = 1_500_000) -> tuple[Outlet, list[None]]:
    wanted: list[None] = []
    made = Outlet(lambda: wanted.append(None))
    made.target = Target(bitrate, Fraction(1))
    return made, wanted


def test_nothing_goes_before_the_first_keyframe() -> None:
    viewer, wanted = outlet()
    assert not viewer.offer(FRAME, 0.0)
    assert wanted
    assert viewer.offer(KEYFRAME, 0.1)
    assert viewer.offer(FRAME, 0.2)


async def test_frames_come_out_in_order_and_wake_who_waits() -> None:
    viewer, _ = outlet()
    taking = asyncio.create_task(viewer.take())
    await asyncio.sleep(0)
    viewer.offer(KEYFRAME, 0.0)
    second = replace(FRAME, timestamp=3000)
    viewer.offer(second, 0.03)
    assert await taking is KEYFRAME
    assert await viewer.take() is second


async def test_a_sender_that_does_not_come_along_holds_few_frames_and_goes_on_with_a_keyframe() -> None:
    viewer, wanted = outlet(10**9)
    viewer.offer(KEYFRAME, 0.0)
    taken = [viewer.offer(FRAME, n / 30) for n in range(1, 10)]
    assert taken == [True] * (QUEUED - 1) + [False] * (10 - QUEUED)
    for _ in range(QUEUED):
        await viewer.take()
    assert not viewer.offer(FRAME, 0.5), "what is missing cannot be predicted from"
    assert wanted
    assert viewer.offer(KEYFRAME, 0.6) and viewer.offer(FRAME, 0.7)


def watch(bitrate: int, seconds: float, interval: float = 0.5) -> tuple[list[bool], int]:
    """What a viewer with such a link gets of 30 fps, where keyframes come as wanted; and how many were."""
    viewer, wanted = outlet(bitrate)
    made, keyframes, last = [], 0, -interval
    for n in range(int(seconds * 30)):
        now = n / 30
        keyframe = (n == 0 or bool(wanted)) and now - last >= interval
        if keyframe:
            wanted.clear()
            keyframes, last = keyframes + 1, now
        made.append(viewer.offer(KEYFRAME if keyframe else FRAME, now))
        while viewer._frames:
            viewer._frames.popleft()
    return made, keyframes


def test_a_viewer_whose_link_carries_the_stream_misses_nothing() -> None:
    made, keyframes = watch(1_500_000, 20)
    assert all(made) and keyframes == 1


def test_a_viewer_with_a_third_of_that_gets_what_its_link_carries_and_costs_the_others_few_keyframes() -> None:
    made, keyframes = watch(500_000, 20)
    bits = sum(FRAME.bits for taken in made if taken) + keyframes * (KEYFRAME.bits - FRAME.bits)
    assert 0.5 < bits / 20 / (HEADROOM * 500_000) < 1.2
    assert 2 < keyframes < 20 / BURST


def test_a_viewer_that_could_not_have_a_keyframe_gets_none_made() -> None:
    viewer, wanted = outlet(300_000)
    viewer.ask()
    assert len(wanted) == 1, "at the beginning"
    viewer.offer(KEYFRAME, 0.0)
    viewer.ask()
    assert len(wanted) == 2, "while it follows"
    viewer._frames.clear()
    while viewer.offer(FRAME, 0.1):
        viewer._frames.clear()
    wanted.clear()
    viewer.ask()
    assert not wanted, "its link is full"
    viewer.offer(FRAME, 2.0)
    assert wanted, "and now it has room again"


async def test_who_waits_learns_of_the_end() -> None:
    viewer, _ = outlet()
    taking = asyncio.create_task(viewer.take())
    await asyncio.sleep(0)
    viewer.close()
    assert await taking is None
