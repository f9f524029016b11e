"""The real coturn with deploy/turnserver.conf, for tests and benchmarks."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "turnserver.conf"
TURNSERVER = shutil.which("turnserver")
SECRET = "a secret between Lacquer and coturn"
READY = "Total General servers:"
"""Said when its listeners are open."""

START_SECONDS = 10.0


@dataclass
class Coturn:
    address: str
    port: int
    tls_port: int
    certificate: Path
    """What clients are to trust."""
    log: Path

    @property
    def urls(self) -> dict[str, str]:
        """By the way to it: `udp`, `tcp` and `tls`."""
        host = f"{self.address}:{self.port}"
        return {
            "udp": f"turn:{host}?transport=udp",
            "tcp": f"turn:{host}?transport=tcp",
            "tls": f"turns:{self.address}:{self.tls_port}?transport=tcp",
        }


@contextmanager
def coturn(
    folder: Path, address: str, *options: str, port: int = 3478, prefix: Sequence[str] = (), relay: str | None = None
) -> Iterator[Coturn]:
    """Listens at `address`, with TLS on the next port, and relays from `relay`; `prefix` is put before the command, as
    `ip netns exec NAME` is."""
    assert TURNSERVER, "coturn is missing; run `make test`, which installs it"
    certificate, key = _certificate(folder, address)
    log = folder / "turnserver.log"
    overridden = {
        "listening-ip": address,
        "relay-ip": relay or address,
        "listening-port": port,
        "tls-listening-port": port + 1,
        "static-auth-secret": SECRET,
        "cert": certificate,
        "pkey": key,
        "pidfile": folder / "turnserver.pid",
        "userdb": folder / "turndb",
    }
    command = [TURNSERVER, "-c", str(CONFIGURATION), *(f"--{name}={value}" for name, value in overridden.items())]
    with log.open("wb") as output:
        process = subprocess.Popen([*prefix, *command, *options], stdout=output, stderr=output, cwd=folder)
    try:
        _wait(process, log)
        yield Coturn(address, port, port + 1, certificate, log)
    finally:
        process.terminate()
        process.wait(10)


def free_pair() -> int:
    """A port of loopback that is free, as is the next one."""
    for port in range(21_000, 32_000, 2):
        try:
            with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 1)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port")


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY not in log.read_text("utf-8", "replace"):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8", "replace")
        time.sleep(0.02)


def _certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """(certificate, key) for this address; it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coturn of a test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "turn.pem", folder / "turn.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
