"""A stream from end to end without a camera: the drawn hand goes to a Lacquer and comes back painted.

The hand's true nails are known, so that each picture that comes back can be asked whether they wear the polish.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from media_worker import drawn_hand, frame_code
from media_worker.bench import film
from media_worker.bench.errors import BenchError
from media_worker.bench.hub import Sessions
from media_worker.bench.light_client import LightClient
from media_worker.drawn_hand import Drawing, Scene
from media_worker.vision.arrays import Pixels
from protocol import designs
from protocol.checkup import Verdict, failed, ok, warning

CODEC = "h264"
FPS = 30
CLIP = 3 * FPS
"""Frames; played there and back, so that the loop has no jump."""

WATCHED = 3.0
SETTLE = 1.0
"""Seconds after the first picture in which nails may still be looked for."""

FIRST_PICTURE = 8.0
START, STOP = 20.0, 4.0

SMOOTH_FPS, LATE_MS, PAINTED = 27.0, 150.0, 0.9

NEAR = 60.0
"""Of a nail's mean colour to the polish's, RGB: bare nails of the drawn hand are over 120 away from the classic red."""

OURS = re.compile(r"(LACQUER_.*|DATABASE_URL|REDIS_URL|SECRET_KEY|AI_TRYON_SERVICE_URL|DESIGNS_DIR|DEBUG|OTEL_.*)")
KEPT = ("LACQUER_HAND_MODEL",)


@dataclass
class Seen:
    """Pictures that came back, and how many of them wear the polish."""

    clip: Sequence[Drawing]
    colour: np.ndarray
    pictures: int = 0
    painted: int = 0
    counting: bool = field(default=False)

    def take(self, number: int, rgb: Pixels) -> None:
        if self.counting:
            self.pictures += 1
            self.painted += wears(rgb, self.clip[_there_and_back(number)], self.colour)


def wears(rgb: Pixels, drawing: Drawing, colour: np.ndarray) -> bool:
    """Whether the nails of a picture, taken together, are of that colour; at whatever size it came back."""
    step = drawing.rgb.shape[0] / rgb.shape[0]
    rows, columns = (np.arange(side) * step for side in rgb.shape[:2])
    mask = drawing.mask()[np.ix_(rows.astype(int), columns.astype(int))] > 0
    return bool(mask.any() and np.linalg.norm(rgb[mask].mean(axis=0) - colour) < NEAR)


async def self_test() -> Verdict:
    """Through a signaling process and a worker of its own, on free ports of loopback, with a folder that is thrown
    away; settings and data of the installation are not touched."""
    preparing = asyncio.create_task(asyncio.to_thread(_clip))  # while the server starts
    try:
        async with _server() as url:
            return await _stream(url, await preparing)
    except BenchError as error:
        return failed(str(error), "mend what is said above; then `lacquer serve` tells more")
    finally:
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)


async def through(url: str) -> Verdict:
    """Through a Lacquer that runs, where it is one more visitor for some seconds."""
    try:
        return await _stream(url, await asyncio.to_thread(_clip))
    except BenchError as error:
        return failed(str(error), "see that it runs, and what its log and /readyz say")


async def _stream(url: str, clip: tuple[list[Drawing], list[bytes]]) -> Verdict:
    drawings, packets = clip
    design = designs.find(1)
    seen = Seen(drawings, np.array(_rgb(design.colours[0])))
    async with Sessions(url, design.id) as sessions:
        client = LightClient(packets, CODEC, 0.0, on_picture=seen.take)
        try:
            await client.connect(sessions.offer)
            await _first_picture(client)
            await asyncio.sleep(SETTLE)
            seen.counting, begun = True, len(client.meter.came_back)
            await asyncio.sleep(WATCHED)
        finally:
            await client.close()
    return _verdict(seen, [seconds for _, seconds in client.meter.came_back[begun:]])


async def _first_picture(client: LightClient) -> None:
    deadline = asyncio.get_running_loop().time() + FIRST_PICTURE
    while not client.meter.came_back:
        if asyncio.get_running_loop().time() > deadline:
            raise BenchError(
                f"a session and an answer came, but no picture within {FIRST_PICTURE:.0f} s: UDP does not get through"
            )
        await asyncio.sleep(0.05)


def _verdict(seen: Seen, round_trips: Sequence[float]) -> Verdict:
    if not round_trips or not seen.pictures:
        return failed("pictures stopped coming back", "look at the worker's log, and at what else this machine does")
    fps = len(round_trips) / WATCHED
    p50, p95 = np.percentile(np.array(round_trips) * 1000, [50, 95])
    share = seen.painted / seen.pictures
    said = (
        f"{fps:.1f} pictures a second came back, {p50:.0f} ms after they were sent (one in twenty over {p95:.0f}), "
        f"nails painted on {share:.0%}"
    )
    if share == 0:
        return failed(said, "mend the hand model and the networks")
    if share < PAINTED:
        return warning(said, "run `lacquer evaluate-video --drawn`; vision may be short of time")
    if fps < SMOOTH_FPS or p95 > LATE_MS:
        return warning(said, "see what else this machine does, and try again; else fewer streams, or faster cores")
    return ok(said)


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """Yields its address. Raises BenchError."""
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="lacquer-doctor-")
    try:
        command = ["signaling.cli", "serve", "--port", "0", "--host", "127.0.0.1", "--workers", "1"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment(os.environ, Path(folder)),
        )
        async with _running(process) as url:
            yield url
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def _running(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stderr is not None
    said: list[str] = []
    reading = asyncio.create_task(_read(process.stderr, said))
    try:
        yield await _address(process, said)
    finally:
        await _stop(process)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """As it was, without the installation's settings: its database and its Redis are none of this server's business."""
    kept = {name: value for name, value in given.items() if not OURS.fullmatch(name) or name in KEPT}
    return {**kept, "LACQUER_DATA_DIR": str(folder)}


async def _read(stderr: asyncio.StreamReader, said: list[str]) -> None:
    while line := await stderr.readline():
        said.append(line.decode("utf-8", "replace").rstrip())
        del said[:-50]


async def _address(process: asyncio.subprocess.Process, said: list[str]) -> str:
    deadline = asyncio.get_running_loop().time() + START
    while asyncio.get_running_loop().time() < deadline:
        if found := re.search(r"ready: (http://\S+)", "\n".join(said)):
            return found[1]
        if process.returncode is not None:
            break
        await asyncio.sleep(0.05)
    raise BenchError("`lacquer serve` does not start; its last words: " + (" | ".join(said[-3:]) or "none"))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@cache
def _clip() -> tuple[list[Drawing], list[bytes]]:
    """The drawn hand's pictures, one way, and the encoded clip, there and back."""
    drawings = list(drawn_hand.clip(Scene(), CLIP / 2 / FPS, FPS))
    return drawings, film.encode((_numbered(drawings, number) for number in range(CLIP)), CODEC)


def _numbered(drawings: Sequence[Drawing], number: int) -> Pixels:
    rgb = drawings[_there_and_back(number)].rgb.copy()
    frame_code.write(rgb, number)
    return rgb


def _there_and_back(number: int) -> int:
    return min(number, CLIP - 1 - number)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.lstrip("#")))
