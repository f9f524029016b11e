"""The binary message: exactly 1024 bytes of header (one UTF-8 JSON object, NUL padded), then the payload.

Pure functions over bytes. A payload larger than one data-channel message is split: each chunk is a message of its own
whose header repeats the original's fields and adds `message_id`, `chunk_index` and `chunk_count`; `image_size` stays
the size of the whole image. Everywhere else `image_size` equals the payload's length.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from protocol import limits
from protocol.errors import BadHeader, TooLarge

Header = dict[str, Any]

CHUNK_FIELDS = ("message_id", "chunk_index", "chunk_count")


def pack(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """One message. `image_size` is filled in from `payload` where `header` does not name it.

    Raises BadHeader where the header's JSON does not fit 1024 bytes.
    """
    text = json.dumps({"image_size": len(payload), **header}, separators=(",", ":"), ensure_ascii=False)
    raw = text.encode()
    if len(raw) > limits.HEADER_SIZE:
        raise BadHeader(f"header is {len(raw)} bytes of JSON; {limits.HEADER_SIZE} fit")
    return raw.ljust(limits.HEADER_SIZE, b"\0") + payload


def unpack(message: bytes) -> tuple[Header, bytes]:
    """(header, payload) of one message, checked: `type` is a string and `image_size` is true.

    Of a chunk, `image_size` is the whole image's, so only its range is checked here; `Reassembler` checks the sum.
    Raises BadHeader where anything is wrong, TooLarge where the image is over MAX_FRAME_SIZE.
    """
    if len(message) < limits.HEADER_SIZE:
        raise BadHeader(f"message has {len(message)} bytes; the header alone takes {limits.HEADER_SIZE}")
    header = _parse_header(message[: limits.HEADER_SIZE])
    payload = message[limits.HEADER_SIZE :]
    if not isinstance(header.get("type"), str):
        raise BadHeader("header has no string `type`")
    size = _natural(header, "image_size")
    if size > limits.MAX_FRAME_SIZE or len(payload) > limits.MAX_FRAME_SIZE:
        raise TooLarge(f"image has {max(size, len(payload))} bytes; {limits.MAX_FRAME_SIZE} are taken")
    if not is_chunk(header) and size != len(payload):
        raise BadHeader(f"image_size says {size} bytes, {len(payload)} came")
    return header, payload


def is_chunk(header: Mapping[str, Any]) -> bool:
    """Whether this message is a part of a larger one."""
    return "chunk_count" in header


def split(header: Mapping[str, Any], payload: bytes, *, message_id: int, max_message_size: int) -> list[bytes]:
    """The message as one or more messages of at most `max_message_size` bytes each.

    Raises BadHeader where the header does not fit, ValueError where `max_message_size` leaves no room for a payload.
    """
    if limits.HEADER_SIZE + len(payload) <= max_message_size:
        return [pack(header, payload)]
    room = max_message_size - limits.HEADER_SIZE
    if room <= 0:
        raise ValueError(
            f"messages of {max_message_size} bytes leave no room beside the {limits.HEADER_SIZE}-byte header"
        )
    parts = [payload[at : at + room] for at in range(0, len(payload), room)]
    whole = {**header, "image_size": len(payload), "message_id": message_id, "chunk_count": len(parts)}
    return [pack({**whole, "chunk_index": index}, part) for index, part in enumerate(parts)]


@dataclass
class _Partial:
    header: Header
    parts: dict[int, bytes] = field(default_factory=dict)


class Reassembler:
    """Joins chunks back into messages, in any order, within bounded memory.

    At most MAX_PARTIAL_MESSAGES are kept, the oldest going first, so a lost chunk costs its own message only.
    """

    def __init__(self) -> None:
        self._partials: OrderedDict[int, _Partial] = OrderedDict()
        self.dropped = 0
        """Incomplete messages given up so far."""

    def add(self, header: Header, payload: bytes) -> tuple[Header, bytes] | None:
        """The whole (header, payload), without the chunk fields, once its last part is in; None before.

        Raises BadHeader where the chunk contradicts itself or the parts that came before it.
        """
        message_id, index, count = (_natural(header, name) for name in CHUNK_FIELDS)
        if not 1 <= count <= limits.MAX_CHUNKS or index >= count:
            raise BadHeader(f"chunk {index} of {count}; 1 to {limits.MAX_CHUNKS} chunks are taken, counted from 0")
        partial = self._partials.get(message_id)
        if partial is None:
            partial = self._start(message_id, header)
        elif any(partial.header[name] != header[name] for name in ("chunk_count", "image_size", "type")):
            self._drop(message_id)
            raise BadHeader(f"chunk {index} of message {message_id} contradicts the chunks before it")
        partial.parts[index] = payload
        size = sum(map(len, partial.parts.values()))
        if size > header["image_size"]:
            self._drop(message_id)
            raise BadHeader(f"image_size says {header['image_size']} bytes, at least {size} came")
        if len(partial.parts) < count:
            return None
        del self._partials[message_id]
        if size != header["image_size"]:
            raise BadHeader(f"image_size says {header['image_size']} bytes, {size} came")
        whole = {name: value for name, value in partial.header.items() if name not in CHUNK_FIELDS}
        return whole, b"".join(partial.parts[i] for i in range(count))

    def _start(self, message_id: int, header: Header) -> _Partial:
        while len(self._partials) >= limits.MAX_PARTIAL_MESSAGES:
            self._drop(next(iter(self._partials)))
        return self._partials.setdefault(message_id, _Partial(header))

    def _drop(self, message_id: int) -> None:
        del self._partials[message_id]
        self.dropped += 1


def parse_json(text: str) -> Any:
    """RFC 8259 JSON, which unlike Python's has no NaN and no bottomless nesting. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parse_header(raw: bytes) -> Header:
    try:
        header = parse_json(raw.rstrip(b"\0").decode())
    except ValueError as error:  # UnicodeDecodeError is one too
        raise BadHeader(f"header is not UTF-8 JSON: {error}") from error
    if not isinstance(header, dict):
        raise BadHeader(f"header is a JSON {type(header).__name__}, not an object")
    return header


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _natural(header: Mapping[str, Any], name: str) -> int:
    value = header.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadHeader(f"header field `{name}` must be a whole number of at least 0, not {value!r:.40}")
    return value
