from __future__ import annotations

import random
import time

import av
import numpy as np
import pytest
from aiortc.codecs import get_decoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker import jitter, payloads
from tests.media_worker.packets import H264, TICKS, VP8, Clip, Receiver, clip, packet, picture

both = pytest.mark.parametrize("codec", [H264, VP8], ids=lambda codec: codec.name)


def lossy(whole: Clip, *lost: int) -> list[int]:
    """Indices of the packets that arrive."""
    return [index for index in range(len(whole.packets)) if index not in lost]


def middle(whole: Clip, frame: int) -> int:
    """A packet in the middle of a frame."""
    indices = whole.of(frame)
    assert len(indices) > 2
    return indices[len(indices) // 2]


@both
def test_a_frame_is_handed_on_with_its_marker(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    for number in range(len(whole.frames)):
        *others, last = whole.of(number)
        assert len(receiver.take([whole.packets[i] for i in others])) == number, "not before it is complete"
        assert receiver.take([whole.packets[last]]) == whole.frames[: number + 1], "at once when it is"
        frame = receiver.frames[-1]
        assert frame.complete_at == receiver.now
        assert frame.first_at == pytest.approx(receiver.now - 0.002 * len(others))
    assert receiver.plis == []


@both
def test_without_markers_the_next_frame_tells(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    for each in whole.packets:
        each.marker = 0
    assert receiver.take(whole.packets) == whole.frames[:-1]


@both
def test_what_is_handed_on_decodes_to_the_picture_that_was_sent(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    receiver.take([whole.packets[i] for i in lossy(whole, middle(whole, 2))])
    decoder = get_decoder(codec)
    for frame in receiver.frames:
        (decoded,) = decoder.decode(frame)
        assert isinstance(decoded, av.VideoFrame)
        sent = picture(frame.timestamp // TICKS).to_ndarray()[:240]
        columns = decoded.to_ndarray()[:240].mean(axis=0) - sent.mean(axis=0)  # without the noise
        assert np.abs(columns).mean() < 3
    assert [frame.timestamp // TICKS for frame in receiver.frames] == [0, 1, *range(6, 12)]


@both
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), window=st.integers(2, 60))
def test_any_order_within_a_window_gives_every_frame_in_order(
    codec: RTCRtpCodecParameters, seed: int, window: int
) -> None:
    """Later keyframes would let it skip ahead, so there is none."""
    whole, receiver = clip(codec, keyframes=(0,)), Receiver()
    late = random.Random(seed)
    order = sorted(range(len(whole.packets)), key=lambda index: index + late.uniform(0, window))
    assert receiver.take([whole.packets[i] for i in order], apart=0.0005) == whole.frames
    assert receiver.plis == []


@both
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_happens_frames_are_whole_in_order_and_have_their_references(
    codec: RTCRtpCodecParameters, data: st.DataObject
) -> None:
    """Loss, duplicates and any order: every frame is bit-exact, once, and follows its predecessor or is a keyframe."""
    keyframes = (0, 4, 9)
    whole, receiver = clip(codec, keyframes=keyframes), Receiver()
    indices = data.draw(st.lists(st.integers(0, len(whole.packets) - 1), max_size=2 * len(whole.packets)))
    handed_on = receiver.take([whole.packets[i] for i in indices])
    numbers = [frame.timestamp // TICKS for frame in receiver.frames]
    assert handed_on == [whole.frames[number] for number in numbers]
    previous = None
    for number in numbers:
        assert number in keyframes or number - 1 == previous
        assert previous is None or number > previous
        previous = number


@both
def test_what_is_needed_begins_with_the_frame_that_comes_next(codec: RTCRtpCodecParameters) -> None:
    whole, buffer = clip(codec), jitter.JitterBuffer()
    assert buffer.needed_from() is None
    for index in (*whole.of(0), *whole.of(1)):
        buffer.add(whole.packets[index])
    assert buffer.needed_from() == whole.packets[whole.of(2)[0]].sequence_number


@both
def test_a_retransmission_fills_the_gap_and_all_that_waited_comes_at_once(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec, keyframes=(0,)), Receiver()
    gap = middle(whole, 3)
    assert receiver.take([whole.packets[i] for i in lossy(whole, gap)], apart=0.0001) == whole.frames[:3]
    assert receiver.take([whole.packets[gap]]) == whole.frames
    assert receiver.plis == []
    assert [f.timestamp for f in receiver.frames] == [n * TICKS for n in range(12)]


@both
def test_a_lost_frame_leads_to_requests_for_a_keyframe_at_a_limited_rate(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec, count=60, keyframes=(0,)), Receiver()
    apart = 2.0 / len(whole.packets)  # 60 frames in two seconds
    arriving = [whole.packets[i] for i in lossy(whole, middle(whole, 3))]
    assert receiver.take(arriving, apart) == whole.frames[:3], "nothing whose references are lost"
    gap_at = 100.0 + apart * middle(whole, 3)
    assert receiver.plis[0] == pytest.approx(gap_at + jitter.PLI_AFTER, abs=0.05)
    waits = np.diff(receiver.plis)
    assert len(waits) > 1, "it goes on asking"
    assert np.all(waits >= jitter.PLI_INTERVAL - 1e-6)


@both
def test_a_keyframe_ends_the_wait(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    receiver.take([whole.packets[i] for i in lossy(whole, middle(whole, 2))])
    assert [f.timestamp // TICKS for f in receiver.frames] == [0, 1, *range(6, 12)]
    assert receiver.buffer.lost == 4
    assert receiver.take([whole.packets[middle(whole, 2)]])[2:] == whole.frames[6:], "too late is too late"


@both
def test_an_incomplete_keyframe_does_not(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    assert receiver.take([whole.packets[i] for i in lossy(whole, whole.of(2)[0], whole.of(6)[0])]) == whole.frames[:2]


@both
def test_a_stream_that_begins_in_the_middle_asks_soon_and_begins_with_a_keyframe(
    codec: RTCRtpCodecParameters,
) -> None:
    whole, receiver = clip(codec), Receiver()
    receiver.take(whole.packets[whole.of(3)[1] :], apart=0.02)
    assert receiver.plis[0] == pytest.approx(100.02 + jitter.PLI_AT_START, abs=0.02)
    assert [f.timestamp // TICKS for f in receiver.frames] == list(range(6, 12))


@both
def test_numbers_and_timestamps_wrap(codec: RTCRtpCodecParameters) -> None:
    whole = clip(codec, first=65536 - 40, first_timestamp=(1 << 32) - 5 * TICKS)
    assert len(whole.packets) > 45
    receiver = Receiver()
    order = sorted(range(len(whole.packets)), key=lambda index: index ^ 3)
    assert receiver.take([whole.packets[i] for i in order]) == whole.frames


@both
def test_duplicates_and_late_packets_are_ignored(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    twice = [packet for packet in whole.packets for _ in range(2)]
    assert receiver.take(twice) == whole.frames
    assert receiver.take(whole.packets) == whole.frames


@both
def test_padding_between_and_within_frames_carries_nothing(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    padded = []
    for index, each in enumerate(whole.packets):
        padded.append(each)
        if index % 4 == 3:
            padded.append(packet(codec, 0, each.timestamp, b"", marker=False))
    for index, each in enumerate(padded):
        each.sequence_number = 500 + index
    assert receiver.take(padded) == whole.frames


@both
def test_a_sender_that_starts_anew_is_believed_at_the_second_packet(codec: RTCRtpCodecParameters) -> None:
    receiver = Receiver()
    receiver.take(clip(codec, first=1000).packets)
    again = clip(codec, keyframes=(0, 6), first=30000)
    assert receiver.take(again.packets[:1])[12:] == []
    assert receiver.take(again.packets[1:])[12:] == again.frames[6:]


@both
def test_one_packet_from_nowhere_changes_nothing(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    stray = packet(codec, 40000, 0, whole.packets[0].payload, marker=True)
    assert receiver.take([*whole.packets[:20], stray, *whole.packets[20:]]) == whole.frames


def test_what_waits_is_bounded() -> None:
    whole = clip(H264, count=60, keyframes=(0,))
    receiver = Receiver()
    receiver.buffer = jitter.JitterBuffer(64, clock=lambda: receiver.now)
    receiver.take([whole.packets[i] for i in lossy(whole, middle(whole, 3))])
    assert len(receiver.buffer._packets) <= 64
    assert receiver.buffer.lost > 0


def test_h264_keyframe_without_parameter_sets_of_its_own_needs_to_know_where_it_begins() -> None:
    whole = clip(H264)
    first, *_ = whole.of(6)
    assert whole.packets[first]._data.opens_keyframe  # type: ignore[attr-defined]
    receiver = Receiver()
    receiver.take([whole.packets[i] for i in lossy(whole, middle(whole, 2), first)])
    assert [f.timestamp // TICKS for f in receiver.frames] == [0, 1]


def test_keyframes_that_begin_and_never_end_cost_little() -> None:
    """Each packet opens a keyframe, and none is complete: following each one to the end took 17 ms a packet."""
    receiver = Receiver()
    flood = [packet(VP8, number, 0, bytes([0x10, 0x00, 1]), marker=False) for number in range(1, jitter.CAPACITY)]
    flood[0]._data = payloads.read(VP8, bytes([0x00, 0x00, 1]))  # type: ignore[attr-defined]
    began = time.process_time()
    assert receiver.take(flood) == []
    assert (time.process_time() - began) / len(flood) < 0.002


def test_parameter_sets_alone_do_not_make_a_keyframe() -> None:
    """Some encoders repeat them before frames that need others; such a picture was mostly green."""
    whole, receiver = clip(H264), Receiver()
    first = whole.packets[whole.of(3)[0]]
    parameters = next(each for each in whole.packets if each._data.opens_keyframe)  # type: ignore[attr-defined]
    repeated = payloads.Piece(parameters._data.split(payloads.START_CODE)[1] + first._data)  # type: ignore[attr-defined]
    repeated.opens_keyframe = True
    first._data = repeated  # type: ignore[attr-defined]
    receiver.take([whole.packets[i] for i in lossy(whole, middle(whole, 2))])
    assert [frame.timestamp // TICKS for frame in receiver.frames] == [0, 1, *range(6, 12)]
    assert [frame.keyframe for frame in receiver.frames] == [True, False, True, *[False] * 5]


@both
def test_frames_say_whether_they_are_keyframes(codec: RTCRtpCodecParameters) -> None:
    whole, receiver = clip(codec), Receiver()
    receiver.take(whole.packets)
    assert [number for number, frame in enumerate(receiver.frames) if frame.keyframe] == [0, 6]
