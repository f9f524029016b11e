"""How late and how often a browser sees its own hand, painted: real Chromium, real server, drawn hand as the camera.

    .venv/bin/python tests/benchmarks/glass_to_glass.py [--codec h264|vp8] [--seconds 20] [--camera FILE.mjpeg]

Every camera frame carries its number along the top edge. The page reads it where the camera's picture is shown, with
the capture time that Chromium gives, and where the processed picture is shown; latency is the difference to that
frame's display time, so it holds capture, encoding, network, decoding, vision, painting and the way back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

import psutil

from media_worker import drawn_hand
from tests.serving import Served, chromium, lacquer_serve

MEASURE = (Path(__file__).parents[1] / "browser" / "measure.js").read_text()
WARM_UP_SECONDS = 4.0


def run(codec: str, seconds: float, camera: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if camera is None:
            camera = folder / "hand.mjpeg"
            drawn_hand.write_mjpeg(camera, numbered=True)
        with lacquer_serve(folder, "--workers", "1") as served:
            return asyncio.run(visit(served, camera, codec, seconds))


async def visit(served: Served, camera: Path, codec: str, seconds: float) -> dict[str, Any]:
    async with chromium(camera) as browser:
        page = await browser.new_page(viewport={"width": 800, "height": 700})
        await page.add_init_script(MEASURE)
        await page.goto(f"{served.url}/?codec={codec}")
        await page.click("#start")
        await page.wait_for_selector("body[data-state=live]")
        first_frame = await page.evaluate(
            "performance.getEntriesByName('lacquer-first-frame')[0].startTime - pressedAt"
        )
        await asyncio.sleep(WARM_UP_SECONDS)
        before = cpu_seconds(served)
        found = await page.evaluate(
            "seconds => measure(document.querySelector('#preview'), document.querySelector('#output'), seconds)",
            seconds,
        )
        spent = cpu_seconds(served) - before
    return {"codec": codec, "first_frame_ms_after_start": round(first_frame), **report(found, seconds, spent)}


def report(found: dict[str, Any], seconds: float, cpu: float) -> dict[str, Any]:
    late = sorted(found["latencies"])
    return {
        "machine": f"{psutil.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "seconds": seconds,
        "camera_fps": round(found["sent"], 1),
        "returned_fps": round(found["fps"], 1),
        "returned_sizes": found["sizes"],
        "latency_ms": {
            "p50": round(statistics.median(late), 1),
            "p95": round(late[int(len(late) * 0.95)], 1),
            "p99": round(late[int(len(late) * 0.99)], 1),
            "frames": len(late),
        },
        "worker_cpu_ms_per_frame": round(cpu * 1000 / (found["fps"] * seconds), 1),
        "frames_without_readable_number": found["unread"],
    }


def cpu_seconds(served: Served) -> float:
    times = [worker.cpu_times() for worker in served.workers()]
    return float(sum(each.user + each.system for each in times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codec", choices=["h264", "vp8"], action="append", help="default: both, one after the other")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--camera", type=Path, help="an .mjpeg instead of the drawn hand; it needs numbered frames")
    options = parser.parse_args()
    for codec in options.codec or ["h264", "vp8"]:
        print(json.dumps(run(codec, options.seconds, options.camera), indent=2))


if __name__ == "__main__":
    main()
