"""What an operator can set for a media worker: environment variables with the prefix LACQUER_."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from media_worker.ice_peers import IcePeers
from media_worker.public_addresses import PublicAddresses
from media_worker.udp_ports import UdpPorts
from protocol import ice_urls, limits, redis_url
from protocol.api import IceServer
from protocol.logs import LogFormat, LogLevel


class WorkerSettings(BaseSettings):
    """A media worker's configuration. What stands below a field is its description, in `lacquer settings` too."""

    model_config = SettingsConfigDict(
        env_prefix="LACQUER_", extra="ignore", populate_by_name=True, use_attribute_docstrings=True
    )

    worker_host: str = "127.0.0.1"
    """Address of the internal API. Signaling must reach it; the public must not."""
    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8001
    """Port of the internal API; 0 takes a free one."""
    worker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = Field(
        default_factory=lambda: f"worker-{secrets.token_hex(4)}", examples=["worker-1"]
    )
    """Its name in logs, in the list of workers and where one is drained. Two that live may not share one."""
    worker_secret: str | None = Field(default=None, examples=["made-by-openssl-rand-hex-24"])
    """Bearer token that signaling must present. Without one every caller is served, so keep to loopback then."""
    worker_capacity: Annotated[int, Field(ge=1, le=64)] = 4
    """Sessions that may stream at once. One at 640x480 and 30 fps takes about 0.6 of a core; more share the rate."""
    memory_reserve: Annotated[float, Field(ge=0)] = 256
    """MB left in the machine or its container below which nobody new is taken in, while streams go on; 0 for never."""
    stall_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0
    """After how long a stall of its event loop is reported; one of five times that ends the process, for its supervisor
    to start it anew. 0 for neither."""
    worker_advertise: Annotated[str | None, Field(pattern=r"^https?://[^\s/?#]+/?$")] = Field(
        default=None, examples=["http://10.0.0.5:8001"]
    )
    """URL under which signaling reaches the internal API; by default host and port, or, where it listens on all
    addresses, the one from which it reaches Redis."""
    redis_url: Annotated[
        str | None, Field(repr=False, validation_alias=AliasChoices("LACQUER_REDIS_URL", "REDIS_URL"))
    ] = Field(default=None, examples=["redis://:password@redis.example:6379/0"])
    """Where it writes itself in, for signaling to find it; without one, signaling must be told its URL."""
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] = ""
    """Where it stands: signaling processes of the same region prefer it."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 30.0
    """How long clients have to reconnect elsewhere when the worker is drained or told to stop (SIGTERM)."""
    hand_model: Path | None = Field(default=None, examples=["/opt/lacquer/hand_landmarker.task"])
    """Path of hand_landmarker.task; by default the one that `lacquer models` fetched."""
    ice_servers: list[IceServer] = []
    """STUN and TURN servers, as JSON: [{"urls": ["stun:stun.example.org:3478"]}]."""
    ice_addresses: list[str] = []
    """Own addresses that clients are offered for media, as JSON: ["192.168.1.20"]; by default all there are."""
    public_ip: str = Field(default="", examples=["203.0.113.7"])
    """Behind a 1:1 NAT: the address at which clients reach this machine, or pairs of a public and a private one,
    separated by commas: 203.0.113.7/10.0.0.5,2001:db8::7/fd00::5."""
    udp_ports: str = Field(default="", examples=["50000-50100"])
    """First and last UDP port of media, as 50000-50100; by default any free one."""
    ice_peers: str = Field(default="", examples=["203.0.113.0/24"])
    """Networks to exchange media with, separated by commas, as 203.0.113.0/24; by default all that are sensible."""
    worker_stun_url: str = Field(default="", examples=["stun:stun.example.org:3478"])
    """STUN server that the worker asks for its own public address, as stun:stun.example.org:3478."""
    worker_turn_url: str = Field(default="", examples=["turn:turn.example.org"])
    """TURN server through which the worker itself can be reached; only where clients with a relay cannot reach it."""
    turn_secret: Annotated[str | None, Field(min_length=16, repr=False, validate_default=True)] = Field(
        default=None, examples=["made-by-openssl-rand-hex-24"]
    )
    """Secret shared with that server, for credentials that expire; the same that signaling has."""
    turn_lifetime: Annotated[float, Field(ge=60)] = limits.SESSION_LIFETIME
    """Seconds for which those credentials open new relays."""
    log_format: LogFormat = "console"
    """`console` for people, `json` for machines."""
    log_level: LogLevel = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    log_addresses: bool = False
    """Shows clients' addresses in the log; without it, none is written anywhere."""

    @field_validator("public_ip", "udp_ports", "ice_peers", "worker_stun_url", "worker_turn_url")
    @classmethod
    def _readable(cls, value: str, info: ValidationInfo) -> str:
        if value and info.field_name:
            _READERS[info.field_name](value)
        return value

    @field_validator("turn_secret")
    @classmethod
    def _turn_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("worker_turn_url"):
            raise ValueError("LACQUER_WORKER_TURN_URL needs the server's shared secret, too")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value:
            redis_url.parse(value)
        return value or None


def _one_server(url: str, schemes: Sequence[str]) -> None:
    if ice_urls.parse(url, schemes).host.startswith("["):
        raise ValueError(f"{url!r:.80}: a worker's server is written with its name, or its IPv4 address")


_READERS: dict[str, Callable[[str], object]] = {
    "public_ip": PublicAddresses.parse,
    "udp_ports": UdpPorts.parse,
    "ice_peers": IcePeers.parse,
    "worker_stun_url": partial(_one_server, schemes=("stun",)),
    "worker_turn_url": partial(_one_server, schemes=ice_urls.TURN),
}
"""Each raises ValueError for a text that it cannot read."""
