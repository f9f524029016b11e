"""What Lacquer relies on inside aiortc. A failure here after an upgrade says which seam moved."""

from __future__ import annotations

import asyncio
import fractions
import gc
import inspect
import re
import threading

import aioice.ice
import aiortc
import av
import numpy as np
import pytest
from aiortc import RTCRtpReceiver, rtcpeerconnection, rtcrtpreceiver, rtcrtpsender
from aiortc.codecs import get_decoder
from aiortc.codecs.h264 import H264Decoder, h264_depayload
from aiortc.codecs.vpx import Vp8Decoder, vp8_depayload
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import AimdRateControl, RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpRouter
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcsctptransport import RTCSctpTransport
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket
from av.video.codeccontext import VideoCodecContext

from media_worker import codecs, dtls_ciphers, nacks, payloads, rate_control, receiving, sending, stage_times
from media_worker.bench.light_client import Meter
from media_worker.capture_clock import NTP_EPOCH, CaptureClock
from media_worker.retransmissions import HISTORY

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)


def test_this_is_the_version_the_seams_were_read_in() -> None:
    assert aiortc.__version__.startswith("1.16.")


def test_sender_takes_its_encoder_from_the_name_that_install_replaces() -> None:
    assert "get_encoder" in rtcrtpsender.RTCRtpSender._next_encoded_frame.__code__.co_names
    codecs.install()
    replaced = vars(rtcrtpsender)["get_encoder"]
    assert isinstance(replaced(H264), codecs.LiveH264Encoder)
    assert isinstance(replaced(VP8), codecs.LiveVp8Encoder)
    assert not isinstance(replaced(OPUS), codecs.LiveH264Encoder | codecs.LiveVp8Encoder)


def test_decoders_and_encoders_come_from_the_names_that_stage_times_replaces() -> None:
    assert "get_decoder" in rtcrtpreceiver.decoder_worker.__code__.co_names
    stage_times.install()
    assert isinstance(vars(rtcrtpreceiver)["get_decoder"](VP8), stage_times.TimedDecoder)
    assert isinstance(vars(rtcrtpsender)["get_encoder"](VP8), stage_times.TimedEncoder)


@pytest.mark.parametrize("codec", [H264, VP8])
def test_decoders_open_with_their_first_frame_and_one_thread(codec: RTCRtpCodecParameters) -> None:
    decoder = codecs.live_decoder(codec)
    assert isinstance(decoder, H264Decoder | Vp8Decoder)
    assert not decoder.codec.is_open
    depayload = h264_depayload if codec is H264 else vp8_depayload
    payloads, timestamp = codecs.live_encoder(codec).encode(frame(0))
    assert decoder.decode(JitterFrame(b"".join(map(depayload, payloads)), timestamp))
    assert decoder.codec.thread_count == 1


def test_a_sender_asks_for_the_next_frame_when_the_last_one_has_left() -> None:
    """TransformTrack takes the call of `recv` for the end of sending: one task receives, encodes and sends in turn."""
    names = rtcrtpsender.RTCRtpSender._run_rtp.__code__.co_names
    assert names.index("_next_encoded_frame") < names.index("_send_rtp")
    assert "recv" in rtcrtpsender.RTCRtpSender._next_encoded_frame.__code__.co_names


def test_frames_carry_a_journey_through_encoders_each_for_itself() -> None:
    """PyAV's `opaque`; frames that carry one object would lose it together."""
    journey = stage_times.Journey()
    pictures = [frame(0), frame(1)]
    for picture in pictures:
        stage_times.hang(journey, picture)
    codecs.live_encoder(H264).encode(pictures[0])
    pictures.pop()
    gc.collect()
    assert stage_times.journey_of(pictures[0]) is journey


async def test_transports_hand_sender_reports_to_the_method_that_capture_clock_listens_to() -> None:
    assert "_handle_rtcp_packet" in RTCDtlsTransport._handle_rtcp_data.__code__.co_names
    pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    receiver, clock = pc.addTransceiver("video").receiver, CaptureClock()
    clock.listen(receiver)
    info = RtcpSenderInfo(ntp_timestamp=(NTP_EPOCH + 7) << 32, rtp_timestamp=9, packet_count=1, octet_count=1)
    await receiver._handle_rtcp_packet(RtcpSrPacket(ssrc=1, sender_info=info))
    assert clock.captured_at(9) == 7
    await pc.close()


def test_transports_are_made_from_the_names_that_datagrams_replaces() -> None:
    assert (
        "RTCDtlsTransport"
        in vars(aiortc.RTCPeerConnection)["_RTCPeerConnection__createDtlsTransport"].__code__.co_names
    )
    assert "StunProtocol(self)" in inspect.getsource(aioice.ice.Connection)
    assert "data_received" in aioice.ice.StunProtocol.datagram_received.__code__.co_names
    received = aioice.ice.Connection.data_received.__code__
    assert {"_queue", "put_nowait"} <= set(received.co_names)
    names = set(RTCDtlsTransport._recv_next.__code__.co_names)
    assert {"_recv", "bio_write", "recv", "_write_ssl", "_handle_data", "_handle_rtp_data", "unprotect"} <= names
    assert {f"_RTCDtlsTransport__{name}" for name in ("handshake_done", "rx_bytes", "rx_packets")} <= names
    assert {"route_rtp", "_handle_rtp_packet"} <= set(RTCDtlsTransport._handle_rtp_data.__code__.co_names)
    read = re.findall(r"extensions\.(\w+)", inspect.getsource(rtcrtpreceiver) + inspect.getsource(RtpRouter))
    assert set(read) == {"abs_send_time"}, "of header extensions"
    assert "sendto" in aioice.ice.StunProtocol.send_data.__code__.co_names
    assert not inspect.iscoroutinefunction(asyncio.DatagramTransport.sendto)


def test_connections_gather_and_answer_by_the_methods_that_ice_replaces() -> None:
    connection = aioice.ice.Connection
    assert "self.get_component_candidates(component=component, addresses=addresses)" in inspect.getsource(
        connection.gather_candidates
    )
    gathering = inspect.signature(connection.get_component_candidates)
    assert list(gathering.parameters) == ["self", "component", "addresses", "timeout"]
    inside = set(connection.get_component_candidates.__code__.co_names)
    assert {"relayed_candidate", "server_reflexive_candidate", "create_datagram_endpoint", "_protocols"} <= inside
    assert list(inspect.signature(aioice.ice.server_reflexive_candidate).parameters) == ["protocol", "stun_server"]
    servers = {"turn_server", "turn_username", "turn_password", "turn_ssl", "turn_transport"}
    relayed = inspect.signature(aioice.ice.relayed_candidate).parameters
    assert set(relayed) == {"component", "hide_related_address", "protocol_factory"} | servers
    # Of the module: other tests may have put our own methods into its classes.
    assert "self.receiver.request_received(message, addr, self)" in inspect.getsource(aioice.ice)
    assert "iceGatherer" in vars(aiortc.RTCIceTransport), "of which each has a connection"
    assert "_connection" in aiortc.RTCIceGatherer.gather.__code__.co_names


def test_transports_count_their_packets() -> None:
    assert callable(RTCDtlsTransport._get_stats)


def frame(number: int, width: int = 640, height: int = 480) -> av.VideoFrame:
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    planes = np.tile(np.roll(ramp, number * 3), (height * 3 // 2, 1))
    picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    picture.pts, picture.time_base = number * 3000, fractions.Fraction(1, 90000)
    return picture


def test_h264_is_constrained_baseline_and_decodes() -> None:
    encoder, decoder = codecs.live_encoder(H264), get_decoder(H264)
    decoded: list[av.VideoFrame] = []
    for number in range(10):
        payloads, timestamp = encoder.encode(frame(number))
        assert timestamp == number * 3000
        data = b"".join(h264_depayload(payload) for payload in payloads)
        if number == 0:
            sps = data.index(b"\x67")
            assert data[sps + 1] == 66, "profile_idc of Baseline"
        decoded += [f for f in decoder.decode(JitterFrame(data, timestamp)) if isinstance(f, av.VideoFrame)]
    assert len(decoded) == 10, "zerolatency: a frame in, a frame out"
    error = np.abs(decoded[-1].to_ndarray().astype(int) - frame(9).to_ndarray())[:480].mean()
    assert error < 4


def test_h264_keyframe_on_request_and_not_by_itself() -> None:
    encoder = codecs.live_encoder(H264)
    kinds = []
    for number in range(40):
        payloads, _ = encoder.encode(frame(number), force_keyframe=number == 30)
        data = b"".join(h264_depayload(payload) for payload in payloads)
        kinds.append(b"\x00\x00\x01\x65" in data or b"\x00\x00\x00\x01\x65" in data)
    assert [i for i, keyframe in enumerate(kinds) if keyframe] == [0, 30]


def noisy(number: int) -> av.VideoFrame:
    """A picture that takes all the bits there are."""
    picture = frame(number)
    planes = picture.to_ndarray()
    planes[:480] += np.random.default_rng(number).integers(0, 40, (480, 640), dtype=np.uint8)
    crowded = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    crowded.pts, crowded.time_base = picture.pts, picture.time_base
    return crowded


def test_h264_changes_its_bitrate_while_it_runs() -> None:
    """Each time within a second. x264 can only where it began with a constant bitrate, and below that."""
    encoder = codecs.LiveH264Encoder()
    bits: list[int] = []
    first = None
    for bitrate in (1_000_000, 600_000, 900_000):
        encoder.target_bitrate = bitrate
        for number in range(60):
            payloads, _ = encoder.encode(noisy(len(bits)))
            bits.append(8 * sum(map(len, payloads)))
            first = first or encoder.codec
            assert number < 59 or sum(bits[-30:]) == pytest.approx(bitrate, rel=0.15)
    assert encoder.codec is first, "not built anew, so no keyframe"


def test_h264_is_built_anew_for_another_size_or_a_bitrate_beyond_its_buffer_model() -> None:
    encoder = codecs.LiveH264Encoder()
    encoder.encode(frame(0))
    first = encoder.codec
    encoder.target_bitrate = int(rate_control.START * codecs.IN_PLACE[0] * 0.9)
    encoder.encode(frame(1))
    assert encoder.codec is not first
    encoder.encode(frame(2, 320, 240))
    assert encoder.codec is not None
    assert (encoder.codec.width, encoder.codec.height) == (320, 240)


def test_x264_takes_its_options_and_searches_harder_where_bits_are_short() -> None:
    """It writes them into the first frame (SEI); FFmpeg only warns of options that it does not know."""
    for bitrate, width, quantizers in ((1_500_000, 640, b"aq=0"), (400_000, 640, b"aq=1:"), (400_000, 320, b"aq=1:")):
        encoder = codecs.LiveH264Encoder()
        encoder.target_bitrate = bitrate
        first = b"".join(encoder.encode(frame(0, width, width * 3 // 4))[0])
        assert quantizers in first, "chosen block by block where bits are short"
        assert b"cabac=0" in first
        assert b"deblock=1:" in first, "without it, blocks show"


def test_vp8_is_of_profile_1() -> None:
    first = vp8_depayload(codecs.LiveVp8Encoder().encode(frame(0))[0][0])
    assert first[0] >> 1 & 7 == 1, "version in the frame tag (RFC 6386 §9.1)"


async def test_senders_are_ours_and_override_what_aiortc_calls() -> None:
    sending.install()
    pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    sender = pc.addTransceiver("video").sender
    assert isinstance(sender, sending.LiveSender)
    await pc.close()
    private = {name for name in sending.LiveSender.__annotations__ if name.startswith("_RTCRtpSender__")}
    assert "_RTCRtpSender__rtp_history" in private
    assert private <= set(vars(sender)), "what `_run_rtp` needs"
    stock = rtcrtpsender.RTCRtpSender
    assert "_run_rtp" in stock.send.__code__.co_names
    assert "RTP_HISTORY_SIZE" in stock._retransmit.__code__.co_names
    assert vars(rtcrtpsender)["RTP_HISTORY_SIZE"] == HISTORY
    assert "_next_encoded_frame" in stock._run_rtp.__code__.co_names
    assert "_send_rtcp" in stock._run_rtcp.__code__.co_names
    assert {"_retransmit", "_send_keyframe"} <= set(stock._handle_rtcp_packet.__code__.co_names)
    assert "_handle_rtcp_packet" in RTCDtlsTransport._handle_rtcp_data.__code__.co_names
    assert "RtcpSrPacket" in stock._run_rtcp.__code__.co_names
    assert {"clock", "current_ntp_time"} <= set(stock._run_rtp.__code__.co_names)


def test_receivers_take_their_parts_from_the_names_that_install_replaces() -> None:
    receiver = rtcrtpreceiver.RTCRtpReceiver
    assert {"JitterBuffer", "NackGenerator", "RemoteBitrateEstimator"} <= set(receiver.__init__.__code__.co_names)
    assert "depayload" in receiver._handle_rtp_packet.__code__.co_names
    assert {"decoder_worker", "threading", "Thread"} <= set(receiver.receive.__code__.co_names)
    names = [name for name in vars(threading) if f"threading.{name}(" in inspect.getsource(rtcrtpreceiver)]
    assert sorted(names) == ["Event", "Thread"], "all that `install` has to give instead"
    receiving.install()
    assert vars(rtcrtpreceiver)["depayload"] is payloads.read
    assert "unwrap_rtx" in receiver._handle_rtp_packet.__code__.co_names
    assert vars(rtcrtpreceiver)["unwrap_rtx"] is nacks.unwrap


async def test_receivers_are_ours_and_their_generator_is_where_it_is_looked_for() -> None:
    receiving.install()
    pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    receiver = pc.addTransceiver("video").receiver
    await pc.close()
    assert isinstance(receiver, receiving.LiveReceiver)
    assert isinstance(vars(receiver)["_RTCRtpReceiver__nack_generator"], nacks.NackGenerator)


def test_an_estimator_takes_the_rate_control_it_is_given() -> None:
    assert "rate_control" in RemoteBitrateEstimator.add.__code__.co_names
    for name in ("_multiplicative_rate_increase", "_clamp_bitrate"):
        assert name in AimdRateControl.update.__code__.co_names


def test_vp8_is_always_our_codec_and_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large changes of the bitrate build it anew, small ones wait."""
    ours: list[object] = []
    opened = codecs.LiveVp8Encoder._open

    def noted(encoder: codecs.LiveVp8Encoder, width: int, height: int) -> VideoCodecContext:
        ours.append(codec := opened(encoder, width, height))
        return codec

    monkeypatch.setattr(codecs.LiveVp8Encoder, "_open", noted)
    encoder, decoder = codecs.LiveVp8Encoder(), get_decoder(VP8)
    decoded: list[av.VideoFrame] = []
    sizes = {10: (320, 240), 15: (640, 480)}
    width, height = 640, 480
    for number in range(20):
        width, height = sizes.get(number, (width, height))
        encoder.target_bitrate = 500_000 if number < 3 else 700_000 if number < 5 else 800_000
        payloads, timestamp = encoder.encode(frame(number, width, height), force_keyframe=number == 7)
        assert encoder.codec is ours[-1]
        assert encoder.codec is not None
        assert encoder.codec.bit_rate == (500_000 if number < 5 else 800_000)
        data = b"".join(vp8_depayload(payload) for payload in payloads)
        assert (data[0] & 1 == 0) == (number in (0, 5, 7, 10, 15)), "a keyframe when asked, or when something changed"
        decoded += [f for f in decoder.decode(JitterFrame(data, timestamp)) if isinstance(f, av.VideoFrame)]
    assert len(decoded) == 20
    assert (decoded[12].width, decoded[12].height) == (320, 240)
    assert np.abs(decoded[-1].to_ndarray().astype(int) - frame(19).to_ndarray())[:480].mean() < 4


def test_receivers_get_their_packets_where_the_bench_counts_them() -> None:
    """`media_worker/bench/light_client.py` puts itself in the place of this method, and reports in its stead."""
    transport = RTCDtlsTransport._handle_rtp_data.__code__
    assert "_handle_rtp_packet" in transport.co_names
    taken = inspect.signature(RTCRtpReceiver._handle_rtp_packet)
    assert list(taken.parameters) == ["self", "packet", "arrival_time_ms"]
    assert inspect.signature(Meter.take).parameters.keys() == taken.parameters.keys()
    assert callable(RTCDtlsTransport._send_rtp)


def test_associations_are_made_by_the_name_that_install_replaces_and_hand_chunks_to_what_is_overridden() -> None:
    made = rtcpeerconnection.RTCPeerConnection._RTCPeerConnection__createSctpTransport  # type: ignore[attr-defined]
    assert "RTCSctpTransport" in made.__code__.co_names
    names = RTCSctpTransport._receive_chunk.__code__.co_names
    assert {"_receive_data_chunk", "_receive_sack_chunk"} <= set(names)
    assert "_get_inbound_stream" in RTCSctpTransport._receive_data_chunk.__code__.co_names
    assert "_get_inbound_stream" in RTCSctpTransport._receive_forward_tsn_chunk.__code__.co_names


def test_aioice_knows_what_strangers_are_told_from_peers_by() -> None:
    assert {"_check_list", "_queue"} <= set(aioice.ice.Connection.__init__.__code__.co_names)
    assert "transactions" in aioice.ice.StunProtocol.__init__.__code__.co_names
    assert "_handle_rtcp_data" in RTCDtlsTransport._recv_next.__code__.co_names


def test_dtls_sets_the_ciphers_that_ours_are_added_to() -> None:
    source = inspect.getsource(RTCDtlsTransport.start)
    assert "_create_ssl_context(" in source
    assert dtls_ciphers.CIPHERS in dtls_ciphers._create_ssl_context.__code__.co_consts


def test_a_sender_asks_its_track_through_what_encoded_tracks_replace() -> None:
    """LiveSender gives EncodedTracks to viewers: aiortc must get its frames, and send its keyframe requests, there."""
    names = rtcrtpsender.RTCRtpSender._run_rtp.__code__.co_names
    assert "_next_encoded_frame" in names
    assert "_send_keyframe" in rtcrtpsender.RTCRtpSender._handle_rtcp_packet.__code__.co_names
    assert "replaceTrack" in dir(rtcrtpsender.RTCRtpSender)
