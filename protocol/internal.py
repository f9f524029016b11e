"""What signaling and a media worker say to each other over the worker's internal HTTP API.

    PUT    /internal/sessions/{id}                    SessionSpec → 201, 204   open the session, or refresh it (204)
    DELETE /internal/sessions/{id}?reason=…           → SessionReport          end it; clients are told
    POST   /internal/sessions/{id}/leave              → 204                    forget it: it goes on at another worker
    GET    /internal/sessions                         → [SessionReport]        every session held here
    POST   /internal/sessions/{id}/peers?role=…       application/sdp → 201 application/sdp, Location: peer id
    PATCH  /internal/sessions/{id}/peers/{peer_id}?…  application/trickle-ice-sdpfrag → 204
    DELETE /internal/sessions/{id}/peers/{peer_id}?…  → 204
    GET    /internal/sessions/{id}/frame?format=jpeg  → image; `X-Lacquer-Frame`: FrameInfo as JSON
    POST   /internal/stills                           StillRequest → StillAnswer
    POST   /internal/previews                         PreviewRequest → image/webp
    POST   /internal/nail-sets                        NailSetRequest → NailSet
    GET    /internal/designs                          → {id: version}          own designs known here
    PUT    /internal/designs/{id}                     OwnDesign → 204
    DELETE /internal/designs/{id}                     → 204
    WS     /ws/tryon/{id}                             the binary header protocol; signaling bridges it byte for byte
    PUT    /internal/drain                            → 204                    take nobody in, ask everybody to leave
    DELETE /internal/drain                            → 204                    take people in again
    GET    /health                                    → WorkerHealth
    GET    /metrics                                   Prometheus text

A peer's `role` is a `Role`: `two-way` where none is named. Only who names a peer's own role reaches it.

Every `/internal/…` call carries `Authorization: Bearer <worker secret>` where the worker was given one. Errors are
problem documents with the codes of `errors`, which signaling hands on.

**Own designs** are a shop's, beside the built-in catalogue. Signaling keeps them and hands them to every worker, which
holds them in memory. Whatever wears a design names the `catalogue` it was chosen from. A worker that holds another one
(it has just started, or missed a change) answers `catalogue_unknown`, and is told what it lacks before the next try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict

from protocol.designs import Design
from protocol.messages import Config, ImageFormat, Stats
from protocol.nail_sets import NailSet

FRAME_INFO_HEADER = "X-Lacquer-Frame"


class InternalModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Role(StrEnum):
    """What a WebRTC peer of a session is there for."""

    TWO_WAY = "two-way"
    """Sends a camera, and gets the processed picture and a data channel."""
    PUBLISH = "publish"
    """Only sends (WHIP)."""
    WATCH = "watch"
    """Only gets the processed picture (WHEP); holds no slot."""


class OwnDesign(InternalModel):
    """A shop's design. One that was taken from a picture wears its nails; its colours then only describe them."""

    version: str
    """Another one whenever anything of the design changes."""
    design: Design
    nail_set: NailSet | None = None


def catalogue_version(versions: Mapping[int, str]) -> str:
    """One name for these own designs, by id and version; empty where there are none."""
    lines = "".join(f"{design_id} {version}\n" for design_id, version in sorted(versions.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32] if lines else ""


class Worn(InternalModel):
    """What is worn: a design by id, or a set of nails taken from the person's own picture."""

    design_id: int | None
    nail_set: NailSet | None = None
    settings: Config = Config()
    """What the person chose differently."""
    catalogue: str | None = None
    """Version of the own designs that all ids here are of; None where the caller has none and does not care."""


class SessionSpec(Worn):
    """All that a worker must know of a session; small, so that moving a session is cheap."""

    session_id: str
    expires_at: float
    """Unix time in seconds."""


class SessionReport(InternalModel):
    session_id: str
    connections: int
    """Live peers and sockets; a session without any holds no slot."""
    viewers: int = 0
    """Those who only watch; they hold no slot."""
    settings: Config
    statistics: Stats
    nails: int | None = None
    """In the newest processed frame; None before the first."""
    confidence: float | None = None
    """Of that frame."""


class FrameInfo(InternalModel):
    width: int
    height: int
    nails: int
    confidence: float


class StillRequest(Worn):
    """A picture to wear a design, outside any session's stream."""

    image: Base64Bytes
    format: ImageFormat = ImageFormat.JPEG


class StillAnswer(InternalModel):
    image: Base64Bytes
    info: FrameInfo


class View(StrEnum):
    """How a preview shows what is worn: on one finger tip for a strip, or on the drawn hand with all its fingers."""

    FINGER = "finger"
    HAND = "hand"


class PreviewRequest(Worn):
    """Something to look at before it is worn."""

    view: View = View.FINGER


class NailSetRequest(InternalModel):
    """A picture to take a design from."""

    image: Base64Bytes


class WorkerHealth(InternalModel):
    status: Literal["ok", "draining"]
    worker_id: str
    capacity: int
    """Slots: sessions that may stream at once."""
    used: int
    loop_lag_ms: float
    """How late the event loop ran its last timer; over 50 means that this machine has too little CPU."""
    memory_mb: float
    region: str = ""
    """Where the worker stands, as its operator calls it; empty where that does not matter."""
