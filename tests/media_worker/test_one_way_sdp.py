from __future__ import annotations

import pytest

from media_worker import one_way_sdp, sdp
from media_worker.ice import IceOptions
from media_worker.peer import Peer
from media_worker.publisher import Publisher
from protocol.errors import Unsupported
from tests.media_worker.fakes import session

RFC_9725 = """v=0
o=- 5228595038118931041 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=ice-options:trickle ice2
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y
a=fingerprint:sha-256 DA:7B:57:DC:28:CE:04:4F:31:79:85:C4:31:67:EB:27:58:29:ED:77:2A:0D:24:AE:ED:AD:30:BC:BD:F1:9C:02
a=setup:actpass
a=mid:0
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:d46fb922-d52a-4e9c-aa87-444eadc1521b ce326ecf-a081-453a-8f9f-0605d5ef4128
a=rtcp-mux
a=rtcp-mux-only
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
m=video 0 UDP/TLS/RTP/SAVPF 96 97
a=mid:1
a=bundle-only
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=sendonly
a=msid:d46fb922-d52a-4e9c-aa87-444eadc1521b 3956b460-40f4-4d05-acef-03abcdd8c6fd
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
""".replace("\n", "\r\n")
"""The offer of the RFC's own example (§4.2), which names its transport in the first section alone."""

WATCHING = RFC_9725.replace("a=sendonly", "a=recvonly")


def whole(text: str) -> str:
    return sdp.with_bundled_transports(text)


def test_the_section_that_carries_the_video_is_found() -> None:
    assert one_way_sdp.read_published(whole(RFC_9725)).video_mid == "1"
    assert one_way_sdp.read_published(whole(RFC_9725.replace("sendonly", "sendrecv"))).video_mid == "1"
    assert one_way_sdp.read_watched(whole(WATCHING)).video_mid == "1"
    assert one_way_sdp.read_watched(whole(WATCHING.replace("recvonly", "sendrecv"))).video_mid == "1"


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
def test_a_publisher_that_does_not_send_is_refused(direction: str) -> None:
    with pytest.raises(Unsupported, match="sends 0 video"):
        one_way_sdp.read_published(whole(RFC_9725.replace("sendonly", direction)))


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_viewer_that_does_not_receive_is_refused(direction: str) -> None:
    with pytest.raises(Unsupported, match="receives 0 video"):
        one_way_sdp.read_watched(whole(RFC_9725.replace("sendonly", direction)))


def section(kind: str) -> str:
    start = RFC_9725.index(f"m={kind}")
    return RFC_9725[start : RFC_9725.find("m=video", start + 1) if kind == "audio" else None]


@pytest.mark.parametrize(("kind", "reason"), [("video", "2 video tracks"), ("audio", "more than one audio")])
def test_no_more_tracks_of_a_kind_than_one(kind: str, reason: str) -> None:
    more = section(kind).replace("a=mid:0", "a=mid:2").replace("a=mid:1", "a=mid:2")
    text = RFC_9725.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + more
    with pytest.raises(Unsupported, match=reason):
        one_way_sdp.read_published(whole(text))
    assert one_way_sdp.read_published(whole(text.replace(more, more.replace("sendonly", "inactive"))))


async def test_h264_without_parameters_is_taken_for_what_it_is() -> None:
    text = RFC_9725.replace("96 VP8/90000", "96 H264/90000")
    assert one_way_sdp.with_h264_parameters(RFC_9725) == RFC_9725
    known = text.replace("a=rtcp-fb:96 nack\r\n", "a=fmtp:96 packetization-mode=1\r\n")
    assert one_way_sdp.with_h264_parameters(known) == known
    peer = Publisher(session(), IceOptions())
    try:
        assert "a=rtpmap:96 H264/90000" in await peer.answer(text)
    finally:
        await peer.close(None)


@pytest.mark.parametrize(("setup", "ours"), [("actpass", "active"), ("active", "passive"), ("passive", "active")])
async def test_the_rfcs_own_offer_is_answered_in_every_dtls_role(setup: str, ours: str) -> None:
    peer = Publisher(session(), IceOptions())
    try:
        answer = await peer.answer(RFC_9725.replace("actpass", setup))
    finally:
        await peer.close(None)
    _, audio, video = answer.split("m=")
    assert "a=inactive" in audio and "a=recvonly" in video
    for part in (audio, video):
        assert f"a=setup:{ours}\r\n" in part
        assert "a=rtcp-mux\r\na=rtcp-mux-only\r\n" in part
        assert "a=end-of-candidates" in part, "the answer has all candidates"
    assert "a=group:BUNDLE 0 1" in answer


async def test_a_page_may_name_its_transport_once_as_well() -> None:
    peer = Peer(session(), IceOptions())
    try:
        assert "a=rtcp-mux-only" in await peer.answer(RFC_9725)
    finally:
        await peer.close(None)
