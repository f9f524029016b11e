"""REST bodies: what `/api/try-on/…` takes and answers. The OpenAPI document is generated from these models."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from protocol.designs import Colour, Design, Finish, Pattern
from protocol.messages import Stats

SessionId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$", description="UUID")]


class Mode(StrEnum):
    EXPLORE = "explore"
    UPLOAD = "upload"


class SessionStatus(StrEnum):
    """created → active → expired | ended; created → expired | ended. See signaling/sessions.py."""

    CREATED = "created"
    ACTIVE = "active"
    EXPIRED = "expired"
    ENDED = "ended"


class ApiModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class IceServer(ApiModel):
    """As `RTCPeerConnection` takes it."""

    urls: list[str]
    # Left out rather than null: browsers turn a null of `RTCIceServer` into the text "null".
    username: str | None = Field(None, exclude_if=lambda value: value is None)
    credential: str | None = Field(None, exclude_if=lambda value: value is None)


class DesignView(ApiModel):
    """A design to show: from the catalogue, or (`id` null) the person's own upload."""

    id: int | None
    name: str
    family: str
    pattern: Pattern | None
    finish: Finish | None
    colours: list[Colour]
    thumbnail_url: str

    @classmethod
    def of(cls, design: Design, thumbnail_url: str) -> DesignView:
        return cls(**design.model_dump(), thumbnail_url=thumbnail_url)


class CreateExploreSession(ApiModel):
    """JSON body of `POST /api/try-on/sessions/`. Upload mode sends multipart/form-data instead."""

    mode: Literal["explore"]
    post_id: Annotated[int, Field(ge=1, strict=True)]


class ResultView(ApiModel):
    result_id: str
    session_id: str
    design: DesignView | None
    image_url: str
    width: int
    height: int
    confidence_score: float | None
    metadata: dict[str, JsonValue]
    created_at: datetime


class SessionView(ApiModel):
    session_id: str
    mode: Mode
    post_id: int | None
    status: SessionStatus
    created_at: datetime
    expires_at: datetime
    webrtc_url: str
    """Takes an SDP offer (WHIP-shaped, RFC 9725)."""
    ws_url: str
    ice_servers: list[IceServer]
    design: DesignView
    statistics: Stats
    """What the worker counted; zeros before the first frame."""


class SessionCreated(SessionView):
    token: str
    """Bearer token bound to this session; also proves ownership of it and of its results."""
    result: ResultView | None = None
    """Upload mode with `source_image`: the still try-on."""


class CreateResult(ApiModel):
    """`POST /api/try-on/results/`, as JSON or as multipart/form-data with `processed_image` as a file.

    Without `processed_image` the session's newest processed frame is stored.
    """

    session_id: SessionId
    processed_image: str | None = None
    """Base64, or a `data:` URL."""
    confidence_score: Annotated[float, Field(ge=0, le=1)] | None = None
    metadata: dict[str, JsonValue] = {}


class Problem(ApiModel):
    """RFC 9457 problem document, `application/problem+json`. `code` is one of protocol/errors.py."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


class Health(ApiModel):
    """`GET /healthz`: this process answers. Says nothing of others."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(ApiModel):
    """`GET /readyz`: 200 when a new session would be served, else 503."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
    """Each dependency: `ok`, or what is wrong in words."""
    free_slots: int
