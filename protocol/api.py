"""REST bodies: what `/api/try-on/…` takes and answers. The OpenAPI document is generated from these models."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from protocol.designs import Colour, Family, Finger, Finish, Length, Name, NewDesign, Pattern, Shape, Style
from protocol.messages import Config, Stats
from protocol.nail_sets import NailSet, SetKind, Share

SessionId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$", description="UUID")]


OWN_FAMILY = "Own designs"
"""Heading of a shop's own designs that name none."""


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


class NailView(ApiModel):
    """One nail of a picture."""

    image_url: str
    """PNG: left to right across the nail, cuticle at the top, without light and shade."""
    finger: Finger | None
    """On whose finger it was seen."""
    confidence: Share


class NailSetView(ApiModel):
    """What was found in a picture of nails, and which finger wears which of them."""

    kind: SetKind
    confidence: Share
    """How sure the whole set is."""
    finish: Finish
    """The surface that the nails seem to have."""
    nails: list[NailView]
    fingers: dict[Finger, int]
    """Place in `nails` that each finger wears, unless `config.fingers.<finger>.nail` says otherwise."""
    filled: list[Finger]
    """Fingers that were not seen, and wear another one's nail."""
    preview_url: str
    """A hand that wears them, as the settings are now."""

    @classmethod
    def of(cls, nail_set: NailSet, base: str) -> NailSetView:
        """`base` is the address of the design, with a slash at its end."""
        nails = [
            NailView(image_url=f"{base}nails/{place}", finger=nail.finger, confidence=nail.confidence)
            for place, nail in enumerate(nail_set.nails)
        ]
        return cls(**{**dict(nail_set), "nails": nails, "preview_url": f"{base}preview"})


class DesignView(ApiModel):
    """A design to show: of the catalogue, a shop's own, or (`id` null) from the person's own picture."""

    id: int | None
    name: str
    family: str
    pattern: Pattern | None
    """None where a picture shows what lies where."""
    finish: Finish | None
    colours: list[Colour]
    shape: Shape = Shape.NATURAL
    length: Length = Length.NATURAL
    fingers: dict[Finger, Style] = {}
    """Accent nails."""
    own: bool = False
    """Whether it is a shop's own, and no part of the built-in catalogue."""
    thumbnail_url: str
    nail_set: NailSetView | None = None
    """Where the design was taken from a picture. Lists leave it out."""


class CreateExploreSession(ApiModel):
    """JSON body of `POST /api/try-on/sessions/`. Upload mode sends multipart/form-data instead."""

    mode: Literal["explore"]
    post_id: Annotated[int, Field(ge=1, strict=True)]
    config: Config = Config()
    """What to wear differently from the start."""


class CreateDesign(NewDesign):
    """`POST /api/try-on/designs/` as JSON: a design in colours."""

    family: Family = OWN_FAMILY


class PhotoDesign(ApiModel):
    """`POST /api/try-on/designs/` as a form, beside the file `image`."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    family: Family = OWN_FAMILY
    finish: Finish | None = None
    """As the picture shows, unless given."""
    shape: Shape = Shape.NATURAL
    length: Length = Length.NATURAL


class ChangeDesign(ApiModel):
    """`PATCH /api/try-on/designs/{id}/`: what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    family: Family | None = None
    finish: Finish | None = None
    shape: Shape | None = None
    length: Length | None = None
    nails: dict[Finger, Annotated[int, Field(ge=0, strict=True)]] = {}
    """Of a design that was taken from a picture: place in its nails that a finger is to wear."""


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
    settings: Config
    """What the person chose differently, as the worker last said."""
    statistics: Stats
    """What the worker counted; zeros before the first frame."""


class SessionExtended(SessionView):
    token: str | None
    """A token that lasts as long as the session does now; null for who shows neither a token for it nor its owner's."""


class SessionCreated(SessionView):
    token: str
    """Bearer token bound to this session; also proves ownership of it and of its results. It lasts as long as the
    session; extending that brings a new one."""
    whip_url: str
    """Takes video one way (WHIP, RFC 9725), for OBS and the like; `token` as bearer token."""
    whep_url: str
    """Shows the processed picture (WHEP); `token` as bearer token."""
    watch_url: str
    """The same without a token: who has this address may watch, and do nothing else."""
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


class LanView(ApiModel):
    """`GET /api/lan`: how a phone in the same network opens this server, which was started with `--lan`."""

    url: str
    other_urls: list[str]
    """The same under the machine's other addresses, if it has several."""
    fingerprint: str
    """SHA-256 of the certificate, as browsers show it: `AB:CD:…`."""
    qr_svg_url: str


class WorkerState(ApiModel):
    """A media worker, as `GET /admin/workers/` lists it."""

    id: str
    """What `/admin/workers/{id}/drain` takes; empty until the worker was heard of."""
    url: str
    region: str
    live: bool
    draining: bool
    """It takes nobody in, and leaves or waits for an operator."""
    capacity: int
    load: int
    """Slots taken or reserved."""


class Readiness(ApiModel):
    """`GET /readyz`: 200 when a new session would be served, else 503."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
    """Each dependency: `ok`, or what is wrong in words."""
    free_slots: int
