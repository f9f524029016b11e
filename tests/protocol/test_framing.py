"""protocol/framing.py against the golden vectors, which the browser's framing.js is tested with too."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import framing, limits
from protocol.errors import BadHeader, LacquerError
from tests.protocol import make_vectors

VECTORS = json.loads((make_vectors.FOLDER / "vectors.json").read_text("utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def receive(files: list[str]) -> tuple[dict[str, Any], bytes]:
    reassembler = framing.Reassembler()
    for file in files:
        header, payload = framing.unpack((make_vectors.FOLDER / file).read_bytes())
        if not framing.is_chunk(header):
            return header, payload
        if whole := reassembler.add(header, payload):
            return whole
    raise AssertionError("the message never became whole")


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["valid"]], ids=lambda v: v["name"])
def test_valid_vector_is_read(vector: dict[str, Any]) -> None:
    header, payload = receive(vector["files"])
    assert header == vector["header"]
    assert hashlib.sha256(payload).hexdigest() == vector["payload_sha256"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["valid"]], ids=lambda v: v["name"])
def test_broken_vector_is_refused_with_its_code(vector: dict[str, Any]) -> None:
    with pytest.raises(LacquerError) as refusal:
        receive(vector["files"])
    assert refusal.value.code == vector["error"]


def test_committed_vectors_are_the_generated_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = {file.name: file.read_bytes() for file in make_vectors.FOLDER.iterdir()}
    monkeypatch.setattr(make_vectors, "FOLDER", tmp_path)
    make_vectors.main()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == committed


@given(extra=st.dictionaries(st.text(min_size=1, max_size=8), json_values, max_size=3), payload=st.binary(max_size=99))
def test_pack_then_unpack_gives_the_message_back(extra: dict[str, Any], payload: bytes) -> None:
    header = {**extra, "type": "frame", "image_size": len(payload)}
    for name in framing.CHUNK_FIELDS:
        header.pop(name, None)
    message = framing.pack(header, payload)
    assert len(message) == limits.HEADER_SIZE + len(payload)
    assert framing.unpack(message) == (header, payload)


@given(data=st.binary(max_size=1200) | st.binary(max_size=40).map(lambda start: start.ljust(1024, b"\0")))
def test_any_bytes_are_read_or_refused_never_a_crash(data: bytes) -> None:
    with contextlib.suppress(LacquerError):
        framing.unpack(data)


@given(payload=st.binary(max_size=5000), size=st.integers(1025, 4000), order=st.randoms())
def test_split_then_reassembled_in_any_order(payload: bytes, size: int, order: Any) -> None:
    header = {"type": "capture", "request_id": "a"}
    parts = framing.split(header, payload, message_id=3, max_message_size=size)
    assert all(len(part) <= size for part in parts)
    if len(parts) > limits.MAX_CHUNKS:
        return
    order.shuffle(parts)
    reassembler, whole = framing.Reassembler(), None
    for part in parts:
        got = framing.unpack(part)
        whole = reassembler.add(*got) if framing.is_chunk(got[0]) else got
    assert whole == ({**header, "image_size": len(payload)}, payload)


def test_header_that_does_not_fit_is_refused_when_packed() -> None:
    with pytest.raises(BadHeader, match="1024 fit"):
        framing.pack({"type": "frame", "note": "x" * 1024})


def test_reassembler_forgets_the_oldest_message_not_the_newest() -> None:
    reassembler = framing.Reassembler()

    def chunk(message_id: int, index: int) -> tuple[dict[str, Any], bytes] | None:
        header = {"type": "frame", "image_size": 2, "message_id": message_id, "chunk_index": index, "chunk_count": 2}
        return reassembler.add(header, b"x")

    for message_id in range(limits.MAX_PARTIAL_MESSAGES + 1):
        assert chunk(message_id, 0) is None
    assert reassembler.dropped == 1
    assert chunk(limits.MAX_PARTIAL_MESSAGES, 1) is not None
    assert chunk(0, 1) is None, "message 0 was forgotten, so its second chunk starts it anew"
