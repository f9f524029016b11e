"""Puts RTP packets back in order and hands a video frame on as soon as its last packet is in.

aiortc's own buffer ignores the marker bit (RFC 3550 §5.1), so that a frame waits for the next frame's first packet: one
frame interval. It also lets pictures through whose references were lost. This one

- hands a frame on when it is complete up to its marker, and everything that waited behind it at the same moment;
- hands on nothing that cannot be decoded: after a loss it waits for the retransmission, or for a complete keyframe;
- asks for a keyframe (PLI, RFC 4585 §6.3.1) when that takes too long, and goes on asking until one is there.

Pure: packets in, frames out, the time from a clock that tests turn. `receiving.py` puts it into aiortc.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from media_worker.payloads import Piece

CAPACITY = 512
"""Packets; three seconds at 1.5 Mbit/s. A sequence number that far off is not believed at once."""

PLI_AFTER = 0.2
"""Seconds that a frame waits for a retransmission before a keyframe is asked for: twice a usual mobile round trip."""

PLI_AT_START = 0.05
"""The same where no keyframe is on its way: long enough for packets that overtook its first one."""

PLI_INTERVAL = 0.3
"""Seconds between two requests; libwebrtc makes no more keyframes. Each is as large as ten other frames, so more of
them would cause more loss; but a lost request shall not freeze the picture for long."""


class Frame(JitterFrame):
    """A complete frame, and those that became deliverable together with it."""

    def __init__(
        self, data: bytes, timestamp: int, first_at: float, complete_at: float, *, keyframe: bool = False
    ) -> None:
        """`first_at`, `complete_at`: the clock's seconds when the first packet came, and when the frame was released.

        aiortc continues `timestamp` beyond 32 bits; `rtp_timestamp` stays what the packets say.
        """
        super().__init__(data, timestamp)
        self.rtp_timestamp = timestamp
        self.first_at, self.complete_at = first_at, complete_at
        self.keyframe = keyframe
        self.later: list[Frame] = []
        """What follows, in order."""


class JitterBuffer:
    """Takes the place of `aiortc.jitterbuffer.JitterBuffer` for video."""

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._packets: dict[int, RtpPacket] = {}
        """By sequence number without wrap."""
        self._arrived: dict[int, float] = {}
        self._next: int | None = None
        """The first packet of the frame to be handed on; None while only a keyframe helps."""
        self._highest: int | None = None
        self._restart_at: int | None = None
        self._stalled_since: float | None = None
        self._asked = float("-inf")
        self.lost = 0
        """Frames of which something arrived, but which were given up."""

    def add(self, packet: RtpPacket) -> tuple[bool, Frame | None]:
        """Whether to send a PLI now, and the frames that this packet completes. `packet._data` is a `Piece`."""
        number = self._unwrap(packet.sequence_number)
        if number is None or number in self._packets or (self._next is not None and number < self._next):
            return False, None  # not believed, twice, or too late
        self._highest = number if self._highest is None else max(number, self._highest)
        self._packets[number] = packet
        self._arrived[number] = self._clock()
        if len(self._packets) > self._capacity:
            self._give_up_before(self._highest)
            self._next = None
        frames = list(self._complete_frames())
        return self._wants_keyframe(), _bundle(frames)

    def _unwrap(self, sequence_number: int) -> int | None:
        """The number continued beyond 16 bits; None where it jumps, until its successor confirms (RFC 3550 A.1)."""
        if self._highest is None:
            return sequence_number
        ahead = (sequence_number - self._highest + 0x8000) % 0x10000 - 0x8000
        if abs(ahead) <= self._capacity:
            return self._highest + ahead
        if sequence_number == self._restart_at:
            self._give_up_before(self._highest + 1)
            self._next, self._highest = None, None
            return sequence_number
        self._restart_at = (sequence_number + 1) % 0x10000
        return None

    def needed_from(self) -> int | None:
        """The sequence number of the first packet that can still be shown; None where only a keyframe helps of which
        nothing is here."""
        first = self._awaited()
        return None if first is None else first % 0x10000

    # --- whole frames ------------------------------------------------------------------------------------------------
    def _complete_frames(self) -> Iterator[Frame]:
        while True:
            last = None if self._next is None else self._end_of_frame(self._next)
            if last is not None:
                if frame := self._take(last):
                    yield frame
            elif self._next is not None and not self._misses_packets(self._next):
                return  # still arriving
            elif not self._skip_to_keyframe():
                return

    def _end_of_frame(self, first: int) -> int | None:
        """The frame's last packet, when all of it is there; some senders set no marker, then the next frame tells."""
        number = first
        while (packet := self._packets.get(number)) is not None:
            if self._ends_frame(number):
                return number
            if number == first and not packet._data:  # type: ignore[attr-defined]
                return number  # padding between frames: a frame of nothing
            number += 1
        return None

    def _ends_frame(self, number: int) -> bool:
        packet, following = self._packets[number], self._packets.get(number + 1)
        return bool(packet.marker or (following and following.timestamp != packet.timestamp))

    def _take(self, last: int) -> Frame | None:
        """The frame from `_next` to `last`; None for padding, which carries no picture."""
        assert self._next is not None
        numbers = range(self._next, last + 1)
        packets = [self._packets.pop(number) for number in numbers]
        began = min([self._arrived.pop(number) for number in numbers])
        self._next, self._stalled_since = last + 1, None
        data = b"".join([packet._data for packet in packets])  # type: ignore[attr-defined]
        keyframe = any(map(_has_intra_slice, packets))
        return Frame(data, packets[0].timestamp, began, self._clock(), keyframe=keyframe) if data else None

    # --- losses ------------------------------------------------------------------------------------------------------
    def _awaited(self) -> int | None:
        """The first packet of the frame to come next, or of a keyframe of which something is here."""
        if self._next is not None:
            return self._next
        return min(filter(self._opens_keyframe, self._packets), default=None)

    def _misses_packets(self, first: int) -> bool:
        """Whether something is missing between `first` and the newest packet."""
        assert self._highest is not None
        return self._highest + 1 - first != sum(number >= first for number in self._packets)

    def _skip_to_keyframe(self) -> bool:
        """Gives up what came before the newest keyframe that is whole, if there is one.

        One pass, from the newest packet back: of packets that all open a keyframe which never ends, each one would else
        be followed to the end, 17 ms in all.
        """
        whole, intra, after = False, False, None
        for number in sorted(self._packets, reverse=True):
            ends = self._ends_frame(number)
            whole = ends or (whole and after == number + 1)
            # H.264's parameter sets alone make no keyframe: some encoders repeat them with other frames.
            intra = _has_intra_slice(self._packets[number]) or (intra and not ends)
            after = number
            if whole and intra and self._opens_keyframe(number):
                self._give_up_before(number)
                self._next = number
                return True
        return False

    def _opens_keyframe(self, number: int) -> bool:
        packet, before = self._packets[number], self._packets.get(number - 1)
        piece = packet._data  # type: ignore[attr-defined]
        if not isinstance(piece, Piece):
            return False  # padding
        # Without parameter sets in this packet the frame may have begun before; then its neighbour must tell.
        return piece.opens_keyframe or (
            piece.has_intra_slice and before is not None and before.timestamp != packet.timestamp
        )

    def _give_up_before(self, number: int) -> None:
        old = [n for n in self._packets if n < number]
        self.lost += len({self._packets[n].timestamp for n in old})
        for n in old:
            del self._packets[n], self._arrived[n]

    def _wants_keyframe(self) -> bool:
        """Whether a PLI is due: after a while where something is missing, soon where no keyframe is on its way."""
        first = self._awaited()
        if first is not None and not self._misses_packets(first):
            self._stalled_since = None
            return False
        now = self._clock()
        if self._stalled_since is None:
            self._stalled_since = now
        patience = PLI_AT_START if first is None else PLI_AFTER
        if now - self._stalled_since < patience or now - self._asked < PLI_INTERVAL:
            return False
        self._asked = now
        return True


def _has_intra_slice(packet: RtpPacket) -> bool:
    return getattr(packet._data, "has_intra_slice", False)  # type: ignore[attr-defined]  # padding is no Piece


def _bundle(frames: list[Frame]) -> Frame | None:
    """aiortc takes one frame a packet; the others travel in `later`."""
    if not frames:
        return None
    first, *first.later = frames
    return first
