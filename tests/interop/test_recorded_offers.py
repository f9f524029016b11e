"""The server's answers to what phones' browsers offer, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from media_worker.ice import IceOptions
from media_worker.peer import Peer
from tests.interop.offers import BROWSERS, offer
from tests.media_worker.fakes import FakePipeline, session
from tests.rtc_client import RtcClient

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
BASELINE = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42"
HINTS = "x-google-start-bitrate=1500;x-google-min-bitrate=800"


@dataclass(frozen=True)
class Expected:
    """What must be answered: codecs in the order offered, `payload name fmtp`, and extensions by the offer's ids."""

    codecs: list[str]
    h264_first: list[str]
    """The same where the page prefers H.264, as ours does."""
    extensions: dict[int, str] = field(default_factory=dict)


EXPECTED = {
    "safari-14": Expected(
        ["98 H264 42e01f", "99 rtx 98", "100 VP8", "101 rtx 100"],
        ["98 H264 42e01f", "99 rtx 98", "100 VP8", "101 rtx 100"],
        {2: SEND_TIME, 4: MID},
    ),
    "safari-18": Expected(
        ["98 H264 42e01f", "99 rtx 98", "106 VP8", "107 rtx 106"],
        ["98 H264 42e01f", "99 rtx 98", "106 VP8", "107 rtx 106"],
        {2: SEND_TIME, 9: MID},
    ),
    "chrome-android-63": Expected(
        ["96 VP8", "97 rtx 96", "127 H264 42001f", "104 rtx 127"],
        ["127 H264 42001f", "104 rtx 127", "96 VP8", "97 rtx 96"],
        {3: SEND_TIME},
    ),
    # It takes level 2.1 and allows ours to differ: what comes here may be larger.
    "chrome-android-86": Expected(
        ["96 VP8", "97 rtx 96", "104 H264 42001f", "122 rtx 104", "124 H264 42e01f", "121 rtx 124"],
        ["104 H264 42001f", "122 rtx 104", "124 H264 42e01f", "121 rtx 124", "96 VP8", "97 rtx 96"],
        {2: SEND_TIME, 4: MID},
    ),
    "chrome-android-without-h264": Expected(["96 VP8", "97 rtx 96"], ["96 VP8", "97 rtx 96"], {2: SEND_TIME, 4: MID}),
}


async def answered(text: str) -> dict[str, list[str]]:
    """The sections of our answer by kind, in their order: their lines, the first being the m= line. `` is the head."""
    peer = Peer(session(), IceOptions())
    try:
        answer = await peer.answer(text)
    finally:
        await peer.close(None)
    head, *sections = re.split(r"(?m)^(?=m=)", answer)
    return {"": head.splitlines(), **{re.split(r"[= ]", part)[1]: part.splitlines() for part in sections}}


def values(lines: list[str], name: str) -> list[str]:
    """What stands behind `a=name:`."""
    return [line.split(":", 1)[1] for line in lines if line.startswith(f"a={name}:")]


def codecs(lines: list[str]) -> list[str]:
    """In the order of the m= line, as `Expected` writes them; every fmtp must be as ours are."""
    names = dict(value.split(" ", 1) for value in values(lines, "rtpmap"))
    fmtp = dict(value.split(" ", 1) for value in values(lines, "fmtp"))
    found = []
    for payload in lines[0].split()[3:]:
        name, rest = names[payload].removesuffix("/90000"), fmtp[payload]
        if name == "rtx":
            rest = rest.removeprefix("apt=")
        elif name == "H264":
            assert rest.startswith(BASELINE) and rest.endswith(f";{HINTS}")
            rest = rest.removesuffix(f";{HINTS}").rpartition("=")[2]
        else:
            assert rest == HINTS
            rest = ""
        found.append(f"{payload} {name} {rest}".strip())
    return found


def test_every_browser_has_its_answer() -> None:
    assert EXPECTED.keys() == BROWSERS.keys()


@pytest.mark.parametrize("browser", BROWSERS)
async def test_recorded_offer_with_sound(browser: str) -> None:
    """As recorded: the browser's own order of codecs and sections, and a microphone, which nobody here listens to."""
    mids = BROWSERS[browser]["sections"]
    answer = await answered(offer(browser))
    assert list(answer) == ["", *mids], "as many sections as offered, in their order"
    assert f"a=group:BUNDLE {' '.join(mids.values())}" in answer[""]
    video = answer["video"]
    assert codecs(video) == EXPECTED[browser].codecs
    extensions = {int(value.split()[0]): value.split()[1] for value in values(video, "extmap")}
    assert extensions == EXPECTED[browser].extensions
    for payload in (codec.split()[0] for codec in EXPECTED[browser].codecs if "rtx" not in codec):
        feedback = [value.split(" ", 1)[1] for value in values(video, "rtcp-fb") if value.startswith(f"{payload} ")]
        assert feedback == ["nack", "nack pli", "goog-remb"], "neither transport-cc nor full intra requests"
    assert "a=sendrecv" in video
    assert "a=inactive" in answer["audio"]
    media, repair = values(video, "ssrc-group")[0].removeprefix("FID ").split()
    assert [value.split()[0] for value in values(video, "ssrc")] == [media, repair]


@pytest.mark.parametrize("browser", BROWSERS)
async def test_offer_of_our_page(browser: str) -> None:
    """Video and a data channel, H.264 preferred."""
    answer = await answered(offer(browser, kinds=("video", "application"), h264_first=True))
    assert codecs(answer["video"]) == EXPECTED[browser].h264_first


@pytest.mark.parametrize("browser", BROWSERS)
async def test_transport_is_one_and_ours_to_dial(browser: str) -> None:
    answer = await answered(offer(browser))
    sections = [lines for kind, lines in answer.items() if kind]
    for lines, mid in zip(sections, BROWSERS[browser]["sections"].values(), strict=True):
        assert values(lines, "mid") == [mid]
        assert values(lines, "setup") == ["active"]
        assert values(lines, "fingerprint")[0].startswith("sha-256 ")
        assert "a=end-of-candidates" in lines, "all are there: nothing is trickled back"
    for lines in (answer["audio"], answer["video"]):
        assert "a=rtcp-mux" in lines and not values(lines, "rtcp-rsize")
    for name in ("ice-ufrag", "ice-pwd", "fingerprint", "candidate"):
        assert len({tuple(values(lines, name)) for lines in sections}) == 1, "one transport for the whole bundle"
    channel = answer["application"]
    if BROWSERS[browser].get("legacy-sctp"):
        assert channel[0].endswith(" DTLS/SCTP 5000")
        assert values(channel, "sctpmap")[0].startswith("5000 webrtc-datachannel ")
    else:
        assert channel[0].endswith(" UDP/DTLS/SCTP webrtc-datachannel")
        assert values(channel, "sctp-port") == ["5000"]
    assert values(channel, "max-message-size") == ["262144"]


async def test_viewer_without_a_camera_gets_the_channel_alone() -> None:
    """What Android Chrome wrote where no camera was added: it would only look, and there is nothing to show."""
    answer = await answered(offer("chrome-android-86").replace("a=sendrecv", "a=recvonly"))
    assert "a=inactive" in answer["video"]
    assert values(answer["application"], "sctp-port") == ["5000"]


@pytest.mark.media
async def test_pictures_flow_where_sound_comes_first_in_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport is then that of a section which is not used."""
    monkeypatch.setattr("media_worker.session.Pipeline", FakePipeline)
    peer = Peer(session(), IceOptions())
    try:
        async with RtcClient([np.full((240, 320, 3), 90, np.uint8)], audio=True) as client:
            await client.connect(peer.answer)
            assert client.pc.remoteDescription.sdp.index("m=audio") < client.pc.remoteDescription.sdp.index("m=video")
            await client.until(lambda: len(client.pictures) > 3)
    finally:
        await peer.close(None)
