"""The client in the wild, line by line as its documentation has it, with a WebSocket library that is not ours."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.serving import Served, lacquer_serve

pytestmark = pytest.mark.media

RED = np.array([0xB3, 0x00, 0x1B])


@pytest.fixture
def session_id(tmp_path: Path) -> object:
    with lacquer_serve(tmp_path, "--workers", "1") as served:
        yield served, new_session(served)


def new_session(served: Served) -> str:
    request = urllib.request.Request(
        f"{served.url}/api/try-on/sessions/",
        data=json.dumps({"mode": "explore", "post_id": 1}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        session_id: str = json.load(response)["session_id"]
        return session_id


@pytest.mark.parametrize("image_format", list(ImageFormat))
async def test_frames_come_back_painted(session_id: tuple[Served, str], image_format: ImageFormat) -> None:
    served, session = session_id
    scene = drawn_hand.Scene(still=True)
    drawing = drawn_hand.draw(scene, 0)
    image = images.encode(drawing.rgb, image_format)
    nails = drawing.mask() > 0
    async with connect(f"{served.url.replace('http', 'ws')}/ws/tryon/{session}/", max_size=None) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"
        for number in range(1, 4):
            sent = int(time.time() * 1000)
            header = {"type": "frame", "frame_number": number, "timestamp": sent, "image_size": len(image)}
            encoded = json.dumps(header).encode()
            await socket.send(encoded + b"\0" * (1024 - len(encoded)) + image)
            while isinstance(message := await socket.recv(), str):
                assert json.loads(message)["type"] in ("metadata", "stats", "ping")
            answer = json.loads(message[:1024].rstrip(b"\0"))
            assert (answer["type"], answer["frame_number"], answer["timestamp"]) == ("processed_frame", number, sent)
            assert answer["image_size"] == len(message) - 1024
            assert answer["format"] == image_format
            picture = images.decode(message[1024:], max_pixels=10**6)
        assert (np.abs(picture[nails].astype(int) - RED).sum(axis=1) < 150).mean() > 0.45


async def test_broken_messages_are_answered_and_the_stream_goes_on(session_id: tuple[Served, str]) -> None:
    served, session = session_id
    jpeg = images.encode(drawn_hand.draw(drawn_hand.Scene(), 0).rgb, ImageFormat.JPEG)

    def frame(**header: object) -> bytes:
        fields = {"type": "frame", "frame_number": 9, "timestamp": 0, "image_size": len(jpeg), **header}
        return json.dumps(fields).encode().ljust(1024, b"\0") + jpeg

    async with connect(f"{served.url.replace('http', 'ws')}/ws/tryon/{session}", max_size=None) as socket:
        await socket.recv()
        for broken, code in list[tuple[str | bytes, str]]([
            ("{", "bad_message"),
            (b"{}", "bad_header"),
            (frame(image_size=5), "bad_header"),
            (frame(type="selfie"), "unknown_type"),
            (json.dumps({"type": "frame", "frame_number": 3, "image_size": 4}).encode().ljust(1024, b"\0") + b"oops",
             "bad_image"),
            ('{"type":"config","design":12345}', "unknown_design"),
        ]):  # fmt: skip
            await socket.send(broken)
            error = json.loads(await socket.recv())
            assert (error["type"], error["code"], error["fatal"]) == ("error", code, False)
        await socket.send(frame())
        while isinstance(message := await socket.recv(), str):
            pass
        assert json.loads(message[:1024].rstrip(b"\0"))["frame_number"] == 9


async def test_unknown_session_is_told_why(session_id: tuple[Served, str]) -> None:
    served, _ = session_id
    async with connect(f"{served.url.replace('http', 'ws')}/ws/tryon/00000000-0000-4000-8000-000000000000/") as socket:
        assert json.loads(await socket.recv())["code"] == "not_found"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4404


async def test_several_clients_at_once(session_id: tuple[Served, str]) -> None:
    """Three old clients stream at the same time, each in its session, and each gets its own frames."""
    served, first = session_id
    jpeg = images.encode(drawn_hand.draw(drawn_hand.Scene(), 0).rgb, ImageFormat.JPEG)

    async def stream(session: str, start: int) -> list[int]:
        numbers = []
        async with connect(f"{served.url.replace('http', 'ws')}/ws/tryon/{session}/", max_size=None) as socket:
            await socket.recv()
            for number in range(start, start + 5):
                header = {"type": "frame", "frame_number": number, "timestamp": 0, "image_size": len(jpeg)}
                await socket.send(json.dumps(header).encode().ljust(1024, b"\0") + jpeg)
                while isinstance(message := await socket.recv(), str):
                    pass
                numbers.append(json.loads(message[:1024].rstrip(b"\0"))["frame_number"])
        return numbers

    sessions = [first, await asyncio.to_thread(new_session, served), await asyncio.to_thread(new_session, served)]
    got = await asyncio.gather(*(stream(session, 100 * i) for i, session in enumerate(sessions)))
    assert got == [list(range(100 * i, 100 * i + 5)) for i in range(3)]
