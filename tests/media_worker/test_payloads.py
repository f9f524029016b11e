from __future__ import annotations

import pytest

from media_worker import payloads
from tests.media_worker.packets import H264, VP8, clip

STAP_A = bytes([24, 0, 2, 0x67, 66, 0, 2, 0x68, 1])
"""A sequence parameter set and a picture parameter set."""


def test_pieces_say_where_keyframes_begin() -> None:
    for codec in (H264, VP8):
        whole = clip(codec, count=6, keyframes=(0, 4))
        opening = [i for i, each in enumerate(whole.packets) if each._data.opens_keyframe]  # type: ignore[attr-defined]
        assert opening == [whole.starts[0], whole.starts[4]]


def test_pieces_are_what_the_decoder_needs() -> None:
    whole = clip(H264, count=2, keyframes=(0,))
    pieces = [each._data for each in whole.packets]  # type: ignore[attr-defined]
    assert b"".join(pieces) == b"".join(whole.frames)


@pytest.mark.parametrize(
    ("payload", "opens", "intra"),
    [
        (STAP_A, True, False),
        (bytes([0x65, 0x88, 1]), False, True),  # single unit, first_mb_in_slice 0
        (bytes([0x65, 0x40, 1]), False, False),  # a later slice of the same picture
        (bytes([0x7C, 0x85, 0x88, 1]), False, True),  # first part of an FU-A
        (bytes([0x7C, 0x05, 0x88, 1]), False, False),  # middle of an FU-A
        (bytes([0x41, 0x9A, 1]), False, False),  # an ordinary slice
    ],
)
def test_h264_units(payload: bytes, opens: bool, intra: bool) -> None:
    piece = payloads.read(H264, payload)
    assert (piece.opens_keyframe, piece.has_intra_slice) == (opens, intra)


@pytest.mark.parametrize(
    ("payload", "opens"),
    [
        (bytes([0x10, 0x00, 1]), True),
        (bytes([0x10, 0x01, 1]), False),  # no keyframe
        (bytes([0x00, 0x00, 1]), False),  # no beginning
        (bytes([0x11, 0x00, 1]), False),  # beginning of the second partition
    ],
)
def test_vp8_descriptors(payload: bytes, opens: bool) -> None:
    assert payloads.read(VP8, payload).opens_keyframe is opens


@pytest.mark.parametrize(("codec", "payload"), [(H264, b"\x1d\x00\x00"), (H264, b"\x18\x00\x09\x67"), (VP8, b"")])
def test_what_a_codec_does_not_allow_is_a_value_error(codec: object, payload: bytes) -> None:
    with pytest.raises(ValueError):
        payloads.read(codec, payload)  # type: ignore[arg-type]
