from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from media_worker.admission import Sessions
from media_worker.memory_left import MB, MemoryWatch, left_mb
from media_worker.shelf import Shelf
from protocol.errors import AtCapacity
from protocol.internal import SessionSpec
from tests.media_worker.fakes import NO_MODEL, FakeConnection


def second_version(folder: Path, limit: str, used_mb: int, cached_mb: int = 0) -> None:
    (folder / "memory.max").write_text(limit)
    (folder / "memory.current").write_text(f"{used_mb * MB}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached_mb * MB}\nactive_file 7\n")


def first_version(folder: Path, limit: str, used_mb: int, cached_mb: int = 0) -> None:
    (folder / "memory").mkdir(exist_ok=True)
    (folder / "memory" / "memory.limit_in_bytes").write_text(limit)
    (folder / "memory" / "memory.usage_in_bytes").write_text(f"{used_mb * MB}\n")
    (folder / "memory" / "memory.stat").write_text(f"inactive_file 5\ntotal_inactive_file {cached_mb * MB}\n")


@pytest.mark.parametrize("version", [second_version, first_version])
def test_a_containers_limit_counts_and_its_cached_files_do_not(version: type, tmp_path: Path) -> None:
    version(tmp_path, f"{100 * MB}\n", 90, 30)
    assert left_mb(tmp_path) == pytest.approx(40)


@pytest.mark.parametrize("limit", ["max\n", f"{1 << 62}\n", "nonsense\n"])
def test_without_a_limit_the_machine_counts(limit: str, tmp_path: Path) -> None:
    second_version(tmp_path, limit, 90)
    assert left_mb(tmp_path) == pytest.approx(psutil.virtual_memory().available / MB, rel=0.2)


def test_where_there_are_no_groups_too(tmp_path: Path) -> None:
    assert left_mb(tmp_path) > 0


@pytest.mark.usefixtures("fake_vision")
async def test_admission_closes_before_memory_is_gone_and_opens_again(tmp_path: Path) -> None:
    """The seam is the kernel's own files, in a folder that this test writes."""
    memory = MemoryWatch(64, tmp_path)
    sessions, connection = Sessions(4, NO_MODEL, Shelf(), memory), FakeConnection()
    here, newcomer = (
        sessions.open(SessionSpec(session_id=name, design_id=1, expires_at=time.time() + 600)) for name in ("a", "b")
    )
    sessions.admit(here)
    await here.attach(connection)
    second_version(tmp_path, f"{400 * MB}", 350)
    await memory.look()
    assert (sessions.capacity, sessions.used) == (1, 1), "no free place is offered"
    with pytest.raises(AtCapacity, match="memory"):
        sessions.admit(newcomer)
    sessions.admit(here)  # who streams may connect anew
    assert not connection.closed_with
    second_version(tmp_path, f"{400 * MB}", 300)
    await memory.look()
    assert sessions.capacity == 4
    sessions.admit(newcomer)
    await here.detach(connection)
