"""Somebody who only sends video to a session (WHIP, RFC 9725): OBS, GStreamer, a browser. Nothing is sent back."""

from __future__ import annotations

from contextlib import suppress

from aiortc.mediastreams import MediaStreamError

from media_worker import one_way_sdp, sdp
from media_worker.peer import Peer
from media_worker.transform_track import TransformTrack
from protocol.internal import Role


class Publisher(Peer):
    """Takes the place of the session's other peer, as each one does: a session has one camera."""

    role = Role.PUBLISH
    _video_mid: str | None = None

    def _completed(self, offer: str) -> str:
        return one_way_sdp.with_h264_parameters(super()._completed(offer))

    def _read(self, offer: str) -> sdp.OfferSummary:
        read = one_way_sdp.read_published(offer)
        self._video_mid = read.video_mid
        return read.summary

    def _choose_media(self) -> None:
        """The one video that is sent is taken; sound, which nobody here listens to, is answered `inactive`."""
        for transceiver in self._pc.getTransceivers():
            taken = transceiver.kind == "video" and transceiver.mid == self._video_mid
            transceiver.direction = "recvonly" if taken else "inactive"

    def _use(self, track: TransformTrack) -> None:
        self._keep(self._take_frames(track))

    async def _take_frames(self, track: TransformTrack) -> None:
        """In the place of a sender: the track counts a frame, and tells of it, when the next one is asked for."""
        with suppress(MediaStreamError):
            while True:
                await track.recv()
