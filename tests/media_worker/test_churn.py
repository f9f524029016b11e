"""Visits leave nothing behind: a shorter run of tests/benchmarks/churn.py, through the whole product."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import churn
from tests.serving import lacquer_serve


@pytest.mark.media
@pytest.mark.long
async def test_memory_threads_and_files_stay_where_they_were(tmp_path: Path) -> None:
    with lacquer_serve(tmp_path, "--workers", "1") as served:
        found = await churn.run(served.url, served.workers()[0], cycles=25)
    assert found["growth_mb_after_10"] < 20, found["rss_mb_each"]
    assert found["threads"]["end"] <= found["threads"]["after_10"] + 1
    assert found["open_files"]["end"] <= found["open_files"]["after_10"] + 2


@pytest.mark.media
@pytest.mark.scale
@pytest.mark.timeout(400)
def test_sessions_dropped_in_ugly_ways_leave_nothing(tmp_path: Path) -> None:
    found = churn.ugly_run(tmp_path, 64)
    assert found["clean"], found
