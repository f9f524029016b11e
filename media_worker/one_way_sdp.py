"""Offers of those who only send video (WHIP, RFC 9725), or only watch it (WHEP). Pure text in, summary out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiortc.sdp import MediaDescription

from media_worker import sdp
from protocol.errors import Unsupported

SENDING, RECEIVING = ("sendonly", "sendrecv"), ("recvonly", "sendrecv")


@dataclass(frozen=True)
class OneWayOffer:
    summary: sdp.OfferSummary
    video_mid: str
    """Names the section that carries the video; all others are answered `inactive`."""


def read_published(text: str) -> OneWayOffer:
    """Raises BadSdp, or Unsupported for other than one video. RFC 9725 §4.2 and §4.4.2: a client sends, and no more
    tracks of a kind than one, or is told so, for half a session would mislead."""
    return _read(text, SENDING, "sends")


def read_watched(text: str) -> OneWayOffer:
    """Raises BadSdp, or Unsupported for other than one video (draft-ietf-wish-whep, single MediaStream)."""
    return _read(text, RECEIVING, "receives")


H264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


def with_h264_parameters(offer: str) -> str:
    """The offer with the usual parameters for H.264 that names none. GStreamer often writes it so where the stream has
    not begun: by the letter of RFC 6184 §8.1 that is one packet a slice, but it sends and takes fragments all the same.
    """
    lines = offer.splitlines()
    described = {match[1] for line in lines if (match := _FMTP.match(line))}
    added: list[str] = []
    for line in lines:
        added.append(line)
        if (match := _RTPMAP.match(line)) and match[1] not in described:
            added.append(f"a=fmtp:{match[1]} {H264}")
    return "\r\n".join([*added, ""])


_RTPMAP, _FMTP = re.compile(r"a=rtpmap:(\d+) H264/90000", re.IGNORECASE), re.compile(r"a=fmtp:(\d+) ")


def _read(text: str, directions: tuple[str, ...], does: str) -> OneWayOffer:
    description = sdp.parse_offer(text)
    active = [media for media in description.media if media.direction in directions]
    video = [media for media in active if media.kind == "video"]
    if len(video) != 1:
        raise Unsupported(f"the offer {does} {len(video)} video tracks; exactly one is taken here")
    if sum(media.kind == "audio" for media in active) > 1:
        raise Unsupported(f"the offer {does} more than one audio track")
    return OneWayOffer(sdp.summary(text, description), _mid(video[0]))


def _mid(media: MediaDescription) -> str:
    return str(media.rtp.muxId)
