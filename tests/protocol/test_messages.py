"""protocol/messages.py: what clients may say, and the code of what they may not."""

from __future__ import annotations

import json

import pytest

from protocol import limits, messages
from protocol.designs import Finger
from protocol.errors import BadHeader, BadMessage, UnknownType
from protocol.messages import Config, LinkReport


def test_config_names_only_what_changes() -> None:
    config = messages.parse_text('{"type":"config","compare":0.5,"new_field":1}')
    assert isinstance(config, Config)
    assert config.model_fields_set - {"type"} == {"compare"}


def test_config_per_finger() -> None:
    config = messages.parse_text('{"type":"config","fingers":{"ring":{"design":20}}}')
    assert isinstance(config, Config)
    assert config.fingers[Finger.RING].design == 20


def test_a_report_on_the_link_may_leave_out_all() -> None:
    assert messages.parse_text('{"type":"link"}') == LinkReport()
    said = '{"type":"link","loss":0.25,"delay_ms":80.5,"round_trip_ms":120,"fps":27.9}'
    assert messages.parse_text(said) == LinkReport(loss=0.25, delay_ms=80.5, round_trip_ms=120, fps=27.9)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", BadMessage, "not JSON"),
        ("{", BadMessage, "not JSON"),
        ("[" * 10_000, BadMessage, "not JSON"),
        ("[]", BadMessage, "not an object"),
        ("{}", UnknownType, "None"),
        ('{"type":["ping"]}', UnknownType, "ping"),
        ('{"type":"frame"}', UnknownType, "frame"),
        ('{"type":"config","compare":2}', BadMessage, "compare"),
        ('{"type":"config","design":"red"}', BadMessage, "design"),
        ('{"type":"config","paused":"yes"}', BadMessage, "paused"),
        ('{"type":"config","fingers":{"toe":{}}}', BadMessage, "fingers"),
        ('{"type":"config","finish":"velvet"}', BadMessage, "finish"),
        ('{"type":"capture","format":"gif"}', BadMessage, "format"),
        ('{"type":"ping","t":NaN}', BadMessage, "NaN"),
        ('{"type":"link","loss":1.01}', BadMessage, "loss"),
        ('{"type":"link","delay_ms":-1}', BadMessage, "delay_ms"),
        ('{"type":"link","round_trip_ms":1e9}', BadMessage, "round_trip_ms"),
        ('{"type":"link","fps":"many"}', BadMessage, "fps"),
        (json.dumps({"type": "ping", "pad": "x" * limits.MAX_TEXT_SIZE}), BadMessage, "are taken"),
    ],
)
def test_refusals_name_what_is_wrong(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        messages.parse_text(text)


@pytest.mark.parametrize("field", ["frame_number", "timestamp"])
def test_frame_header_with_a_wrong_field(field: str) -> None:
    header = {"type": "frame", "frame_number": 1, "timestamp": 0, "image_size": 3, field: "seven"}
    with pytest.raises(BadHeader, match=field):
        messages.parse_frame_header(header)


def test_other_binary_types_are_unknown() -> None:
    with pytest.raises(UnknownType, match="selfie"):
        messages.parse_frame_header({"type": "selfie", "image_size": 0})


def test_timestamps_keep_their_kind() -> None:
    for timestamp in (1767225600000, 12.25):
        header = messages.parse_frame_header({"type": "frame", "frame_number": 0, "timestamp": timestamp,
                                              "image_size": 0})  # fmt: skip
        assert header.timestamp == timestamp
        assert json.dumps(header.timestamp) == json.dumps(timestamp)
