"""How fast vision is on this machine, and for how many streams its cores are enough."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import openvino

from media_worker.drawn_hand import Scene, draw
from media_worker.pipeline import Pipeline
from media_worker.polish.looks import Look
from media_worker.vision import models
from protocol import designs
from protocol.cgroup import usable_cores
from protocol.checkup import Verdict, failed, ok, warning
from protocol.errors import LacquerError

BUDGET_MS = 33.3
"""From one frame to the next at 30 fps."""

TRANSPORT_MS = 7.0
"""Processor time a frame of all that is not vision: RTP, SRTP, decoding and encoding (README.md, 640x480)."""

DRAWN, FRAMES, WARM_UP = 20, 90, 15
SECONDS = 3.0
"""A slow machine sees fewer frames."""

SMOOTH_MS = BUDGET_MS - TRANSPORT_MS
"""Slower vision drops frames even where a stream has a core for itself."""

CROWDED = 1.5
"""Times as long on the clock as of processor time: something else is at work."""

OVERBOOKED = 2.0
"""Times as many streams as the cores carry at full rate: then each is left with half of it."""


@dataclass(frozen=True)
class Measured:
    """Milliseconds a frame of vision and painting, in a live stream."""

    processor: float
    """Mean processor time: what it costs, whatever else runs."""
    median: float
    """On the clock: how long it takes, now."""
    late: float
    """One in twenty takes longer."""


class Speed:
    """Measured once; what cores carry follows from it."""

    def __init__(self, model: Path | None, capacity: int, workers: int | None = None) -> None:
        """`capacity` slots a worker, and so many `workers`; by default one a core, as `lacquer serve` has."""
        self._model, self._capacity, self._workers = model, capacity, workers
        self._measured: Measured | None = None

    async def frame(self) -> Verdict:
        try:
            self._measured = await asyncio.to_thread(measure, self._model)
        except LacquerError as error:
            return failed(f"vision does not work: {error}", "mend what is said of the hand model above")
        return judge(self._measured, f"on {processor()}{_accelerators()}")

    async def cores(self) -> Verdict:
        cores = usable_cores()
        workers = self._workers or max(1, round(cores))
        slots = workers * self._capacity
        told = (
            f"{cores:g} core{'s' if cores != 1 else ''}, {workers} × LACQUER_WORKER_CAPACITY={self._capacity} streams"
        )
        if self._measured is None:
            return warning(f"{told}; how many they carry is unknown", "mend vision first")
        carried = cores * BUDGET_MS / (self._measured.processor + TRANSPORT_MS)
        said = f"{told}; these cores carry about {carried:.0f} at 640x480 and 30 fps"
        if slots > OVERBOOKED * carried:
            fewer = max(1, int(OVERBOOKED * carried / workers))
            return warning(f"{said}, more share the rate", f"set LACQUER_WORKER_CAPACITY={fewer}, or add machines")
        return ok(said + (", more share the rate" if slots > carried else ""))


def judge(measured: Measured, where: str) -> Verdict:
    said = (
        f"{measured.processor:.1f} ms a frame of the {BUDGET_MS:.0f} there are at 30 fps, {where}; now "
        f"{measured.median:.1f} on the clock, one in twenty over {measured.late:.1f}"
    )
    if measured.processor > SMOOTH_MS:
        return warning(said, "use a faster machine: streams will lose frames on this one")
    if measured.median > max(SMOOTH_MS, CROWDED * measured.processor):
        return warning(said, "see what else takes this machine's cores just now, and try again")
    return ok(said)


def processor() -> str:
    """As OpenVINO calls it."""
    name: str = openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
    return " ".join(name.split())


def _accelerators() -> str:
    others = [name for name in openvino.Core().available_devices if not name.startswith("CPU")]
    return f"; OpenVINO sees {', '.join(others)} as well, which Lacquer does not use" if others else ""


def measure(model: Path | None) -> Measured:
    """On the drawn hand, for SECONDS at most."""
    cv2.setNumThreads(1)  # as in a worker
    drawn = [draw(Scene(), number / 30).rgb for number in range(DRAWN)]
    planes = [cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False) for rgb in drawn]
    pipeline = Pipeline(models.find(model), Look.of(designs.find(1)))
    clock, processor_time = list[float](), list[float]()
    deadline = time.monotonic() + SECONDS
    try:
        for number in range(FRAMES):
            frame = planes[_there_and_back(number)].copy()
            began, spent = time.perf_counter(), time.process_time()  # its models work in threads of their own
            pipeline.process_i420(frame, round(number * BUDGET_MS))
            clock.append((time.perf_counter() - began) * 1000)
            processor_time.append((time.process_time() - spent) * 1000)
            if time.monotonic() > deadline:
                break
    finally:
        pipeline.close()
    skipped = min(WARM_UP, len(clock) // 2)
    median, late = np.percentile(clock[skipped:], [50, 95])
    return Measured(float(np.mean(processor_time[skipped:])), float(median), float(late))


def _there_and_back(number: int) -> int:
    """So that the hand never jumps."""
    place = number % (2 * DRAWN - 2)
    return min(place, 2 * DRAWN - 2 - place)
