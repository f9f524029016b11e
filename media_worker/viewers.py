"""Everybody who watches a session: how many there may be, and the encoders that they share.

A publisher's frames come here once, processed (`TransformTrack`). Without a viewer nothing is done with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

import structlog
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker.encoded_track import Encoded, EncodedTrack
from media_worker.outlet import Outlet
from media_worker.rate_control import Target
from media_worker.shared_encoder import Picture, SharedEncoder
from media_worker.stats import VIEWERS
from media_worker.vision.arrays import Pixels
from protocol import limits
from protocol.errors import AtCapacity, LacquerError, NoPublisher, NotFound, Replaced

log = structlog.get_logger(__name__)

CLOCK_RATE = 90_000
JUMP = 1.0
"""Seconds by which a publisher's timestamps may differ from our clock before they are another publisher's."""


class Watching(Protocol):
    """A viewer, as its session sees it."""

    id: str

    async def close(self, error: LacquerError | None) -> None: ...


class Timeline:
    """RTP timestamps that go on where a publisher, and so the origin of its timestamps, is replaced."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._timestamp = 0

    def at(self, pts: int, time_base: Fraction, now: float) -> int:
        """In 1/90000 s, always growing."""
        stamp = int(pts * time_base * CLOCK_RATE)
        if self._last is not None:
            elapsed = int((now - self._last[1]) * CLOCK_RATE)
            step = stamp - self._last[0]
            if not 0 < step < elapsed + JUMP * CLOCK_RATE:
                step = elapsed
            self._timestamp += max(1, step)
        self._last = stamp, now
        return self._timestamp


class Viewers:
    """One session's. Close it when done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._viewers: list[Watching] = []
        self._encoders: dict[str, SharedEncoder] = {}
        self._timeline = Timeline()
        self._publishers = 0
        self._lonely_since = clock()
        self._over: LacquerError | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._viewers)

    # --- who watches -----------------------------------------------------------------------------------------------
    def admit(self, viewer: Watching) -> None:
        """Raises what `close` was told, NoPublisher, AtCapacity."""
        if self._over:
            raise self._over
        if not self._publishers:
            raise NoPublisher
        if len(self._viewers) >= limits.MAX_VIEWERS:
            raise AtCapacity(f"{limits.MAX_VIEWERS} viewers watch this session already")
        self._viewers.append(viewer)
        VIEWERS.inc()

    def dismiss(self, viewer: Watching) -> None:
        """Idempotent."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            VIEWERS.dec()

    def find(self, viewer_id: str) -> Watching:
        """Raises NotFound when it is gone."""
        for viewer in self._viewers:
            if viewer.id == viewer_id:
                return viewer
        raise NotFound("this connection is gone")

    async def close(self, reason: LacquerError) -> None:
        """Lets everybody go; nobody watches here any more. Idempotent."""
        self._over = self._over or reason
        await self._dismiss_all(reason)
        for encoder in self._encoders.values():
            encoder.close()
        self._encoders.clear()

    async def _dismiss_all(self, reason: LacquerError) -> None:
        await asyncio.gather(*(viewer.close(reason) for viewer in self._viewers))

    # --- who sends -------------------------------------------------------------------------------------------------
    def publisher_came(self) -> None:
        self._publishers += 1

    def publisher_left(self) -> None:
        self._publishers -= 1
        self._lonely_since = self._clock()

    @property
    def abandoned(self) -> bool:
        """Whether nobody has sent video for so long that viewers had better ask anew: the publisher may be back on
        another worker."""
        return not self._publishers and self._clock() - self._lonely_since > limits.PUBLISHER_TIMEOUT

    def show(self, i420: Pixels, pts: int | None, time_base: Fraction | None) -> None:
        """A processed picture, uint8 (H·3/2, W), which does not change any more."""
        if pts is None or time_base is None:
            return
        timestamp = self._timeline.at(pts, time_base, self._clock())
        for encoder in self._encoders.values():
            encoder.show(Picture(i420, timestamp))

    # --- what viewers get ------------------------------------------------------------------------------------------
    def join(self, codec: RTCRtpCodecParameters) -> Outlet:
        """Frames encoded so, from the next keyframe on. Raises MediaStreamError when it is over."""
        if self._over:
            raise MediaStreamError
        if codec.name not in self._encoders:
            self._encoders[codec.name] = SharedEncoder(codec, self._fail)
        return self._encoders[codec.name].join()

    def leave(self, outlet: Outlet) -> None:
        """The last one takes the encoder with it. Idempotent."""
        for name, encoder in list(self._encoders.items()):
            encoder.leave(outlet)
            if not encoder.outlets:
                self._encoders.pop(name).close()

    def _fail(self) -> None:
        """So that a frozen picture does not look alive."""
        task = asyncio.create_task(self._dismiss_all(Replaced()))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class ViewerTrack(EncodedTrack):
    """What one viewer's sender sends."""

    def __init__(self, viewers: Viewers) -> None:
        super().__init__()
        self._viewers = viewers
        self._outlet: Outlet | None = None

    async def next_encoded(self, codec: RTCRtpCodecParameters) -> Encoded:
        """The sender asks first when its viewer is connected, and only then is anything encoded for it."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._outlet is None:
            self._outlet = self._viewers.join(codec)
        frame = await self._outlet.take()
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame

    def aim(self, target: Target) -> None:
        if self._outlet:
            self._outlet.target = target

    def want_keyframe(self) -> None:
        if self._outlet:
            self._outlet.ask()

    def stop(self) -> None:
        super().stop()
        if self._outlet:
            self._viewers.leave(self._outlet)
