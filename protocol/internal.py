"""What signaling and a media worker say to each other over the worker's internal HTTP API.

    PUT    /internal/sessions/{id}                    SessionSpec → 204        open the session, or refresh it
    DELETE /internal/sessions/{id}?reason=…           → SessionReport          end it; clients are told
    GET    /internal/sessions                         → [SessionReport]        every session held here
    POST   /internal/sessions/{id}/peers              application/sdp → 201 application/sdp, Location: peer id
    PATCH  /internal/sessions/{id}/peers/{peer_id}    application/trickle-ice-sdpfrag → 204
    DELETE /internal/sessions/{id}/peers/{peer_id}    → 204
    GET    /internal/sessions/{id}/frame?format=jpeg  → image; `X-Lacquer-Frame`: FrameInfo as JSON
    POST   /internal/stills                           StillRequest → StillAnswer
    GET    /internal/designs/{design_id}/thumbnail    → image/webp
    WS     /ws/tryon/{id}                             the binary header protocol; signaling bridges it byte for byte
    GET    /health                                    → WorkerHealth
    GET    /metrics                                   Prometheus text

Every `/internal/…` call carries `Authorization: Bearer <worker secret>` where the worker was given one. Errors are
problem documents with the codes of `errors`, which signaling hands on.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict

from protocol.messages import Config, ImageFormat, Stats

FRAME_INFO_HEADER = "X-Lacquer-Frame"


class InternalModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class SessionSpec(InternalModel):
    """All that a worker must know of a session; small, so that moving a session is cheap."""

    session_id: str
    design_id: int | None
    """Catalogue id in explore mode; None in upload mode, where `reference` holds the person's picture."""
    reference: Base64Bytes | None = None
    expires_at: float
    """Unix time in seconds."""
    settings: Config = Config()
    """What the client chose so far, from an earlier SessionReport."""


class SessionReport(InternalModel):
    session_id: str
    connections: int
    """Live peers and sockets; a session without any holds no slot."""
    settings: Config
    statistics: Stats


class FrameInfo(InternalModel):
    width: int
    height: int
    nails: int
    confidence: float


class StillRequest(InternalModel):
    """A picture to wear a design, outside any session's stream."""

    image: Base64Bytes
    design_id: int | None
    reference: Base64Bytes | None = None
    format: ImageFormat = ImageFormat.JPEG


class StillAnswer(InternalModel):
    image: Base64Bytes
    info: FrameInfo


class WorkerHealth(InternalModel):
    status: Literal["ok", "draining"]
    worker_id: str
    capacity: int
    """Slots: sessions that may stream at once."""
    used: int
    loop_lag_ms: float
    """How late the event loop ran its last timer; over 50 means that this machine has too little CPU."""
    memory_mb: float
