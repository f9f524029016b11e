"""Whether browsers may use a camera at the public address: HTTPS, with a certificate that they trust for some time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from urllib.parse import urlsplit

from protocol.checkup import Verdict, failed, ok, warning

SOON, TOO_SOON = 14.0, 2.0
"""Days before a certificate ends: those that renew themselves do so a month before."""

LOCAL = ("localhost", "127.0.0.1", "::1")


async def certificate(public_url: str | None) -> Verdict:
    if public_url is None:
        return ok("LACQUER_PUBLIC_URL is not set: links repeat each request's own host; behind a proxy, set it")
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        if host in LOCAL:
            return ok(f"{public_url}: cameras work there for browsers on this machine alone")
        return warning(
            f"{public_url} is no HTTPS, and browsers give cameras to HTTPS pages only",
            "put a TLS proxy in front and set LACQUER_PUBLIC_URL=https://… (deploy/README.md)",
        )
    return await _look(host, parts.port or 443)


async def _look(host: str, port: int) -> Verdict:
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return failed(f"browsers will not trust {host}: {error.verify_message}", _mend(host))
    except ssl.SSLError as error:
        return failed(f"{host} port {port} speaks no TLS that we know: {error.reason}", "look at the TLS proxy")
    except socket.gaierror as error:
        return failed(f"{host} has no address: {error.strerror}", "mend DNS, or LACQUER_PUBLIC_URL")
    except OSError as error:
        return failed(
            f"nobody answers at {host} port {port}: {error.strerror or error}", "start the TLS proxy; open the port"
        )
    try:
        shown = writer.get_extra_info("peercert")
    finally:
        writer.close()
    return judge(host, ssl.cert_time_to_seconds(shown["notAfter"]), time.time())


def judge(host: str, ends: float, now: float) -> Verdict:
    days = (ends - now) / 86400
    said = f"{host} has a certificate that browsers trust, for {days:.0f} more days"
    if days < TOO_SOON:
        return failed(said, _mend(host))
    return warning(said, _mend(host)) if days < SOON else ok(said)


def _mend(host: str) -> str:
    return f"renew the certificate for {host} (Caddy and certbot do so by themselves)"
