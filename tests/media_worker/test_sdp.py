from __future__ import annotations

import time

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from media_worker import sdp
from protocol.errors import BadSdp, Unsupported
from tests.interop import offers

FRAGMENT = """a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
m=video 9 UDP/TLS/RTP/SAVPF 0
a=mid:0
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw
a=end-of-candidates
"""


async def offer(*, video: str | None = "sendrecv", channel: bool = True) -> str:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    if video:
        pc.addTransceiver("video", direction=video)
    if channel:
        pc.createDataChannel("tryon")
    await pc.setLocalDescription(await pc.createOffer())
    text = pc.localDescription.sdp
    await pc.close()
    return text


async def test_offer_is_summed_up() -> None:
    summary = sdp.read_offer(await offer())
    assert (summary.sends_video, summary.has_data_channel, summary.max_message_size) == (True, True, 262144)
    assert not sdp.read_offer(await offer(video=None)).sends_video


async def test_offer_that_gives_nothing_is_refused() -> None:
    with pytest.raises(BadSdp, match="neither"):
        sdp.read_offer(await offer(video="recvonly", channel=False))


@pytest.mark.parametrize(
    "text", ["", "hello", "v=0", "v=0\r\nm=video", "v=0\r\nm=video x y z\r\n", "v=0\r\na=candidate:"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadSdp):
        sdp.read_offer(text)


async def test_too_many_candidates_are_refused() -> None:
    line = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    with pytest.raises(BadSdp, match="candidates"):
        sdp.read_offer(await offer() + line * 100)
    with pytest.raises(BadSdp, match="candidates"):
        sdp.read_fragment(line * 100)


async def test_start_bitrate_is_on_every_video_codec_once() -> None:
    answer = sdp.with_start_bitrate(await offer())
    fmtp = {line.split()[0]: line for line in answer.splitlines() if line.startswith("a=fmtp:")}
    assert answer.count("x-google-start-bitrate=1500") == 3, "VP8 and both H.264 profiles"
    assert "packetization-mode=1" in fmtp["a=fmtp:99"] and "x-google" in fmtp["a=fmtp:99"]
    assert "x-google" not in fmtp["a=fmtp:98"], "not on RTX"
    assert answer.endswith("\r\n") and "\n\n" not in answer


def test_fragment_is_read_with_mid_and_end() -> None:
    candidate, end = sdp.read_fragment(FRAGMENT)
    assert candidate is not None
    assert (candidate.ip, candidate.port, candidate.sdpMid, candidate.sdpMLineIndex) == ("192.0.2.1", 61764, "0", 0)
    assert end is None


def test_broken_candidate_is_refused() -> None:
    with pytest.raises(BadSdp, match="bad candidate"):
        sdp.read_fragment("a=candidate:what is this")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("a=fingerprint:", "a=x-fingerprint:"), "fingerprint"),
        (("a=max-message-size:262144", "a=max-message-size:1024"), "max-message-size"),
        (("a=max-message-size:262144", "a=max-message-size:-1"), "max-message-size"),
        (("m=video", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=video"), "more than one section"),
        (("m=video", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 16 + "m=video"), "media sections"),
        (("a=group:BUNDLE 0", "a=group:BUNDLE 7 0"), "bundles"),
        (("a=mid:1", "a=mid:0"), "same mid"),
    ],
)
async def test_offer_that_could_only_fail_later_is_refused(change: tuple[str, str], reason: str) -> None:
    text = await offer()
    if "max-message-size" not in text:
        text += "a=max-message-size:262144\r\n"
    with pytest.raises(BadSdp, match=reason):
        sdp.read_offer(text.replace(*change))


FLOODS = {
    "feedback for each of many codecs": "a=rtpmap:96 a/1\r\n" * 1500 + "a=rtcp-fb:* n\r\n" * 2000,  # 6 s, 300 MB
    "feedback": "a=rtcp-fb:* n\r\n" * 600,
    "streams": "".join(f"a=ssrc:{number} c:\r\n" for number in range(3000)),
    "formats": "".join(f"a=rtpmap:{number} a/1\r\n" for number in range(1500)) + "a=fmtp:1499 x\r\n" * 1500,
    "lines": "a=x\r\n" * 2000,
    "sections, by another line's end": "a=x\u2028m=audio 9 UDP/TLS/RTP/SAVPF 0" * 20,
    "candidates, by another line's end": "a=x\x0ba=candidate:1 1 udp 1 192.0.2.1 9 typ host" * 65,
    "extensions": "a=extmap:1 a\r\n" * 65,
    "digits": "a=ssrc:" + "9" * 5000 + " cname:x\r\n",
}


@pytest.mark.parametrize("name", FLOODS)
def test_offers_that_would_keep_the_loop_busy_are_refused(name: str) -> None:
    text = offers.offer("safari-18").replace("a=sendrecv\r\na=msid:camera picture", FLOODS[name] + "a=sendrecv", 1)
    started = time.process_time()
    with pytest.raises(BadSdp):
        sdp.read_offer(text)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("browser", offers.BROWSERS)
def test_every_browsers_offer_is_far_from_the_limits(browser: str) -> None:
    text = offers.offer(browser)
    assert sdp.read_offer(text).sends_video
    assert len(text.splitlines()) < sdp.MAX_LINES / 5
    for section in text.split("m=")[1:]:
        for name, most in sdp.MAX_OF_A_SECTION.items():
            assert section.count(f"a={name}:") <= most / 4


def test_the_end_is_heard_once() -> None:
    assert sdp.read_fragment("a=end-of-candidates\r\n" * 1000) == [None]


KNOWN = {"a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1"}


@pytest.mark.parametrize(
    "text",
    [
        FRAGMENT,
        FRAGMENT.replace("\n", "\r\n"),
        "",  # asks whether the connection is still held
        "a=ice-ufrag:\r\n",  # so does the page
        "a=ice-options:trickle ice2\na=group:BUNDLE 0 1\n" + FRAGMENT,
        "a=mid:0\na=end-of-candidates\n",
    ],
)
def test_fragments_of_the_ice_session_are_taken(text: str) -> None:
    sdp.check_fragment(text, KNOWN)


@pytest.mark.parametrize("text", ["hello", "v=0\r\n", "a=\r\n", "m=video\r\n", "{}", FRAGMENT + "and more"])
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(BadSdp):
        sdp.check_fragment(text, KNOWN)


@pytest.mark.parametrize("change", [("EsAw\na=ice-pwd", "ysXw\na=ice-pwd"), ("P2uYro0UCOQ4", "vw5LmwG4y/e6")])
def test_other_credentials_are_an_ice_restart_which_is_not_done(change: tuple[str, str]) -> None:
    with pytest.raises(Unsupported):
        sdp.check_fragment(FRAGMENT.replace(*change), KNOWN)


async def test_an_offer_that_names_every_transport_stays_as_it_is() -> None:
    text = await offer()
    assert sdp.with_bundled_transports(text) == text


def test_transports_are_shared_in_a_bundle_alone() -> None:
    first = "m=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:f\r\na=setup:actpass\r\n"
    offered = f"v=0\r\na=group:BUNDLE 0 1\r\n{first}m=video 9 X 96\r\na=mid:1"
    shared = "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:f\r\na=setup:actpass\r\n"
    assert sdp.with_bundled_transports(offered) == f"{offered}\r\n{shared}"
    apart = offered.replace("a=group:BUNDLE 0 1\r\n", "")
    assert sdp.with_bundled_transports(apart) == apart


NEAR, FAR = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", "a=candidate:2 1 udp 1 0f3c-9.local 9 typ host\r\n"


def test_addresses_that_may_not_be_named_are_left_out_and_so_is_the_end_of_the_list() -> None:
    text = f"v=0\r\n{NEAR}{FAR}a=end-of-candidates\r\na=mid:0\r\n"
    assert sdp.with_candidates_at(text, lambda address: address == "192.0.2.1") == f"v=0\r\n{NEAR}a=mid:0\r\n"
    assert sdp.with_candidates_at(text, lambda address: True) == text


@pytest.mark.parametrize(
    "line",
    [
        "a=candidate:2  1 udp 1 127.0.0.1 9 typ host",
        "a=candidate:2 1\tudp 1 127.0.0.1\t9 typ host",
        "a=candidate: 2 1 udp 1 127.0.0.1 9 typ host",
    ],
)
def test_no_spelling_gets_an_address_past(line: str) -> None:
    """aiortc takes them all."""
    (candidate,) = sdp.read_fragment(f"{line}\r\n")
    assert candidate is not None and candidate.ip == "127.0.0.1"
    assert sdp.with_candidates_at(f"v=0\r\n{line}\r\n", lambda address: address != "127.0.0.1") == "v=0\r\n"
