"""What Lacquer reads from offers and adds to answers. Pure text in, text out."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import SessionDescription, candidate_from_sdp

from protocol import limits
from protocol.errors import BadSdp, Unsupported

START_BITRATE_KBPS = 1500
MIN_BITRATE_KBPS = 800
"""What libwebrtc's encoder starts from and stays above. Left alone it starts near 300 kbit/s and scales a 640x480
camera down for many seconds (measured in design: 15 s at 480x360)."""

MAX_CANDIDATES = 64
"""Candidates taken from one offer, and trickled to one connection; browsers send under 20. Each is a place that we send
checks to."""

MAX_SECTIONS = 16
"""Media sections taken from one offer; browsers send two or three. Each one costs the event loop 4 ms to answer."""


MAX_LINES = 2000
"""Of an offer or fragment. Chrome's for audio, video and data is 140; each further section adds under 100."""

MAX_OF_A_SECTION = {"rtpmap": 128, "rtcp-fb": 512, "fmtp": 128, "ssrc": 128, "ssrc-group": 32, "extmap": 64}
"""Attributes of one media section; Safari's video has 19, 41, 15, 2, 1 and 11. aiortc's parser tries each of the second
kind with each of the first: 64 KB of both kept the event loop busy for six seconds, and took 300 MB."""


@dataclass(frozen=True)
class OfferSummary:
    sends_video: bool
    has_data_channel: bool
    max_message_size: int
    """Bytes that the peer takes in one data-channel message (RFC 8841 §6)."""
    credentials: frozenset[str]
    """The client's ICE user names and passwords, as lines."""


def read_offer(text: str) -> OfferSummary:
    """Checks an offer before aiortc sees it. Raises BadSdp with the reason."""
    description = parse_offer(text)
    sends_video = any(m.kind == "video" and m.direction in ("sendrecv", "sendonly") for m in description.media)
    channels = [m for m in description.media if m.kind == "application"]
    if not sends_video and not channels:
        raise BadSdp("the offer neither sends video nor opens a data channel")
    return summary(text, description)


def parse_offer(text: str) -> SessionDescription:
    """An offer, in bounds, with keys that can be checked. Raises BadSdp."""
    if not text.startswith("v=0"):
        raise BadSdp("the body is no SDP: it does not start with v=0")
    _check_amounts(text)
    try:
        description = SessionDescription.parse(text)
    except Exception as error:  # aiortc's parser raises whatever its slicing and int() come upon
        raise BadSdp(f"the offer cannot be parsed: {error!r:.120}") from error
    if sum(m.kind == "application" for m in description.media) > 1:
        # aiortc knows one; closing a connection that was offered more fails half-way
        raise BadSdp("the offer has more than one section for data channels")
    _check_bundle(description)
    if not all(m.dtls and m.dtls.fingerprints for m in description.media):
        raise BadSdp("the offer has no fingerprint, so nobody could tell who answers")
    return description


def summary(text: str, description: SessionDescription) -> OfferSummary:
    """Raises BadSdp."""
    channels = [m for m in description.media if m.kind == "application"]
    size = channels[0].sctpCapabilities.maxMessageSize if channels and channels[0].sctpCapabilities else 0
    if size and size <= limits.HEADER_SIZE:
        raise BadSdp(f"max-message-size:{size} leaves no room beside the {limits.HEADER_SIZE}-byte header")
    return OfferSummary(
        sends_video=any(m.kind == "video" and m.direction in ("sendrecv", "sendonly") for m in description.media),
        has_data_channel=bool(channels),
        max_message_size=min(size or limits.CHUNK_MESSAGE_SIZE, 256 * 1024),  # 0 means any; ours stay moderate
        credentials=frozenset(_credentials(text)),
    )


def _check_bundle(description: SessionDescription) -> None:
    """Of a bundle that names what is not there, aiortc leaves some without a transport, and cannot close them (RFC 9143
    §7.1.3 forbids it). Raises BadSdp."""
    mids = [media.rtp.muxId for media in description.media if media.rtp.muxId]
    if len(set(mids)) < len(mids):
        raise BadSdp("two sections of the offer have the same mid")
    bundled = {item for group in description.group if group.semantic == "BUNDLE" for item in group.items}
    if not bundled <= set(mids):
        raise BadSdp("the offer bundles sections that it does not have")


def _check_amounts(text: str) -> None:
    """Whether parsing and answering it takes a moment only. Raises BadSdp."""
    lines = text.splitlines()  # as aiortc does: it ends lines at characters of other alphabets, too
    if len(lines) > MAX_LINES:
        raise BadSdp(f"the SDP has over {MAX_LINES} lines")
    if sum("a=candidate:" in line for line in lines) > MAX_CANDIDATES:
        raise BadSdp(f"the SDP has over {MAX_CANDIDATES} candidates")
    if sum(line.startswith("m=") for line in lines) > MAX_SECTIONS:
        raise BadSdp(f"the SDP has over {MAX_SECTIONS} media sections")
    amounts: Counter[str] = Counter()
    for line in lines:
        if line.startswith("m="):
            amounts.clear()
        name = line[2:].partition(":")[0]
        amounts[name] += 1
        if amounts[name] > MAX_OF_A_SECTION.get(name, MAX_LINES):
            raise BadSdp(f"a section has over {MAX_OF_A_SECTION[name]} lines of a={name}")


_CREDENTIALS = re.compile(r"^a=ice-(?:ufrag|pwd):\S+", re.MULTILINE)


def _credentials(text: str) -> list[str]:
    return _CREDENTIALS.findall(text)


_TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=rtcp-mux")
"""Attributes that are one for a whole bundle (categories TRANSPORT and IDENTICAL of RFC 8859)."""


def with_bundled_transports(offer: str) -> str:
    """The offer with the transport of its first section in every other that names none: in a bundle, the others may
    leave it out (RFC 9143 §7.1.3), as the example of RFC 9725 does, and aiortc misses it there."""
    head, *sections = re.split(r"(?m)^(?=m=)", offer)
    if len(sections) < 2 or "a=group:BUNDLE " not in head:
        return offer
    first = sections[0].splitlines()
    shared = {name: [line for line in first if line.startswith(name)] for name in _TRANSPORT if name not in head}
    return head + "".join(_completed(section, shared) for section in sections)


def _completed(section: str, shared: dict[str, list[str]]) -> str:
    channels = section.startswith("m=application")  # they have no RTCP
    lacking = [name for name in shared if name not in section and not (channels and name == "a=rtcp-mux")]
    lines = [line for name in lacking for line in shared[name]]
    return "\r\n".join([section.rstrip(), *lines, ""]) if lines else section


def with_mux_only(answer: str) -> str:
    """The answer saying that RTCP never has a port of its own, as RFC 9725 §4.4.1 demands."""
    return answer.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n")


def with_start_bitrate(answer: str) -> str:
    """The answer with libwebrtc's `x-google-*-bitrate` hints on every H.264 and VP8 payload type."""
    hints = f"x-google-start-bitrate={START_BITRATE_KBPS};x-google-min-bitrate={MIN_BITRATE_KBPS}"
    lines: list[str] = []
    payload_types = set(re.findall(r"^a=rtpmap:(\d+) (?:VP8|H264)/90000", answer, re.MULTILINE))
    have_fmtp = set(re.findall(r"^a=fmtp:(\d+) ", answer, re.MULTILINE))
    for line in answer.splitlines():
        fmtp = re.match(r"a=fmtp:(\d+) ", line)
        rtpmap = re.match(r"a=rtpmap:(\d+) ", line)
        lines.append(f"{line};{hints}" if fmtp and fmtp[1] in payload_types else line)
        if rtpmap and rtpmap[1] in payload_types - have_fmtp:
            lines.append(f"a=fmtp:{rtpmap[1]} {hints}")
    return "\r\n".join(lines) + "\r\n"


_CANDIDATE, _END = "a=candidate:", "a=end-of-candidates"


def with_candidates_at(text: str, may_name: Callable[[str], bool]) -> str:
    """An offer or fragment with only those candidates whose address `may_name` accepts. None is needed: the browser
    asks at our addresses, and where it asks from is a candidate by itself (peer reflexive, RFC 8445 §7.3.1.3). So where
    one is left out, more are to come: aioice gives up where it has none and knows of an end.

    It leaves out what browsers hide behind `.local` names (mDNS), as they do where no camera was granted; a name that
    nobody answers for costs the answer a second.
    """
    lines = text.splitlines(keepends=True)
    kept = [(address := _candidate_address(line)) is None or may_name(address) for line in lines]
    if all(kept):
        return text
    return "".join(line for line in itertools.compress(lines, kept) if not line.startswith(_END))


def _candidate_address(line: str) -> str | None:
    """Cut as aiortc's parser does, so that no spelling gets past. What it will refuse is none of ours."""
    parts = line.removeprefix(_CANDIDATE).split() if line.startswith(_CANDIDATE) else []
    return parts[4] if len(parts) > 4 else None


_FRAGMENT_LINE = re.compile(r"a=\S+.*|m=\S+ \d+ \S+.*")


def check_fragment(text: str, known: Collection[str]) -> None:
    """Whether it is a fragment, and of the ICE session with the `known` credentials. An empty one only asks whether the
    connection is held (protocol/README.md). Raises BadSdp, or Unsupported where it would restart ICE (RFC 9725 §4.3.3).
    """
    if not all(_FRAGMENT_LINE.fullmatch(line) for line in text.splitlines() if line):
        raise BadSdp("the body is no SDP fragment: every line starts with `a=` or `m=` (RFC 8840 §9)")
    if not set(_credentials(text)) <= set(known):
        raise Unsupported("other ICE credentials would restart ICE, which is not done here: connect anew instead")


def read_fragment(text: str) -> list[RTCIceCandidate | None]:
    """Candidates of a trickle fragment (RFC 8840 §9); None stands for end-of-candidates. Raises BadSdp."""
    _check_amounts(text)
    mid: str | None = None
    index = -1
    candidates: list[RTCIceCandidate | None] = []
    ended = False
    for line in text.splitlines():
        if line.startswith("m="):
            index += 1
        elif line.startswith("a=mid:"):
            mid = line[len("a=mid:") :].strip()
        elif line.startswith(_CANDIDATE):
            candidates.append(_candidate(line.removeprefix(_CANDIDATE), mid, max(index, 0)))
        elif line.startswith(_END):
            ended = True
    return [*candidates, None] if ended else candidates


def _candidate(value: str, mid: str | None, index: int) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(value)
    except Exception as error:  # as above: aiortc's parser asserts and indexes
        raise BadSdp(f"bad candidate {value!r:.80}") from error
    candidate.sdpMid, candidate.sdpMLineIndex = mid, index
    return candidate
