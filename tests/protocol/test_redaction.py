"""Lines as somebody might write them one day, and what is left of them."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest

from protocol.redaction import hide_fields, redact

TOKEN = jwt.encode({"sub": "ann", "aud": "session"}, "a key that is long enough for HS256 in tests", "HS256")
SDP = (
    "v=0\r\no=- 46117 2 IN IP4 203.0.113.7\r\ns=-\r\nc=IN IP4 203.0.113.7\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
    "a=ice-ufrag:Fx1z\r\na=ice-pwd:Yk3Rj8wz0Qm\r\na=candidate:1 1 udp 2130706431 203.0.113.7 50000 typ host\r\n"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300") + bytes(range(256))

BASE64 = base64.b64encode(JPEG).decode()
SECRETS = ("eyJ", TOKEN.split(".")[2], "203.0.113.7", "Yk3Rj8wz0Qm", "50000", "ffd8", "JFIF", BASE64[:40])


@pytest.mark.parametrize(
    "text",
    [
        f"GET /?token={TOKEN} HTTP/1.1",
        f"Authorization: Bearer {TOKEN}",
        f"b'authorization: bearer {TOKEN}\\r\\n'",
        f"Cookie: a=b; lacquer_owner={TOKEN}; c=d",
        f"token broken: {TOKEN[:-5]}",
        SDP,
        repr(SDP),
        repr(SDP.encode()),
        json.dumps({"offer": SDP}),
        json.dumps(json.dumps({"offer": SDP})),
        "a=candidate:1 1 udp 2130706431 203.0.113.7 50000 typ host",
        json.dumps({"candidate": "candidate:1 1 udp 2130706431 203.0.113.7 50000 typ host"}),
        "a=ice-pwd:Yk3Rj8wz0Qm",
        "c=IN IP4 203.0.113.7",
        "peer ('203.0.113.7', 40112) is gone",
        "from 203.0.113.7:40112",
        "[203.0.113.7]",
        f"cannot decode {JPEG!r}",
        f"cannot decode {JPEG.hex()}",
        f"data:image/jpeg;base64,{BASE64}",
        json.dumps({"image": JPEG.decode("latin-1")}),
    ],
)
def test_nothing_of_it_is_left(text: str) -> None:
    left = redact(text)
    assert not [secret for secret in SECRETS if secret in left], left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("secret=hunter2-and-more", "secret=[hidden]"),
        ("LACQUER_TURN_SECRET: 7fQzWm2kLp9", "LACQUER_TURN_SECRET: [hidden]"),
        ('{"credential": "abcdefgh", "url": "turn:x"}', '{"credential": "[hidden]", "url": "turn:x"}'),
        ("?access_token=abcdefgh&b=c", "?access_token=[hidden]&b=c"),
        ("Basic YWRtaW46YWRtaW4=", "Basic [hidden]"),
        ("from 2001:db8::7 port 5", "from [address] port 5"),
        ("('fe80::1', 1, 0, 2)", "('[address]', 1, 0, 2)"),
        ("3f1c2d4e-0000-4a5b-9c8d-112233445566.local", "[address]"),
    ],
)
def test_what_takes_its_place(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "09:15:56 [info     ] worker listens capacity=4 url=http://10.0.0.5:8001 worker=worker-1a2b3c4d",
        "2026-11-29T09:15:56.123456Z",
        "worker unreachable url=http://[fd00::5]:8001 error=Cannot connect to host 127.0.0.1:8001 ssl:default",
        "listens on 0.0.0.0 and ::1, port 8000",
        "session created mode=explore post=1 session=7f0c9a52-6a0e-4a0e-8f67-1f6f5b0f7a11",
        "version 1.2.3, aiortc 1.16.0",
        "lost 0.5 of 12:30:45 frames; ratio 16:9",
        'File "/usr/lib/python3.11/site-packages/aiohttp/web_protocol.py", line 480, in start',
        "the token is not valid: Signature verification failed",
        "worker secret refused url=http://127.0.0.1:1",
        "sha256 b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    ],
)
def test_what_operators_read_logs_for_stays(text: str) -> None:
    assert redact(text) == text


def test_addresses_stay_where_they_are_wanted() -> None:
    assert redact("from 203.0.113.7 and 2001:db8::7", addresses=True) == "from 203.0.113.7 and 2001:db8::7"
    assert "203.0.113.7" not in redact(SDP, addresses=True)


def test_fields_are_secret_by_name_and_bytes_by_kind() -> None:
    event = {
        "event": "x",
        "Token": "abc",
        "sdp": SDP,
        "body": JPEG,
        "page": b"<h1>502</h1>",
        "headers": {"cookie": "a"},
    }
    assert hide_fields(event) == {
        "event": "x",
        "Token": "[hidden]",
        "sdp": "[hidden]",
        "body": f"[{len(JPEG)} bytes]",
        "page": "<h1>502</h1>",
        "headers": {"cookie": "[hidden]"},
    }


@pytest.mark.parametrize(
    "piece", ["\\x", "a", ":", "1.", "v=0\r\n", "a=", "token", "eyJ", "\\x00\\n", "candidate:", "1:"]
)
def test_no_text_takes_long(piece: str) -> None:
    """Strangers write part of what is logged."""
    began = time.process_time()
    redact(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 1
