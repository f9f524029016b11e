"""How smooth the page is over the WebSocket: pictures a second, and milliseconds from the camera to the screen.

.venv/bin/python tests/benchmarks/socket_page.py [--seconds 15] [--query "?transport=websocket"]

A real Chromium shows a numbered clip to `lacquer serve`, and the numbers are read where they come back
(media_worker/frame_code.py). Browser and server share this machine. Wanted: 15 a second, p95 at most 250 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from media_worker.bench import camera
from tests.browser.visits import live, visit
from tests.serving import lacquer_serve

WARM_UP_SECONDS = 4.0

MEASURE = (Path(__file__).parent / "socket_page.js").read_text("utf-8")


async def measure(seconds: float, query: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera.write(folder / "clip.mjpeg", None, lambda done, of: None)
        with lacquer_serve(folder, "--workers", "1") as served:
            async with visit(served, folder / "clip.mjpeg", query) as page:
                await live(page)
                await asyncio.sleep(WARM_UP_SECONDS)
                found: dict[str, Any] = await page.evaluate(MEASURE, seconds)
                return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--query", default="?transport=websocket", help="of the page's address")
    options = parser.parse_args()
    found = asyncio.run(measure(options.seconds, options.query))
    p50, p95 = np.percentile(found["latencies"], [50, 95])
    print(f"{found['shown'] / options.seconds:.1f} fps of {found['taken'] / options.seconds:.1f} of the camera")
    print(f"camera to screen: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({len(found['latencies'])} frames read)")


if __name__ == "__main__":
    main()
