"""What an operator can set for a media worker: environment variables with the prefix LACQUER_."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    log_addresses: bool = False
    """Shows clients' addresses in the log; without it, none is written anywhere."""
