"""Whether STUN and TURN servers do what browsers will ask of them: tried for real, with credentials as browsers get.

A relay is opened (TURN Allocate, RFC 8656 §7), and a datagram is sent through it to where media would go on this
machine: a relay that may not talk to the workers (coturn's denied-peer-ip) opens all the same, and carries nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from aioice import stun
from aioice.turn import TurnTransport, create_turn_endpoint

from media_worker.doctor.udp import own_addresses
from media_worker.public_addresses import PublicAddresses
from media_worker.settings import WorkerSettings
from media_worker.udp_ports import UdpPorts
from protocol import ice_urls
from protocol.api import IceServer
from protocol.checkup import Check, Verdict, failed, ok, warning

SECONDS = 6.0
"""For one server. A lost request is sent again after 0.5 s, 1.5 s and 3.5 s."""

ARRIVES_WITHIN = 1.5
SEND_EVERY = 0.3

Address = tuple[str, int]


def checks(servers: Sequence[IceServer], settings: WorkerSettings) -> list[Check]:
    """One for each URL. `settings` tell where media of this machine is taken."""
    made = []
    for server in servers:
        for url in dict.fromkeys(server.urls):
            look = partial(_try, url, server, settings)
            made.append(Check(url, look, SECONDS, "see that it runs, and that firewalls let its ports in"))
    return made


async def _try(url: str, server: IceServer, settings: WorkerSettings) -> Verdict:
    where = ice_urls.parse(url)
    try:
        address = await _resolve(where.host.strip("[]"), where.port)
        if where.scheme in ice_urls.STUN:
            return await _stun(address)
        return await _turn(url, where, address, server, settings)
    except socket.gaierror as error:
        return failed(f"{where.host} has no IPv4 address: {error.strerror}", "mend the name, or DNS")
    except ssl.SSLError as error:
        return failed(f"TLS fails: {_reason(error)}", "give it a certificate for this very name that browsers trust")
    except stun.TransactionFailed as error:
        return _refused(error)
    except (OSError, stun.TransactionError) as error:
        return failed(f"no answer: {_reason(error)}", "see that it runs, and that firewalls let its ports in")


async def _resolve(host: str, port: int) -> Address:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    return str(found[0][4][0]), port


def _refused(error: stun.TransactionFailed) -> Verdict:
    code = error.response.error_code
    if code == 401:
        return failed(
            "it refuses the credentials",
            "LACQUER_TURN_SECRET must be its static-auth-secret, with use-auth-secret; both clocks must agree",
        )
    if code == 486:
        return failed("it has no relay left for us (486)", "raise user-quota and total-quota in its configuration")
    return failed(f"it refuses with {error}", "look at its log")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


# --- STUN ------------------------------------------------------------------------------------------------------------
class _Asking(asyncio.DatagramProtocol):
    """One socket that asks; what aioice's transactions need."""

    def __init__(self) -> None:
        self.request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self.transaction: stun.Transaction | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def send_stun(self, message: stun.Message, addr: Address) -> None:
        assert self._transport is not None
        self._transport.sendto(bytes(message), addr)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if self.transaction is not None and message.transaction_id == self.request.transaction_id:
            self.transaction.response_received(message, addr)


async def _stun(server: Address) -> Verdict:
    transport, asking = await asyncio.get_running_loop().create_datagram_endpoint(_Asking, local_addr=("0.0.0.0", 0))
    try:
        asking.transaction = stun.Transaction(asking.request, server, asking)
        response, _ = await asking.transaction.run()
    finally:
        transport.close()
    return ok(f"answers, and sees us at {response.attributes['XOR-MAPPED-ADDRESS'][0]}")


# --- TURN ------------------------------------------------------------------------------------------------------------
class _Relay(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.error: Exception | None = None

    def error_received(self, error: Exception) -> None:
        self.error = error


async def _turn(
    url: str, where: ice_urls.IceUrl, address: Address, server: IceServer, settings: WorkerSettings
) -> Verdict:
    host = where.host.strip("[]") if where.scheme == "turns" else address[0]  # its name is what TLS looks at
    relay, heard = await create_turn_endpoint(
        _Relay,
        (host, where.port),
        username=server.username,
        password=server.credential,
        lifetime=60,
        ssl=where.scheme == "turns" or None,
        transport=where.transport,
    )
    try:
        relayed = relay.get_extra_info("sockname")[0]
        return await _reaches(relay, heard, f"opens a relay at {relayed}", settings)
    finally:
        await _close(relay)


async def _close(relay: TurnTransport) -> None:
    """Its allocation is given back, so that trying does not use up a quota."""
    relay.close()
    closing = relay._TurnTransport__close_task  # type: ignore[attr-defined]  # aioice 0.13: nobody else waits for it
    await asyncio.gather(closing, return_exceptions=True)


async def _reaches(relay: TurnTransport, heard: _Relay, said: str, settings: WorkerSettings) -> Verdict:
    """Whether what is sent through the relay arrives where media of this machine would."""
    own = [address for address in own_addresses(settings) if ":" not in address]
    if not own:
        return ok(said)
    public = PublicAddresses.parse(settings.public_ip).offered(own)
    mend = "allow the workers' addresses in its configuration (coturn: allowed-peer-ip), and in firewalls between"
    with _listening(own[0], settings) as listener:
        target = (public[own[0]], listener.getsockname()[1])
        word = secrets.token_bytes(12)
        if await _arrives(relay, heard, listener, target, word):
            return ok(f"{said}, which reaches this machine at {target[0]}")
    if isinstance(heard.error, stun.TransactionFailed) and heard.error.response.error_code == 403:
        return failed(f"{said}, but it may not send to this machine's {target[0]}", mend)
    return warning(f"{said}, but nothing came through it to this machine at {target[0]}", mend)


async def _arrives(relay: TurnTransport, heard: _Relay, listener: socket.socket, target: Address, word: bytes) -> bool:
    loop = asyncio.get_running_loop()
    hearing = asyncio.ensure_future(loop.sock_recv(listener, len(word)))
    try:
        for _ in range(int(ARRIVES_WITHIN / SEND_EVERY)):
            relay.sendto(word, target)
            done, _ = await asyncio.wait({hearing}, timeout=SEND_EVERY)
            if done or heard.error:
                break
        return hearing.done() and hearing.result() == word
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


@contextmanager
def _listening(address: str, settings: WorkerSettings) -> Iterator[socket.socket]:
    """On a port that media may use, which is what firewalls let in."""
    ports = UdpPorts.parse(settings.udp_ports) if settings.udp_ports else UdpPorts(32768, 60999)
    with ports.bind(address) as listener:
        yield listener
