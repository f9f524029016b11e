from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media_worker.fakes import FakePipeline


@pytest.fixture
def fake_vision(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePipeline]]:
    """Sessions made in this test see without a hand model."""

    class Vision(FakePipeline):
        built = 0
        closed = 0

    monkeypatch.setattr("media_worker.session.Pipeline", Vision)
    yield Vision
