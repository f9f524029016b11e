"""Every option of signaling, from `LACQUER_…` environment variables. A few also answer to a well-known bare name.

Nothing here touches the disk but `signing_key`, which makes up a key where none was given.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from aiohttp import web
from pydantic import AliasChoices, DirectoryPath, Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from protocol import ice_urls, limits
from protocol.api import IceServer
from protocol.logs import LogFormat, LogLevel
from protocol.redis_url import parse as parse_redis_url

ANY_ORIGIN = ANY_HOST = "*"

CLOCK_DIFFERENCE = 300.0
"""Seconds by which the clock of a TURN server may be ahead of ours."""

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]+")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@]+")

_ASYNC_DRIVERS = {
    "sqlite://": "sqlite+aiosqlite://",
    "postgres://": "postgresql+asyncpg://",
    "postgresql://": "postgresql+asyncpg://",
}


def _default_data_dir() -> Path:
    """Not the working directory: `lacquer serve` finds its sessions again wherever it is started from."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "lacquer"


class Settings(BaseSettings):
    """Signaling's configuration. Names on the left, in upper case after `LACQUER_`, are the variables."""

    model_config = SettingsConfigDict(env_prefix="LACQUER_", populate_by_name=True, extra="ignore", frozen=True)

    host: str = Field(default="0.0.0.0", description="Address to listen on. 127.0.0.1 keeps everyone else out.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Scheme and host that browsers use, such as https://nails.example. Set it behind a proxy; "
        "without it, links repeat the scheme and Host of each request.",
        examples=["https://nails.example"],
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose pages may embed the try-on, such as https://shop.example: separated by commas, or "
        "as a JSON list; `*` for all. Default: none but our own page.",
        examples=["https://shop.example,https://www.shop.example"],
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        examples=["nails.example,www.nails.example"],
        description="Names under which this server is asked for (the Host header, without a port), separated by "
        "commas; `*` for any. Default: those of public_url and localhost; any, where no public_url is set.",
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder for the database, images and the generated key. Default: $XDG_DATA_HOME/lacquer.",
        examples=["/var/lib/lacquer"],
    )
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LACQUER_DATABASE_URL", "DATABASE_URL"),
        description="SQLAlchemy URL. Default: SQLite in data_dir/lacquer.db.",
        examples=["postgresql://lacquer:password@db.example:5432/lacquer"],
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=200, description="Connections that each signaling process keeps to PostgreSQL."
    )
    blob_dir: Path | None = Field(
        default=None, description="Folder for images. Default: data_dir/blobs.", examples=["/var/lib/lacquer/blobs"]
    )
    blob_url: str | None = Field(
        default=None,
        pattern=r"^(file:///|s3://[^/?#]+(/|$))[^?#]*$",
        description="Where images are kept: file:///folder, or s3://bucket/prefix with the usual AWS_… variables. "
        "Default: blob_dir.",
        examples=["s3://lacquer-pictures/production"],
    )
    retention_days: float = Field(
        default=30,
        ge=0,
        description="Days that results with their images, and sessions that are over, are kept; 0 keeps them.",
    )
    secret_key: str | None = Field(
        default=None,
        min_length=1,
        repr=False,
        validation_alias=AliasChoices("LACQUER_SECRET_KEY", "SECRET_KEY"),
        description="Signs cookies and tokens (HS256), also those a host application issues; 32 bytes or more. "
        "Default: made up once and kept in data_dir/secret_key.",
        examples=["made-by-openssl-rand-hex-32"],
    )
    open: bool = Field(
        default=True,
        description="Whether anybody may start sessions. If not, only who shows a token of the host application.",
    )
    jwks_url: str | None = Field(
        default=None,
        pattern=r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[^\s#]+$",
        examples=["https://id.example/.well-known/jwks.json"],
        description="Where the host application's identity provider shows its public keys (a JSON Web Key Set), for "
        "tokens signed with RS256 or ES256. https, or http on this machine.",
    )
    jwt_issuer: str | None = Field(
        default=None,
        min_length=1,
        examples=["https://id.example"],
        description="What `iss` of the host application's tokens must be. Default: anything.",
    )
    jwt_audience: str | None = Field(
        default=None,
        min_length=1,
        examples=["lacquer"],
        description="What `aud` of the host application's tokens must be or hold. Default: `lacquer`, and tokens "
        "signed with the secret key may go without.",
    )
    admin_token: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        description="Bearer token of who may change own designs, drain workers and open /admin; 16 characters or more. "
        "Default: none, and nobody may.",
        examples=["made-by-openssl-rand-hex-24"],
    )
    admin_thumbnails: bool = Field(
        default=False,
        description="Whether operators may look at small pictures of live sessions and results. They show people.",
    )
    designs_dir: DirectoryPath | None = Field(
        default=None,
        validation_alias=AliasChoices("LACQUER_DESIGNS_DIR", "DESIGNS_DIR"),
        description="Folder of own designs, watched: TOML and JSON files, and photos of manicures. Default: none.",
        examples=["/srv/designs"],
    )
    worker_url: str = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("LACQUER_WORKER_URL", "AI_TRYON_SERVICE_URL"),
        description="Media workers' internal API, where signaling neither starts workers of its own nor has a Redis: "
        "one URL, or several separated by commas.",
    )
    redis_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias=AliasChoices("LACQUER_REDIS_URL", "REDIS_URL"),
        description="Where workers write themselves in: redis://, rediss://, unix://, "
        "redis+sentinel://host:port,host2:port/service/db or redis+cluster://host:port,host2:port. Default: none.",
        examples=["redis://:password@redis.example:6379/0"],
    )
    region: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._:-]{0,64}$",
        description="Where this process stands: workers of the same region are preferred. Default: none.",
    )
    worker_secret: str | None = Field(
        default=None,
        min_length=1,
        repr=False,
        description="Bearer secret that workers ask of signaling. Default: none.",
        examples=["made-by-openssl-rand-hex-24"],
    )
    ice_servers: list[IceServer] = Field(
        default_factory=list,
        description='STUN and TURN servers for browsers, as JSON: [{"urls": ["stun:stun.example:3478"]}].',
    )
    stun_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="STUN servers for browsers, separated by commas: stun:stun.example.org:3478.",
        examples=["stun:stun.example.org:3478"],
    )
    turn_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="One TURN server for browsers by all its ways in, separated by commas: "
        "turn:turn.example.org, turn:turn.example.org?transport=tcp, turns:turn.example.org:443.",
        examples=["turn:turn.example.org,turn:turn.example.org?transport=tcp"],
    )
    turn_secret: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        validate_default=True,
        description="The TURN server's shared secret (coturn: use-auth-secret, static-auth-secret), with which "
        "credentials that expire are made; 16 characters or more.",
        examples=["made-by-openssl-rand-hex-24"],
    )
    turn_lifetime: float | None = Field(
        default=None,
        ge=60,
        description="Seconds for which those credentials open new relays. "
        "Default: the lifetime of a session, and five minutes more for clocks that differ.",
        examples=[3600],
    )
    session_lifetime: float = Field(
        default=limits.SESSION_LIFETIME,
        gt=0,
        description="Seconds until a session expires, and that an extension adds to now.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")),
        description="Networks of proxies whose X-Forwarded-For is believed, separated by commas: 10.0.0.0/8. "
        "Default: this machine.",
    )
    rate_sessions_per_address: int = Field(
        default=300,
        ge=0,
        description="Sessions that one address (IPv6: one /64) may start within a minute; 0 is no limit. "
        "A shop's customers share one address.",
    )
    rate_sessions_per_owner: int = Field(
        default=60, ge=0, description="Sessions that one person, or one user of a host application, may start a minute."
    )
    rate_live_sessions: int = Field(
        default=100, ge=0, description="Sessions that one person or user may have open at once."
    )
    rate_uploads: int = Field(
        default=60, ge=0, description="Pictures that one address may send within a minute, and frames that it may keep."
    )
    rate_results: int = Field(default=500, ge=0, description="Results that one person or user may keep within a day.")
    rate_ice_servers: int = Field(
        default=120, ge=0, description="Times that one address may ask for STUN and TURN servers within a minute."
    )
    rate_offers: int = Field(
        default=60, ge=0, description="Connections (SDP offers) that one session may make within a minute."
    )
    rate_previews: int = Field(
        default=600,
        ge=0,
        description="Pictures of designs that one address may have drawn within a minute; those in memory are free.",
    )
    rate_admin_tokens: int = Field(
        default=10,
        ge=0,
        description="Wrong admin tokens that one address may show within a minute; after that, no token of it counts.",
    )
    rate_sockets: int = Field(default=200, ge=0, description="WebSockets that one address may have open at once.")
    rate_connections: int = Field(
        default=1000,
        ge=0,
        description="Connections that one address may have open at once, WebSockets included; a trusted proxy any "
        "number.",
    )
    sweep_interval: float = Field(
        default=3.0, gt=0, description="Seconds between sweeps: expiry, and statistics fetched from the workers."
    )
    retry_after: int = Field(default=limits.RETRY_AFTER, ge=1, description="Seconds in the Retry-After of a 503.")
    log_format: LogFormat = Field(default="console", description="`console` for people, `json` for machines.")
    log_level: LogLevel = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_addresses: bool = Field(
        default=False, description="Shows clients' addresses in the log; without it, none is written anywhere."
    )
    debug: bool = Field(
        default=False,
        validation_alias=AliasChoices("LACQUER_DEBUG", "DEBUG"),
        description="Logs more, and for people rather than machines.",
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> tuple[str, ...]:
        """Browsers write origins in lower case, without a slash at the end."""
        if isinstance(value, str):
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        if not isinstance(value, (list, tuple)) or not all(isinstance(origin, str) for origin in value):
            raise ValueError("must be a list of origins")
        origins = tuple(origin.strip().rstrip("/").lower() for origin in value if origin.strip())
        if wrong := [origin for origin in origins if origin != ANY_ORIGIN and not _ORIGIN.fullmatch(origin)]:
            raise ValueError(f"{wrong[0]!r} is no origin: write scheme and host, such as https://shop.example")
        return origins

    @field_validator("stun_urls", mode="before")
    @classmethod
    def _stun_urls(cls, value: str | Sequence[str]) -> tuple[str, ...]:
        return ice_urls.parse_list(value, ice_urls.STUN)

    @field_validator("turn_urls", mode="before")
    @classmethod
    def _turn_urls(cls, value: str | Sequence[str]) -> tuple[str, ...]:
        return ice_urls.parse_list(value, ice_urls.TURN)

    @field_validator("turn_secret")
    @classmethod
    def _turn_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("turn_urls"):
            raise ValueError("LACQUER_TURN_URLS needs the server's shared secret, too")
        return value

    @property
    def turn_credentials_lifetime(self) -> float:
        return self.turn_lifetime or self.session_lifetime + CLOCK_DIFFERENCE

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(host.strip().lower().strip("[]").rstrip(".") for host in value.split(",") if host.strip())
        if wrong := [host for host in hosts if host != ANY_HOST and not _HOST_NAME.fullmatch(host)]:
            raise ValueError(f"{wrong[0]!r:.80} is no host: write a name without a scheme or a port, nails.example")
        return hosts

    @field_validator("jwt_audience")
    @classmethod
    def _audience(cls, value: str | None) -> str | None:
        if value in ("session", "owner"):
            raise ValueError("`session` and `owner` mark tokens of our own; choose another name")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value:
            parse_redis_url(value)
        return value or None

    @field_validator("worker_url")
    @classmethod
    def _workers(cls, value: str) -> str:
        wrong = [url for url in _split(value) if not re.fullmatch(r"https?://[^\s/?#]+/?", url)]
        if wrong or not _split(value):
            raise ValueError(f"{(wrong or [value])[0]!r} is no URL of a worker: http://host:8001")
        return value

    @property
    def worker_urls(self) -> list[str]:
        return _split(self.worker_url)

    @property
    def async_database_url(self) -> str:
        """`database_url` with the asyncio driver filled in where it names none."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'lacquer.db'}"
        for plain, driver in _ASYNC_DRIVERS.items():
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @property
    def blobs_at(self) -> str:
        """`blob_url`, or the folder for images as one."""
        return self.blob_url or (self.blob_dir or self.data_dir / "blobs").absolute().as_uri()

    @model_validator(mode="after")
    def _one_place_for_blobs(self) -> Settings:
        if self.blob_url is not None and self.blob_dir is not None:
            raise ValueError("set LACQUER_BLOB_URL or LACQUER_BLOB_DIR, not both")
        return self


def _split(urls: str) -> list[str]:
    return [url.strip() for url in urls.split(",") if url.strip()]


SETTINGS = web.AppKey("settings", Settings)


def signing_key(settings: Settings) -> str:
    """The configured key, or the one in data_dir/secret_key, made up (mode 0600) on first use."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret_key"
    if not path.exists():
        _create_once(path, secrets.token_hex(32))
    return path.read_text("ascii").strip()


def _create_once(path: Path, text: str) -> None:
    """Writes the file whole or not at all; where another process was faster, its file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
