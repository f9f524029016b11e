"""What an operator can set for a media worker: environment variables with the prefix LACQUER_."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from protocol import redis_url
from protocol.api import IceServer
from protocol.logs import LogFormat, LogLevel


class WorkerSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="LACQUER_", extra="ignore", populate_by_name=True)

    worker_host: str = "127.0.0.1"
    """Address of the internal API. Signaling must reach it; the public must not."""
    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8001
    """Port of the internal API; 0 takes a free one."""
    worker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = Field(
        default_factory=lambda: f"worker-{secrets.token_hex(4)}"
    )
    """Its name in logs, in the list of workers and where one is drained. Two that live may not share one."""
    worker_secret: str | None = None
    """Bearer token that signaling must present. Without one every caller is served, so keep to loopback then."""
    worker_capacity: Annotated[int, Field(ge=1, le=64)] = 4
    """Sessions that may stream at once. One at 640x480 and 30 fps takes about 0.6 of a core; more share the rate."""
    worker_advertise: Annotated[str | None, Field(pattern=r"^https?://[^\s/?#]+/?$")] = None
    """URL under which signaling reaches the internal API; by default host and port, or, where it listens on all
    addresses, the one from which it reaches Redis."""
    redis_url: Annotated[
        str | None, Field(repr=False, validation_alias=AliasChoices("LACQUER_REDIS_URL", "REDIS_URL"))
    ] = None
    """Where it writes itself in, for signaling to find it; without one, signaling must be told its URL."""
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] = ""
    """Where it stands: signaling processes of the same region prefer it."""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 30.0
    """How long clients have to reconnect elsewhere when the worker is drained or told to stop (SIGTERM)."""
    hand_model: Path | None = None
    """Path of hand_landmarker.task; by default the one that `lacquer models` fetched."""
    ice_servers: list[IceServer] = []
    """STUN and TURN servers, as JSON: [{"urls": ["stun:stun.example.org:3478"]}]."""
    ice_addresses: list[str] = []
    """Own addresses that clients are offered for media, as JSON: ["192.168.1.20"]; by default all there are."""
    log_format: LogFormat = "console"
    log_level: LogLevel = "INFO"

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value:
            redis_url.parse(value)
        return value or None
