"""What strangers' bytes come to first, each as a function of bytes.

A target returns, or raises a LacquerError, which is an answer; anything else is a find.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

import aioice.stun
from aiortc.rtcsctptransport import parse_packet
from aiortc.rtp import HeaderExtensionsMap

from media_worker import datagrams, images, payloads, sdp
from protocol import framing, limits, messages, picture_files
from protocol.errors import LacquerError
from signaling import images as uploads
from tests.media_worker.packets import H264, VP8

Target = Callable[[bytes], None]


def header(data: bytes) -> None:
    """A binary message, as the channel takes it; what is accepted can be answered."""
    fields, payload = framing.unpack(data)
    if framing.is_chunk(fields):
        whole = framing.Reassembler().add(fields, payload)
        if whole is None:
            return
        fields, payload = whole
    frame = messages.parse_frame_header(fields)
    reply = messages.ProcessedFrameHeader(
        frame_number=frame.frame_number,
        timestamp=frame.timestamp,
        image_size=len(payload),
        format=messages.ImageFormat.JPEG,
        confidence=0.123,
        nails=20,
        processing_ms=1234.56,
    )
    framing.pack(reply.model_dump(mode="json"))


def text(data: bytes) -> None:
    """A text message; what is accepted can be said again."""
    parsed = messages.parse_text(data.decode(errors="surrogateescape"))
    parsed.model_dump_json()
    if isinstance(parsed, messages.CaptureRequest):
        framing.pack({"type": "capture", "request_id": parsed.request_id})


def offer(data: bytes) -> None:
    body = data.decode(errors="replace")[: limits.MAX_SDP_SIZE]
    summary = sdp.read_offer(sdp.with_bundled_transports(body))
    sdp.with_candidates_at(body, lambda address: address == "192.0.2.1")
    assert summary.max_message_size > limits.HEADER_SIZE


def fragment(data: bytes) -> None:
    body = data.decode(errors="replace")[: limits.MAX_SDP_SIZE]
    assert len(sdp.read_fragment(sdp.with_candidates_at(body, bool))) <= sdp.MAX_CANDIDATES + 1
    sdp.check_fragment(body, {"a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1"})


def picture(data: bytes) -> None:
    """A frame at the worker and an upload at signaling: both at once, for the same file may be either."""
    picture_files.read(data[:4096])
    with suppress(LacquerError):
        pixels = images.decode(data, max_pixels=limits.MAX_FRAME_PIXELS)
        assert pixels.shape[0] * pixels.shape[1] <= limits.MAX_FRAME_PIXELS
    kept = uploads.normalise(data, 128)
    assert max(kept.width, kept.height) <= 128
    assert uploads.inspect(kept.data) == kept


def packet(data: bytes) -> None:
    """A datagram, as each of the parsers that it may come to."""
    with suppress(ValueError, struct.error):  # what LiveProtocol takes for broken
        aioice.stun.parse_message(data)
    with suppress(ValueError, struct.error):
        parse_packet(data)
    with suppress(ValueError):
        parsed = datagrams.parse_rtp(data, HeaderExtensionsMap())
        for codec in (VP8, H264):
            with suppress(ValueError):
                piece = payloads.read(codec, parsed.payload)
                payloads.vp8_size(piece)


TARGETS: dict[str, Target] = {
    "headers": header,
    "texts": text,
    "offers": offer,
    "fragments": fragment,
    "pictures": picture,
    "packets": packet,
}


def run(target: Target, data: bytes) -> bool:
    """Whether the bytes were accepted."""
    try:
        target(data)
    except LacquerError as error:
        assert error.message and error.code != "internal_error"
        return False
    return True
