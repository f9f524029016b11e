from __future__ import annotations

from media_worker.doctor import plan
from media_worker.settings import WorkerSettings


def test_the_workers_own_servers_are_tried() -> None:
    worker = WorkerSettings(
        worker_stun_url="stun:s.example", worker_turn_url="turn:t.example", turn_secret="Zk3vQ8xNw2rT5yBp7LcM"
    )
    names = [check.name for check in plan.beside(worker, [])]
    assert names == ["udp ports", "stun:s.example", "turn:t.example", "hand model"]


def test_a_stream_is_the_last_thing_tried() -> None:
    assert [check.name for group in plan.alone(WorkerSettings(), None) for check in group][-1] == "stream"
