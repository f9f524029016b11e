"""Offers as phones' browsers write them, put together from `offers.toml` in libwebrtc's order of lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Codec = dict[str, Any]

BROWSERS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("offers.toml").read_text())

FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
REPAIRS = ("red", "ulpfec")

TRANSPORT = (
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=ice-ufrag:user",
    "a=ice-pwd:0123456789abcdefghijklmn",
    "a=ice-options:trickle",
    "a=fingerprint:sha-256 " + ":".join(["5A"] * 32),
    "a=setup:actpass",
)


def offer(browser: str, *, kinds: Iterable[str] = ("audio", "video", "application"), h264_first: bool = False) -> str:
    """The offer of one of `BROWSERS`, with these kinds of sections, in the browser's order.

    `h264_first` is what setCodecPreferences makes of it in the page: H.264 baseline, then VP8, then what repairs them.
    """
    known = BROWSERS[browser]
    mids = {kind: mid for kind, mid in known["sections"].items() if kind in kinds}
    codecs = _preferred(known["codecs"]) if h264_first else known["codecs"]
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids.values())}"]
    lines += ["a=extmap-allow-mixed"] * known.get("mixed-extensions", False)
    lines += ["a=msid-semantic: WMS camera"]
    for kind, mid in mids.items():
        if kind == "audio":
            lines += _audio(mid, known["audio"])
        elif kind == "video":
            lines += _video(mid, codecs, known["extensions"])
        else:
            lines += _application(mid, legacy=known.get("legacy-sctp", False))
    return "\r\n".join(lines) + "\r\n"


def _preferred(codecs: list[Codec]) -> list[Codec]:
    baseline = [codec for codec in codecs if "packetization-mode=1;profile-level-id=42" in codec.get("fmtp", "")]
    others = [codec for name in ("VP8", *REPAIRS) for codec in codecs if codec["name"] == name]
    return [*baseline, *others]


def _audio(mid: str, codecs: list[str]) -> Iterator[str]:
    yield f"m=audio 9 UDP/TLS/RTP/SAVPF {' '.join(codec.split()[0] for codec in codecs)}"
    yield from (*TRANSPORT, f"a=mid:{mid}", "a=sendrecv", "a=msid:camera sound", "a=rtcp-mux")
    yield from (f"a=rtpmap:{codec}" for codec in codecs)
    yield from ("a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1", "a=ssrc:11 cname:phone")


def _video(mid: str, codecs: list[Codec], extensions: dict[str, str]) -> Iterator[str]:
    payloads = [payload for codec in codecs for payload in (codec["payload"], codec.get("rtx")) if payload]
    yield f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, payloads))}"
    yield from (*TRANSPORT, f"a=mid:{mid}")
    yield from (f"a=extmap:{number} {uri}" for number, uri in extensions.items())
    yield from ("a=sendrecv", "a=msid:camera picture", "a=rtcp-mux", "a=rtcp-rsize")
    for codec in codecs:
        yield from _codec(**codec)
    yield from ("a=ssrc-group:FID 21 22", "a=ssrc:21 cname:phone", "a=ssrc:22 cname:phone")


def _codec(payload: int, name: str, fmtp: str | None = None, rtx: int | None = None) -> Iterator[str]:
    yield f"a=rtpmap:{payload} {name}/90000"
    if name not in REPAIRS:
        yield from (f"a=rtcp-fb:{payload} {kind}" for kind in FEEDBACK)
    if fmtp:
        yield f"a=fmtp:{payload} {fmtp}"
    if rtx:
        yield from (f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={payload}")


def _application(mid: str, *, legacy: bool) -> Iterator[str]:
    if legacy:
        yield from ("m=application 9 DTLS/SCTP 5000", *TRANSPORT, f"a=mid:{mid}")
        yield "a=sctpmap:5000 webrtc-datachannel 1024"
    else:
        yield from ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *TRANSPORT, f"a=mid:{mid}")
        yield from ("a=sctp-port:5000", "a=max-message-size:262144")
