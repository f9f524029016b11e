"""The one place where aiortc's DTLS is bent: it also talks to servers whose certificate has an RSA key.

In an answer to `actpass` we are the DTLS client, and aiortc 1.16 then offers ciphers for ECDSA alone. Browsers have
such certificates, GStreamer's webrtcbin has RSA: no shared cipher, no connection. RFC 8827 §6.5 makes P-256 what
everybody must have, and forbids nothing.

Seam: `RTCCertificate._create_ssl_context`, which sets `CIPHERS` with the same call.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.
"""

from __future__ import annotations

from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
"""aiortc's."""

FOR_RSA = b":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
"""With forward secrecy and authenticated encryption only; the media's own keys (SRTP) come out of these."""

_create_ssl_context = RTCCertificate._create_ssl_context


def create_ssl_context(certificate: RTCCertificate, *arguments: Any, **options: Any) -> Any:
    context = _create_ssl_context(certificate, *arguments, **options)
    context.set_cipher_list(CIPHERS + FOR_RSA)
    return context


def install() -> None:
    """Every RTCPeerConnection of this process that connects from now on. Idempotent."""
    RTCCertificate._create_ssl_context = create_ssl_context  # type: ignore[method-assign, assignment]
