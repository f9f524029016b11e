"""Who watches in `loss.py`: an aiortc as it comes, one that receives as libwebrtc does, or Chromium.

The aiortc clients are processes of their own, so that an unmodified aiortc stays one beside a worker's:

    PYTHONPATH=. .venv/bin/python -m tests.benchmarks.loss_clients aiortc h264

writes its offer as a line of JSON, reads the answer from one, and when another line comes, writes when each picture
was there: seconds of the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from playwright.async_api import Page

from media_worker import drawn_hand
from tests.media_worker.test_poor_links import like_a_browser
from tests.rtc_client import Offer, RtcClient
from tests.serving import chromium

SECONDS = 2.0
PATIENCE = 20.0
"""Seconds until the offer is there."""

Seen = Callable[[], Awaitable[list[float]]]
"""When pictures came so far, monotonic seconds."""

PAGE = """async (codec) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, frameRate: 30 } });
  window.pc = new RTCPeerConnection();
  const transceiver = pc.addTransceiver(stream.getVideoTracks()[0]);
  const { codecs } = RTCRtpReceiver.getCapabilities("video");
  const wanted = new RegExp(`${codec}|rtx`, "i");
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => wanted.test(mimeType)));
  window.seen = [];
  const video = document.querySelector("video");
  pc.ontrack = ({ track }) => {
    video.srcObject = new MediaStream([track]);
    const next = () => { seen.push(Date.now() / 1000); video.requestVideoFrameCallback(next); };
    video.requestVideoFrameCallback(next);
  };
  await pc.setLocalDescription();
  while (pc.iceGatheringState !== "complete") await new Promise((after) => setTimeout(after, 20));
  return pc.localDescription.sdp;
}"""
BODY = "<video autoplay muted></video>"
URL = "https://loss.invalid/"
"""Never asked for; a page needs a safe origin to get a camera."""


class TimingClient(RtcClient):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.seen: list[float] = []

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.seen.append(time.monotonic())


@asynccontextmanager
async def aiortc_client(kind: str, codec: str, offer: Offer) -> AsyncIterator[Seen]:
    """`kind`: aiortc or browserlike; see `_serve`."""
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "limit": 1 << 22}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.loss_clients", kind, codec),
        **pipes,  # type: ignore[arg-type]
    )
    assert process.stdin and process.stdout
    reader, writer = process.stdout, process.stdin

    async def told(say: str | None) -> Any:
        if say is not None:
            writer.write(json.dumps(say).encode() + b"\n")
        return json.loads(await asyncio.wait_for(reader.readline(), PATIENCE))

    try:
        answer = await offer(await told(None))
        await told(answer)
        yield lambda: told("seen")
    finally:
        writer.close()
        await process.wait()


@asynccontextmanager
async def chromium_client(camera: Path, codec: str, offer: Offer) -> AsyncIterator[Seen]:
    async with chromium(camera) as browser:
        page = await browser.new_page()
        await page.route(URL, lambda route: route.fulfill(body=BODY, content_type="text/html"))
        await page.goto(URL)
        answer = await offer(await page.evaluate(PAGE, codec))
        await page.evaluate("(sdp) => pc.setRemoteDescription({ type: 'answer', sdp })", answer)
        yield lambda: _seen_in(page)


async def _seen_in(page: Page) -> list[float]:
    ahead = time.time() - time.monotonic()
    return [at - ahead for at in await page.evaluate("seen")]


async def _serve(kind: str, codec: str) -> None:
    frames = [drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(), SECONDS)]

    def make() -> TimingClient:
        return TimingClient(frames, codec={"h264": "H264", "vp8": "VP8"}[codec], channel=False)

    loop = asyncio.get_running_loop()

    async def relayed(offer: str) -> str:
        print(json.dumps(offer), flush=True)
        return str(json.loads(await loop.run_in_executor(None, sys.stdin.readline)))

    async with like_a_browser(make) if kind == "browserlike" else make() as client:
        await client.connect(relayed)
        print(json.dumps("connected"), flush=True)
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(client.seen), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
