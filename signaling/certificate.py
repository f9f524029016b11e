"""The certificate of `lacquer serve --lan`: made here, vouched for by nobody, good enough for cameras to be allowed.

Phones ask their owner about it once, and go on asking nothing as long as it stays the same. So it is kept (data
folder, key for its owner's eyes only) and made anew only where it must: another address, or close to its end.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=396)
"""Browsers take public certificates of up to 398 days (Apple HT211025), private ones of up to 825 (Apple HT210176)."""

CLOCK_SKEW = timedelta(days=1)
"""Begins so long ago, for phones whose clock is behind."""

RENEW_BEFORE = timedelta(days=7)

MAX_ADDRESSES = 16
"""A laptop's certificate remembers so many addresses, so that home and salon are not asked about in turns."""

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """Where certificate and key lie, and what the certificate says."""

    path: Path
    key_path: Path
    parsed: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 as browsers show it: `AB:CD:…`."""
        return self.parsed.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def addresses(self) -> list[str]:
        return [str(address) for address in _names(self.parsed).get_values_for_type(x509.IPAddress)]

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.path, self.key_path)
        return context


def certificate_for(folder: Path, addresses: Sequence[str], *, now: datetime | None = None) -> Certificate:
    """The certificate in `folder`, made anew where there is none that fits the first address. Raises OSError.

    Touches the disk: nothing for an event loop.
    """
    now = now or datetime.now(UTC)
    kept = _read(folder)
    if kept and addresses[0] in kept.addresses and kept.parsed.not_valid_after_utc - now > RENEW_BEFORE:
        return kept
    known = [*addresses, *(kept.addresses if kept else [])]
    _make(folder, [address for address in dict.fromkeys(known) if address != _LOOPBACK][:MAX_ADDRESSES], now)
    made = _read(folder)
    assert made is not None, "what was just written can be read"
    return made


def local_name(hostname: str) -> str | None:
    """`studio.local` for a machine named `studio`, as Bonjour and Avahi announce it; None where it is no DNS name."""
    label = hostname.split(".", maxsplit=1)[0]
    return f"{label.lower()}.local" if _LABEL.fullmatch(label) else None


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / "certificate.pem", folder / "key.pem"


def _read(folder: Path) -> Certificate | None:
    """None where there is none, or one that does not belong to the key beside it."""
    path, key_path = _paths(folder)
    try:
        parsed = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
        matches = _public_bytes(parsed.public_key()) == _public_bytes(key.public_key())
        _names(parsed)
    except (FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return None
    key_path.chmod(0o600)  # a copy or a backup may have loosened it
    return Certificate(path, key_path, parsed) if matches else None


def _public_bytes(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded


def _names(parsed: x509.Certificate) -> x509.SubjectAlternativeName:
    return parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _make(folder: Path, addresses: Iterable[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, list(addresses), now)
    path, key_path = _paths(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write(path, certificate.public_bytes(Encoding.PEM), 0o644)


def _signed(key: ec.EllipticCurvePrivateKey, addresses: list[str], now: datetime) -> x509.Certificate:
    """What iOS 13 asks for (Apple HT210176): names in the SAN, server authentication, a bounded life, SHA-2.

    No authority: whoever trusts it trusts this machine, and not others that it could otherwise vouch for.
    """
    hostname = socket.gethostname()
    names = ["localhost", *filter(None, [local_name(hostname)])]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Lacquer on {hostname}"[:64])])
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    begin = now - CLOCK_SKEW
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (
            x509.SubjectAlternativeName(
                [
                    *(x509.IPAddress(IPv4Address(address)) for address in [*addresses, _LOOPBACK]),
                    *(x509.DNSName(name) for name in names),
                ]
            ),
            False,
        ),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(True, False, False, False, False, False, False, False, False), True),  # signs handshakes only
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (identity, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identity), False),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFETIME)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all; nobody sees it with a looser mode in between."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
