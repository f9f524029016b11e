"""A WebRTC client made of aiortc, as a test's browser: sends a drawn hand, speaks on the data channel, keeps what
comes back."""

from __future__ import annotations

import asyncio
import fractions
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from protocol import framing

Offer = Callable[[str], Awaitable[str]]
"""Takes an SDP offer to a server and brings the answer back."""


PATIENCE = 30.0
"""Seconds that a machine may need which does other things as well; one that does not needs a hundredth."""


class ClipTrack(MediaStreamTrack):
    """Plays RGB frames in a loop, in real time."""

    kind = "video"

    def __init__(self, frames: Sequence[np.ndarray], fps: float = 30) -> None:
        super().__init__()
        self._frames, self._fps = frames, fps
        self._number = 0
        self._start = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._start + self._number / self._fps - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._frames[self._number % len(self._frames)], format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = round(self._number / self._fps * 90000), fractions.Fraction(1, 90000)
        self._number += 1
        return frame


class RtcClient:
    """Connect with `async with RtcClient(frames).connect(offer)`; everything received is kept, newest last."""

    def __init__(
        self,
        frames: Sequence[np.ndarray] | None,
        *,
        codec: str | None = None,
        channel: bool = True,
        audio: bool = False,
        configuration: RTCConfiguration | None = None,
        fps: float = 30,
    ) -> None:
        self.pc = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.texts: list[dict[str, Any]] = []
        self.binaries: list[tuple[dict[str, Any], bytes]] = []
        self.pictures: list[np.ndarray] = []
        """RGB, uint8 (H, W, 3); the last 60."""
        self.pts: list[int] = []
        self._reassembler = framing.Reassembler()
        self._reader: asyncio.Task[None] | None = None
        if audio:  # before the video: in the offer, and so in the bundle, it comes first
            self.pc.addTransceiver("audio", direction="recvonly")
        self._source = ClipTrack(frames, fps) if frames is not None else None
        if self._source is not None:
            self.pc.addTrack(self._source)
            if codec:
                self._prefer(self.pc.getTransceivers()[-1], codec)
        self.channel = self.pc.createDataChannel("tryon") if channel else None
        if self.channel:
            self.channel.on("message", self._on_message)
        self.pc.on("track", self._on_track)

    @classmethod
    def player(cls, codec: str | None = None) -> Self:
        """One that only watches."""
        client = cls(None, channel=False)
        transceiver = client.pc.addTransceiver("video", direction="recvonly")
        if codec:
            client._prefer(transceiver, codec)
        return client

    @classmethod
    def publisher(cls, frames: Sequence[np.ndarray], codec: str | None = None, *, audio: bool = False) -> Self:
        """One that only sends."""
        client = cls(frames, codec=codec, channel=False, audio=audio)
        for transceiver in client.pc.getTransceivers():
            transceiver.direction = "sendonly"
        return client

    @staticmethod
    def _prefer(transceiver: RTCRtpTransceiver, codec: str) -> None:
        kinds = (codec, "rtx")  # as a browser: what is sent again has a stream of its own
        video = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.endswith(kinds)]
        transceiver.setCodecPreferences(video)

    async def connect(self, offer: Offer) -> Self:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        answer = await offer(self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._source:
            self._source.stop()
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.pc.close()

    def say(self, **message: Any) -> None:
        assert self.channel
        self.channel.send(json.dumps(message))

    def show(self, number: int, image: bytes) -> None:
        assert self.channel
        header = {"type": "frame", "frame_number": number, "timestamp": number}
        for part in framing.split(header, image, message_id=number, max_message_size=65536):
            self.channel.send(part)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["type"] == kind]

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            kinds = [text["type"] for text in self.texts]
            raise AssertionError(
                f"not within {seconds} s: {len(self.pictures)} pictures, texts {sorted(set(kinds))}, "
                f"errors {self.of('error')}, state {self.pc.connectionState}"
            ) from None

    def _on_message(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.texts.append(json.loads(data))
            return
        header, payload = framing.unpack(data)
        whole = self._reassembler.add(header, payload) if framing.is_chunk(header) else (header, payload)
        if whole:
            self.binaries.append(whole)

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._reader = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.VideoFrame)
            self.pictures = [*self.pictures[-59:], frame.to_ndarray(format="rgb24")]
            self.pts.append(frame.pts or 0)
