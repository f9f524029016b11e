"""The certificate that `lacquer serve --lan` makes for itself."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from signaling import certificate
from signaling.certificate import certificate_for, local_name

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOME, SALON = "192.168.1.20", "10.1.2.3"


def test_it_names_every_address_and_name_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Studio.lan")
    made = certificate_for(tmp_path, [HOME, SALON], now=NOW)
    names = made.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [IPv4Address(ip) for ip in (HOME, SALON, "127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "studio.local"]


def test_it_is_what_phones_accept(tmp_path: Path) -> None:
    parsed = certificate_for(tmp_path, [HOME], now=NOW).parsed
    extensions = parsed.extensions
    assert parsed.not_valid_before_utc < NOW < parsed.not_valid_after_utc
    assert parsed.not_valid_after_utc - parsed.not_valid_before_utc <= timedelta(days=397)
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    key = parsed.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = certificate_for(tmp_path / "new" / "folder", [HOME], now=NOW)
    assert made.key_path.stat().st_mode & 0o777 == 0o600
    made.key_path.chmod(0o644)
    assert certificate_for(tmp_path / "new" / "folder", [HOME], now=NOW) == made
    assert made.key_path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in made.path.parent.iterdir()) == ["certificate.pem", "key.pem"]


def test_it_is_kept_while_it_fits(tmp_path: Path) -> None:
    first = certificate_for(tmp_path, [HOME, SALON], now=NOW)
    late = NOW + certificate.LIFETIME - certificate.RENEW_BEFORE - certificate.CLOCK_SKEW - timedelta(minutes=1)
    assert certificate_for(tmp_path, [SALON], now=late).fingerprint == first.fingerprint


def test_it_is_made_anew_a_week_before_it_ends(tmp_path: Path) -> None:
    first = certificate_for(tmp_path, [HOME], now=NOW)
    late = first.parsed.not_valid_after_utc - timedelta(days=7)
    again = certificate_for(tmp_path, [HOME], now=late)
    assert again.fingerprint != first.fingerprint
    assert again.parsed.not_valid_after_utc > late + timedelta(days=390)


def test_another_network_makes_one_for_both(tmp_path: Path) -> None:
    certificate_for(tmp_path, [HOME], now=NOW)
    both = certificate_for(tmp_path, [SALON], now=NOW)
    assert both.addresses == [SALON, HOME, "127.0.0.1"]
    assert certificate_for(tmp_path, [HOME], now=NOW).fingerprint == both.fingerprint


def test_it_does_not_remember_for_ever(tmp_path: Path) -> None:
    for number in range(certificate.MAX_ADDRESSES + 3):
        made = certificate_for(tmp_path, [f"10.0.0.{number}"], now=NOW)
    assert len(made.addresses) == certificate.MAX_ADDRESSES + 1
    assert made.addresses[0] == f"10.0.0.{certificate.MAX_ADDRESSES + 2}"


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("damage", ["gone", "empty", "another's"])
def test_damaged_files_are_replaced(tmp_path: Path, name: str, damage: str) -> None:
    certificate_for(tmp_path / "own", [HOME], now=NOW)
    certificate_for(tmp_path / "other", [HOME], now=NOW)
    (tmp_path / "own" / name).unlink()
    if damage == "empty":
        (tmp_path / "own" / name).write_bytes(b"")
    elif damage == "another's":
        (tmp_path / "other" / name).rename(tmp_path / "own" / name)
    made = certificate_for(tmp_path / "own", [HOME], now=NOW)
    assert isinstance(made.context(), ssl.SSLContext)


@pytest.mark.parametrize(
    ("hostname", "name"),
    [("studio", "studio.local"), ("Mac-Book.home.lan", "mac-book.local"), ("my_pc", None), ("übung", None), ("", None)],
)
def test_the_name_that_bonjour_announces(hostname: str, name: str | None) -> None:
    assert local_name(hostname) == name
