from __future__ import annotations

from media_worker.reply_size import LOWEST, ReplySize


def test_replies_shrink_with_what_the_client_sends_and_grow_again() -> None:
    replies = ReplySize()
    assert replies.quality(90) == 90
    for _ in range(20):
        replies.sent(50_000, asked_with=15_000)
    assert replies.quality(90) == LOWEST
    for _ in range(40):
        replies.sent(20_000, asked_with=40_000)
    assert replies.quality(90) == 90


def test_what_is_small_stays_good() -> None:
    replies = ReplySize()
    replies.sent(11_000, asked_with=2_000)
    assert replies.quality(60) == 60
