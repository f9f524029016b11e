"""Writes the golden vectors: `python tests/protocol/make_vectors.py`. Bytes are built by hand here, not by `framing`,
so that the vectors can find it wrong. `vectors.json` lists them:

    name, about      what it is
    files            the message, or the chunks of one message in the order they arrive
    valid            whether a receiver takes it
    header           of a valid one, without chunk fields: what the receiver reads
    payload_sha256   of a valid one
    error            of a broken one: its code
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"
IMAGE = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"  # 1x1 WebP
FRAME = {"type": "frame", "frame_number": 1, "timestamp": 1767225600000, "image_size": len(IMAGE)}


def raw(header: bytes, payload: bytes = b"", pad: bytes = b"\0") -> bytes:
    return header.ljust(1024, pad) + payload


def message(header: dict[str, Any], payload: bytes = b"", **style: Any) -> bytes:
    return raw(json.dumps(header, **style).encode(), payload)


def chunks(order: list[int], **changes: Any) -> list[bytes]:
    """IMAGE in three parts, sent in `order`."""
    parts = [IMAGE[0:12], IMAGE[12:24], IMAGE[24:]]
    whole = {**FRAME, "message_id": 7, "chunk_count": 3, **changes}
    return [message({**whole, "chunk_index": i}, parts[i]) for i in order]


def valid() -> dict[str, tuple[str, list[bytes], dict[str, Any], bytes]]:
    wide = {**FRAME, "note": "é" * 100}
    exact = {**FRAME, "fill": ""}
    exact["fill"] = "x" * (1024 - len(json.dumps(exact)))
    return {
        "frame": ("as the client in the wild builds it", [message(FRAME, IMAGE)], FRAME, IMAGE),
        "frame_compact": (
            "JSON without spaces, as JSON.stringify writes it",
            [message(FRAME, IMAGE, separators=(",", ":"))],
            FRAME,
            IMAGE,
        ),
        "frame_unknown_fields": (
            "unknown fields are ignored, not refused",
            [message({**FRAME, "camera": {"facing": "user"}, "tags": [1, None]}, IMAGE)],
            {**FRAME, "camera": {"facing": "user"}, "tags": [1, None]},
            IMAGE,
        ),
        "frame_utf8": ("header with two-byte characters", [message(wide, IMAGE, ensure_ascii=False)], wide, IMAGE),
        "frame_full_header": ("header of exactly 1024 bytes: no padding", [message(exact, IMAGE)], exact, IMAGE),
        "frame_fractional_time": (
            "timestamps may be fractions, as performance.now() gives",
            [message({**FRAME, "timestamp": 1234.5}, IMAGE)],
            {**FRAME, "timestamp": 1234.5},
            IMAGE,
        ),
        "frame_empty": (
            "an empty payload is well-formed (its image is not, but that is found later)",
            [message({**FRAME, "image_size": 0})],
            {**FRAME, "image_size": 0},
            b"",
        ),
        "processed_frame": (
            "what the server answers",
            [
                message(
                    processed := {
                        "type": "processed_frame",
                        "frame_number": 1,
                        "timestamp": 1767225600000,
                        "image_size": len(IMAGE),
                        "format": "webp",
                        "confidence": 0.93,
                        "nails": 5,
                        "processing_ms": 21.4,
                    },
                    IMAGE,
                )
            ],
            processed,
            IMAGE,
        ),
        "chunks_in_order": ("a message in three chunks", chunks([0, 1, 2]), FRAME, IMAGE),
        "chunks_shuffled": ("chunks in another order", chunks([2, 0, 1]), FRAME, IMAGE),
        "chunks_repeated": ("a chunk that comes twice counts once", chunks([0, 0, 1, 2]), FRAME, IMAGE),
    }


def broken() -> dict[str, tuple[str, list[bytes], str]]:
    text = json.dumps(FRAME).encode()
    return {
        "empty": ("nothing at all", [b""], "bad_header"),
        "short": ("1023 bytes", [text.ljust(1023, b"\0")], "bad_header"),
        "truncated_json": ("JSON that stops half way", [raw(text[:30])], "bad_header"),
        "no_json": ("not JSON", [raw(b"hello")], "bad_header"),
        "all_nul": ("only padding", [raw(b"")], "bad_header"),
        "array": ("JSON, but no object", [raw(b"[1,2,3]")], "bad_header"),
        "number": ("JSON, but no object", [raw(b"17")], "bad_header"),
        "null": ("JSON, but no object", [raw(b"null")], "bad_header"),
        "two_objects": ("a second object after the first", [raw(b'{"type":"frame"}{"a":1}')], "bad_header"),
        "over_1024": ("header JSON of 1025 bytes: cut at 1024", [raw(b'{"type":"' + b"x" * 1020)], "bad_header"),
        "not_utf8": ("a lone continuation byte", [raw(b'{"type":"\x80"}')], "bad_header"),
        "nan": ("NaN is not JSON", [raw(b'{"type":"frame","timestamp":NaN,"image_size":0}')], "bad_header"),
        "deep": ("500 nested arrays in a header, never closed", [raw(b'{"type":' + b"[" * 500)], "bad_header"),
        "no_type": ("no type", [message({"frame_number": 1, "image_size": 0})], "bad_header"),
        "type_number": ("type is no string", [message({"type": 5, "image_size": 0})], "bad_header"),
        "no_size": ("no image_size", [message({"type": "frame", "frame_number": 1}, IMAGE)], "bad_header"),
        "size_too_small": ("image_size below the payload", [message({**FRAME, "image_size": 5}, IMAGE)], "bad_header"),
        "size_too_large": ("image_size above the payload", [message({**FRAME, "image_size": 99}, IMAGE)], "bad_header"),
        "size_negative": ("negative image_size", [message({**FRAME, "image_size": -1}, IMAGE)], "bad_header"),
        "size_fraction": ("fractional image_size", [message({**FRAME, "image_size": 38.5}, IMAGE)], "bad_header"),
        "size_true": ("boolean image_size", [message({**FRAME, "image_size": True}, b"x")], "bad_header"),
        "size_string": ("image_size as text", [message({**FRAME, "image_size": str(len(IMAGE))}, IMAGE)], "bad_header"),
        "size_huge": ("image_size of a terabyte", [message({**FRAME, "image_size": 10**12}, IMAGE)], "too_large"),
        "chunk_index_over": ("chunk 3 of 3", [message({**FRAME, "message_id": 1, "chunk_index": 3, "chunk_count": 3},
                                                       b"x")], "bad_header"),
        "chunk_count_zero": ("no chunks at all", [message({**FRAME, "message_id": 1, "chunk_index": 0,
                                                            "chunk_count": 0})], "bad_header"),
        "chunk_count_huge": ("a million chunks", [message({**FRAME, "message_id": 1, "chunk_index": 0,
                                                            "chunk_count": 10**6}, b"x")], "bad_header"),
        "chunk_no_id": ("chunk without message_id", [message({**FRAME, "chunk_index": 0, "chunk_count": 2}, b"x")],
                        "bad_header"),
        "chunks_too_long": ("parts add up to more than image_size", chunks([0, 1, 2], image_size=30), "bad_header"),
        "chunks_too_short": ("parts add up to less than image_size", chunks([0, 1, 2], image_size=50), "bad_header"),
        "chunks_contradict": ("the second chunk changes chunk_count",
                              [chunks([0])[0], chunks([1], chunk_count=4)[0]], "bad_header"),
    }  # fmt: skip


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.bin"):
        old.unlink()
    entries: list[dict[str, Any]] = []
    for name, (about, messages, header, payload) in valid().items():
        entries.append(
            {
                "name": name,
                "about": about,
                "files": write(name, messages),
                "valid": True,
                "header": header,
                "payload_sha256": hashlib.sha256(payload).hexdigest(),
            }
        )
    for name, (about, messages, error) in broken().items():
        entries.append({"name": name, "about": about, "files": write(name, messages), "valid": False, "error": error})
    (FOLDER / "vectors.json").write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write(name: str, messages: list[bytes]) -> list[str]:
    names = [f"{name}.bin"] if len(messages) == 1 else [f"{name}.{i}.bin" for i in range(len(messages))]
    for file, data in zip(names, messages, strict=True):
        (FOLDER / file).write_bytes(data)
    return names


if __name__ == "__main__":
    main()
