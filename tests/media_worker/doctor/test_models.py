from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from media_worker.doctor import models
from media_worker.vision.models import PARTS
from protocol.checkup import Outcome


@pytest.mark.media
async def test_the_one_that_was_fetched(hand_model: Path) -> None:
    assert (await models.hand_model(None)).outcome is Outcome.OK
    assert (await models.networks(None)).outcome is Outcome.OK


async def test_an_own_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "own.task", "w") as task:
        for name in PARTS:
            task.writestr(name, b"weights")
    assert (await models.hand_model(tmp_path / "own.task")).outcome is Outcome.WARNING


async def test_none(tmp_path: Path) -> None:
    for check in (models.hand_model, models.networks):
        verdict = await check(tmp_path / "none.task")
        assert verdict.outcome is Outcome.FAILED
        assert verdict.mend
