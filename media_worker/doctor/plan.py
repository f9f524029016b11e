"""All of the media worker's checks, in the order in which `lacquer doctor` makes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from pydantic_settings import BaseSettings

from media_worker.doctor import models, relays, stream, udp
from media_worker.doctor.speed import Speed
from media_worker.settings import WorkerSettings
from protocol.api import IceServer
from protocol.checkup import Check, Groups, Part
from protocol.turn_credentials import credentials


def settings() -> type[WorkerSettings]:
    return WorkerSettings


def beside(worker: BaseSettings, servers: Sequence[IceServer]) -> list[Check]:
    """Those that may go on at once. `servers` are for STUN and TURN; the worker's own are added."""
    assert isinstance(worker, WorkerSettings)
    return [
        Check("udp ports", partial(udp.ports, worker)),
        *relays.checks([*servers, *_own(worker)], worker),
        Check("hand model", partial(models.hand_model, worker.hand_model)),
    ]


def alone(worker: BaseSettings, url: str | None, part: Part = Part.ALL) -> Groups:
    """Those that measure. `url` is of a Lacquer to stream through; without one, one is started for that."""
    assert isinstance(worker, WorkerSettings)
    speed = Speed(worker.hand_model, worker.worker_capacity, 1 if part is Part.WORKER else None)
    trying = partial(stream.through, url) if url else stream.self_test
    return [
        [
            Check(
                "networks", partial(models.networks, worker.hand_model), 12, "see what takes the processor or the disk"
            )
        ],
        [Check("vision", speed.frame, 8, "see what else takes this machine's cores")],
        [Check("cores", speed.cores)],
        [Check("stream", trying, 24, "see what else takes this machine's cores, and try again with --url")],
    ]


def _own(worker: WorkerSettings) -> list[IceServer]:
    servers = []
    if worker.worker_stun_url:
        servers.append(IceServer(urls=[worker.worker_stun_url], username=None, credential=None))
    if worker.worker_turn_url and worker.turn_secret:
        username, password = credentials(worker.turn_secret, "doctor", time.time() + worker.turn_lifetime)
        servers.append(IceServer(urls=[worker.worker_turn_url], username=username, credential=password))
    return servers
