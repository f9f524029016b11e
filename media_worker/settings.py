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
    """A media worker's configuration. What stands below a field is its description, in `lacquer settings` too."""

    model_config = SettingsConfigDict(
        env_prefix="LACQUER_", extra="ignore", populate_by_name=True, use_attribute_docstrings=True
    )

    worker_host: str = "127.0.0.1"
    """Address of the internal API. Signaling must reach it; the public must not."""
    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8001
    """Port of the internal API; 0 takes a free one."""
    worker_id: str = Field(default_factory=lambda: f"worker-{secrets.token_hex(4)}", examples=["worker-1"])
    """Its name in `/health` and logs; made up at each start where none is given."""
    worker_secret: str | None = Field(default=None, examples=["made-by-openssl-rand-hex-24"])
    """Bearer token that signaling must present. Without one every caller is served, so keep to loopback then."""
    worker_capacity: Annotated[int, Field(ge=1, le=64)] = 4
    """Sessions that may stream at once. One at 640x480 and 30 fps takes about 0.6 of a core; more share the rate."""
    hand_model: Path | None = Field(default=None, examples=["/opt/lacquer/hand_landmarker.task"])
    """Path of hand_landmarker.task; by default the one that `lacquer models` fetched."""
    ice_servers: list[IceServer] = []
    """STUN and TURN servers, as JSON: [{"urls": ["stun:stun.example.org:3478"]}]."""
    ice_addresses: list[str] = []
    """Own addresses that clients are offered for media, as JSON: ["192.168.1.20"]; by default all there are."""
    log_format: LogFormat = "console"
    """`console` for people, `json` for machines."""
    log_level: LogLevel = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
