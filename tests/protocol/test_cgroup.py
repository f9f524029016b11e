from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from protocol import cgroup


@pytest.mark.parametrize(
    ("quota", "cores"), [("150000 100000", 1.5), ("max 100000", 64.0), ("nonsense", 64.0), (None, 64.0)]
)
def test_a_container_has_fewer_cores(
    quota: str | None, cores: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "CPU_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    if quota:
        (tmp_path / "cpu.max").write_text(quota)
    assert cgroup.usable_cores() == cores


@pytest.mark.parametrize(("most", "limit"), [("268435456", 1 << 28), ("max", None), (None, None)])
def test_a_container_has_less_memory(
    most: str | None, limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "MEMORY_MOST", tmp_path / "memory.max")
    if most:
        (tmp_path / "memory.max").write_text(most)
    assert cgroup.memory_limit() == (limit or psutil.virtual_memory().total)
