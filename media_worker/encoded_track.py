"""A video track whose frames are encoded before they get to a sender, so that several senders share the work."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker.rate_control import START, Target

UNKNOWN = Target(START, Fraction(1))
"""What to aim at before a receiver has reported anything."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One frame as RTP payloads. The same object goes to every sender: nobody changes it."""

    payloads: list[bytes]
    timestamp: int
    """In 1/90000 s, of any origin."""
    keyframe: bool
    pixels: int
    """Of the picture before it was scaled for the link."""

    @property
    def bits(self) -> int:
        return 8 * sum(map(len, self.payloads))


class EncodedTrack(MediaStreamTrack):
    """What `LiveSender` asks for encoded frames, instead of encoding pictures itself."""

    kind = "video"

    async def recv(self) -> NoReturn:
        raise MediaStreamError  # aiortc's own senders would ask for pictures: there are none

    @abstractmethod
    async def next_encoded(self, codec: RTCRtpCodecParameters) -> Encoded:
        """The next frame to send, encoded so. Raises MediaStreamError at the end."""

    @abstractmethod
    def aim(self, target: Target) -> None:
        """What this sender's link carries."""

    @abstractmethod
    def want_keyframe(self) -> None:
        """This sender's receiver cannot go on without one."""
