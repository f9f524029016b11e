from __future__ import annotations

from media_worker.vision.hangs import Hangs


def test_threads_that_came_back_are_forgotten() -> None:
    hangs, hanging = Hangs(), [True, True]
    hangs.add(lambda: hanging[0])
    hangs.add(lambda: hanging[1])
    assert hangs.count() == 2
    hanging[0] = False
    assert hangs.count() == 1
    hanging[:] = [True, False]
    assert hangs.count() == 0, "whoever came back is no longer asked"
