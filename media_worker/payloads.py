"""What an RTP payload says about its frame, which aiortc's depayloaders do not keep: does a keyframe begin here?"""

from __future__ import annotations

import struct

from aiortc.codecs import depayload
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

START_CODE = b"\x00\x00\x00\x01"
"""What aiortc's depayloader writes before a NAL unit. Emulation prevention (H.264 §7.4.1) keeps it out of all else."""

INTRA_SLICE, PARAMETERS = 5, 7
"""NAL unit types (H.264 table 7-1): slice of an IDR picture, sequence parameter set."""


class Piece(bytes):
    """The part of a frame that one packet carries."""

    opens_keyframe = False
    """If this packet is of a keyframe, then its first: VP8's header says so, H.264's parameter sets come before."""
    has_intra_slice = False
    """A keyframe's picture surely begins in this packet. In H.264 that is its first slice (IDR); whether the frame
    begins here, too, its neighbours tell."""


def read(codec: RTCRtpCodecParameters, payload: bytes) -> Piece:
    """Takes the place of aiortc's `depayload`. Raises ValueError for a payload that its codec does not allow."""
    try:
        return _read(codec, payload)
    except (IndexError, struct.error) as error:
        raise ValueError(f"{codec.name} payload cut short") from error


def _read(codec: RTCRtpCodecParameters, payload: bytes) -> Piece:
    name = codec.name
    if name == "VP8":
        piece = Piece(vp8_depayload(payload))
        _read_vp8(piece, payload)
    elif name == "H264":
        piece = Piece(h264_depayload(payload))
        if piece.startswith(START_CODE):
            _read_h264(piece)
    else:
        piece = Piece(depayload(codec, payload))
    return piece


def opens_keyframe(codec: RTCRtpCodecParameters, payload: bytes) -> bool:
    """Whether a keyframe begins with this payload, which an encoder of ours has made."""
    return read(codec, payload).opens_keyframe


def _read_vp8(piece: Piece, payload: bytes) -> None:
    """RFC 7741 §4.2 and §4.3: S bit, first partition, and the frame tag's inverse key frame flag."""
    begins = payload[0] & 0x10 and not payload[0] & 0x07
    piece.opens_keyframe = piece.has_intra_slice = bool(begins and piece and not piece[0] & 1)


def _read_h264(piece: Piece) -> None:
    """RFC 6184 §5.6 to §5.8: a single unit, several in a STAP-A, or the first part of one in an FU-A."""
    for unit in piece.split(START_CODE)[1:]:
        kind = unit[0] & 0x1F if unit else 0
        piece.opens_keyframe |= kind == PARAMETERS
        # first_mb_in_slice is 0: ue(v) writes it as a single 1 bit
        piece.has_intra_slice |= kind == INTRA_SLICE and len(unit) > 1 and bool(unit[1] & 0x80)


def vp8_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height of a VP8 keyframe (RFC 6386 §9.1); None for other frames, which have the last one's."""
    if len(frame) < 10 or frame[0] & 1:
        return None
    width, height = struct.unpack_from("<HH", frame, 6)
    return width & 0x3FFF, height & 0x3FFF
