from __future__ import annotations

import asyncio

import pytest

from media_worker.mailbox import Mailbox, MailboxClosed


async def test_newest_wins_and_drops_are_reported() -> None:
    dropped: list[int] = []
    mailbox: Mailbox[int] = Mailbox(dropped.append)
    for item in range(4):
        mailbox.put(item)
    assert await mailbox.take() == 3
    assert dropped == [0, 1, 2]


async def test_take_waits_for_an_item() -> None:
    mailbox: Mailbox[str] = Mailbox()
    waiting = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    mailbox.put("frame")
    assert await waiting == "frame"


async def test_each_item_is_taken_once() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put(1)
    await mailbox.take()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await mailbox.take()


async def test_close_delivers_what_waits_then_ends() -> None:
    dropped: list[int] = []
    mailbox: Mailbox[int] = Mailbox(dropped.append)
    mailbox.put(1)
    mailbox.close()
    mailbox.put(2)
    assert await mailbox.take() == 1
    assert dropped == [2]
    for _ in range(2):
        with pytest.raises(MailboxClosed):
            await mailbox.take()


async def test_close_wakes_a_waiting_consumer() -> None:
    mailbox: Mailbox[int] = Mailbox()
    waiting = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.close()
    with pytest.raises(MailboxClosed):
        await waiting
