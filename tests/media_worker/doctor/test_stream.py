"""The self-test through the real product; what it makes of what comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_worker.doctor import stream
from media_worker.drawn_hand import Scene, draw
from protocol.checkup import Outcome

RED = np.array([0xB3, 0x00, 0x1B])


@pytest.mark.media
@pytest.mark.long
async def test_the_drawn_hand_comes_back_painted(monkeypatch: pytest.MonkeyPatch, hand_model: Path) -> None:
    monkeypatch.setattr(stream, "START", 60.0)
    monkeypatch.setattr(stream, "FIRST_PICTURE", 30.0)
    monkeypatch.setattr(stream, "WATCHED", 2.0)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")  # an installation's, left alone
    verdict = await stream.self_test()
    assert verdict.outcome is not Outcome.FAILED, verdict
    assert "pictures a second came back" in verdict.said


async def test_nobody_serves_there() -> None:
    verdict = await stream.through("http://127.0.0.1:9")
    assert verdict.outcome is Outcome.FAILED
    assert "127.0.0.1:9 cannot be reached" in verdict.said


async def test_a_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LACQUER_HAND_MODEL", str(tmp_path / "none.task"))
    monkeypatch.setattr(stream, "_clip", lambda: ([], []))
    verdict = await stream.self_test()
    assert verdict.outcome is Outcome.FAILED
    assert "does not start" in verdict.said and "none.task" in verdict.said


def test_painted_nails_are_told_from_bare_ones() -> None:
    painted, bare = draw(Scene(worn=((0xB3, 0x00, 0x1B),)), 0.5), draw(Scene(), 0.5)
    assert stream.wears(painted.rgb, painted, RED)
    assert stream.wears(np.ascontiguousarray(painted.rgb[::2, ::2]), painted, RED), "smaller"
    assert not stream.wears(bare.rgb, bare, RED)


@pytest.mark.parametrize(
    ("pictures", "painted", "trips", "outcome"),
    [
        (88, 88, [0.05] * 90, Outcome.OK),
        (88, 60, [0.05] * 90, Outcome.WARNING),
        (88, 0, [0.05] * 90, Outcome.FAILED),
        (45, 45, [0.05] * 45, Outcome.WARNING),
        (88, 88, [0.4] * 90, Outcome.WARNING),
        (0, 0, [], Outcome.FAILED),
    ],
)
def test_judgement(pictures: int, painted: int, trips: list[float], outcome: Outcome) -> None:
    verdict = stream._verdict(stream.Seen([], RED, pictures, painted), trips)
    assert verdict.outcome is outcome
    assert bool(verdict.mend) is (outcome is not Outcome.OK)


def test_settings_of_the_installation_stay_out(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "LACQUER_PORT": "1",
        "REDIS_URL": "redis://x",
        "SECRET_KEY": "x",
        "LACQUER_HAND_MODEL": "/m",
    }
    made = stream.environment(given, tmp_path)
    assert made == {"PATH": "/bin", "LACQUER_HAND_MODEL": "/m", "LACQUER_DATA_DIR": str(tmp_path)}
