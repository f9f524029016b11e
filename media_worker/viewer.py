"""Somebody who only watches a session (WHEP, draft-ietf-wish-whep): gets the processed picture, and sends nothing."""

from __future__ import annotations

import asyncio

from aiortc import MediaStreamTrack, RTCDataChannel

from media_worker import one_way_sdp, sdp
from media_worker.peer import WATCH_INTERVAL, Peer
from media_worker.viewers import ViewerTrack
from protocol.errors import NoPublisher
from protocol.internal import Role


class Viewer(Peer):
    kind = "viewer"
    role = Role.WATCH
    _video_mid: str | None = None
    _picture: ViewerTrack | None = None

    def _completed(self, offer: str) -> str:
        return one_way_sdp.with_h264_parameters(super()._completed(offer))

    def _read(self, offer: str) -> sdp.OfferSummary:
        read = one_way_sdp.read_watched(offer)
        self._video_mid = read.video_mid
        return read.summary

    async def _attach(self) -> None:
        """Holds no slot, and keeps no engine alive. Raises NoPublisher, AtCapacity, and why the session is over."""
        self.session.viewers.admit(self)
        self._keep(self._watch_publisher())

    async def _detach(self) -> None:
        if self._picture:
            self._picture.stop()
        self.session.viewers.dismiss(self)

    def _finished(self, answer: str) -> str:
        """Without hints for an encoder: a viewer sends nothing."""
        return answer

    def _choose_media(self) -> None:
        self._picture = ViewerTrack(self.session.viewers)
        for transceiver in self._pc.getTransceivers():
            if transceiver.kind == "video" and transceiver.mid == self._video_mid:
                transceiver.sender.replaceTrack(self._picture)
                transceiver.direction = "sendonly"
            else:
                transceiver.direction = "inactive"

    def _on_track(self, track: MediaStreamTrack) -> None:
        """A player may offer `sendrecv`; what it would send is answered away."""

    def _on_data_channel(self, data_channel: RTCDataChannel) -> None:
        data_channel.close()

    async def _watch_publisher(self) -> None:
        """A player whose connection ends asks again, and finds the session wherever it is by then."""
        while not self.session.viewers.abandoned:  # noqa: ASYNC110  # time passes, which is no event
            await asyncio.sleep(WATCH_INTERVAL)
        self._keep(self.close(NoPublisher()))
