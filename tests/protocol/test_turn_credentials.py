"""That coturn takes them is shown in tests/deploy/test_turnserver.py."""

from __future__ import annotations

from protocol.turn_credentials import credentials


def test_they_are_what_openssl_computes() -> None:
    """`printf 1795942134:s-1 | openssl dgst -sha1 -hmac 'north wind' -binary | base64`"""
    assert credentials("north wind", "s-1", 1795942134.9) == ("1795942134:s-1", "uSHhMhISUOwX54MO2XaFKLV2Z8k=")
