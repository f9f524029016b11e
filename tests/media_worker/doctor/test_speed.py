from __future__ import annotations

from pathlib import Path

import pytest

from media_worker.doctor import speed
from media_worker.doctor.speed import Measured, Speed
from protocol.checkup import Outcome


@pytest.mark.media
async def test_this_machine_is_measured(hand_model: Path) -> None:
    measured = Speed(hand_model, capacity=1, workers=1)
    verdict = await measured.frame()
    assert verdict.outcome is not Outcome.FAILED, verdict
    assert "ms a frame" in verdict.said
    assert "core" in (await measured.cores()).said


async def test_without_a_model(tmp_path: Path) -> None:
    broken = Speed(tmp_path / "none.task", capacity=4)
    assert (await broken.frame()).outcome is Outcome.FAILED
    assert (await broken.cores()).outcome is Outcome.WARNING


@pytest.mark.parametrize(
    ("processor", "median", "outcome"),
    [(5, 6, Outcome.OK), (40, 42, Outcome.WARNING), (8, 90, Outcome.WARNING), (8, 20, Outcome.OK)],
)
def test_judgement(processor: float, median: float, outcome: Outcome) -> None:
    verdict = speed.judge(Measured(processor, median, 2 * median), "on a processor")
    assert verdict.outcome is outcome
    assert bool(verdict.mend) is (outcome is Outcome.WARNING)


@pytest.mark.parametrize(("capacity", "outcome"), [(4, Outcome.OK), (64, Outcome.WARNING)])
async def test_slots_beside_cores(capacity: int, outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "usable_cores", lambda: 2.0)
    measured = Speed(None, capacity)
    measured._measured = Measured(5, 6, 8)
    verdict = await measured.cores()
    assert verdict.outcome is outcome
    if verdict.mend:
        assert "LACQUER_WORKER_CAPACITY=5" in verdict.mend
