"""What the fuzzers begin with: the golden messages, the recorded offers, and small pictures of every kind."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

from tests.hostile_pictures import BOMBS, DISGUISED, animation, photo, png
from tests.interop.offers import BROWSERS, offer

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"

CANDIDATE = "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw"
FRAGMENT = f"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 X 0\r\na=mid:0\r\n{CANDIDATE}\r\n"

TEXTS = [
    {"type": "ping", "t": 1.5},
    {"type": "config", "design": 3, "fingers": {"ring": {"finish": "glitter", "colours": ["#B3001B"]}}, "compare": 0.5},
    {"type": "capture", "format": "png", "request_id": "a"},
    {"type": "link", "loss": 0.1, "delay_ms": 20},
    {"type": "bye"},
]


@cache
def headers() -> list[bytes]:
    return [file.read_bytes() for file in sorted(VECTORS.glob("*.bin"))]


@cache
def texts() -> list[bytes]:
    return [json.dumps(text).encode() for text in TEXTS]


@cache
def offers() -> list[bytes]:
    """Of each browser, with candidates and with an ending."""
    whole = [offer(browser, h264_first=first) for browser in BROWSERS for first in (False, True)]
    return [(text + f"{CANDIDATE}\r\na=end-of-candidates\r\n").encode() for text in whole]


@cache
def pictures() -> list[bytes]:
    still = [photo("JPEG"), photo("PNG"), photo("WEBP"), photo("WEBP", lossless=True), photo("JPEG", progressive=True)]
    grey = [png(32, 24, depth=16, colour=0), png(32, 24, depth=16, colour=6)]
    small = [file for file in (*BOMBS.values(), *DISGUISED.values()) if len(file) < 100_000]
    return [*still, *grey, animation("WEBP", 3), animation("PNG", 3), *small]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut, doubled or put elsewhere, in a few places."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = chance.randbytes(1)
            case 1:
                data[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\xff\xd8\xff\xda")
                )
            case 2:
                del data[at : at + chance.randint(1, 64)]
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 256)]
            case 4:
                other = chance.randrange(len(data) + 1)
                data[at : at + 16] = data[other : other + 16]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 16))
    return bytes(data)


EXTREMES = (
    "-1",
    "0",
    "65536",
    "4294967296",
    "9" * 30,
    "9" * 5000,
    "1e9",
    "",
    " ",
    "\u2028",
    "\x0b",
    "*",
    "é" * 40,
    "a" * 3000,
)


def mutated_lines(seed: bytes, chance: random.Random) -> bytes:
    """Lines of an SDP dropped, doubled, moved, put together from two, or with a number or word replaced."""
    lines = seed.decode().split("\r\n")
    for _ in range(chance.randint(1, 6)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
                lines = lines or ["v=0"]
            case 1:
                lines[at:at] = [lines[at]] * chance.choice((1, 2, 100, 1500))
            case 2:
                lines.insert(other, lines.pop(at))
            case 3:
                lines[at] = lines[at][: chance.randint(0, 12)] + lines[other][chance.randint(0, 12) :]
            case 4:
                words = lines[at].split(" ")
                words[chance.randrange(len(words))] = chance.choice(EXTREMES)
                lines[at] = " ".join(words)
            case _:
                name, colon, _ = lines[at].partition(":")
                lines[at] = name + colon + chance.choice(EXTREMES)
    return "\r\n".join(lines).encode(errors="surrogatepass")[:65536]
