"""`lacquer serve --lan`: what phones in the same network are to open, and what a person is told about it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from aiohttp import web

from signaling import qr
from signaling.addresses import LanUnavailable, lan_addresses
from signaling.certificate import Certificate, certificate_for
from signaling.settings import Settings

PORT = 8443
"""Where HTTPS listens unless another port is set."""

WARNING = (
    "The phone warns that the connection is not private: this computer made the certificate itself, so nobody vouches "
    "for it. On an iPhone tap Show Details, then “visit this website”; on Android tap Advanced, then Proceed."
)


@dataclass(frozen=True)
class LanPlan:
    """What is known before anything listens."""

    host: str
    port: int
    addresses: list[str]
    """Best first."""
    certificate: Certificate


@dataclass(frozen=True)
class Lan:
    """What is known once it listens."""

    url: str
    """For phones: `https://192.168.1.20:8443`."""
    other_urls: list[str]
    """The same under the machine's other addresses, if it has several."""
    fingerprint: str


LAN = web.AppKey("lan", Lan)


def plan(settings: Settings) -> LanPlan:
    """Finds the address and has a certificate for it. Raises LanUnavailable, or OSError where that cannot be kept."""
    if settings.public_url:
        raise LanUnavailable(
            f"--lan: LACQUER_PUBLIC_URL would send phones to {settings.public_url}; unset it, or leave --lan out"
        )
    addresses = lan_addresses(settings.host)
    certificate = certificate_for(settings.data_dir / "lan", addresses)
    port = settings.port if "port" in settings.model_fields_set else PORT
    return LanPlan(settings.host, port, addresses, certificate)


def listening(plan: LanPlan, port: int) -> Lan:
    """The plan come true, on this port."""
    best, *others = [f"https://{address}:{port}" for address in plan.addresses]
    return Lan(best, others, plan.certificate.fingerprint)


def words(lan: Lan, *, terminal: bool) -> str:
    """What a person reads when it is ready; with a QR code on a terminal, at the end, where it is in view."""
    told = [f"On a phone in the same network open {lan.url}" + (" or scan the code below." if terminal else "")]
    if lan.other_urls:
        told.append(f"If the phone does not reach that, try {' or '.join(lan.other_urls)}.")
    told.append(textwrap.fill(WARNING, 100))
    told.append(f"The certificate's SHA-256 fingerprint, to compare:\n{lan.fingerprint}")
    told.append("As long as this runs, everybody in this network can open Lacquer.")
    if terminal:
        told.append(qr.for_terminal(lan.url))
    return "\n\n".join(told)
