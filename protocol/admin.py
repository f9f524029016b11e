"""What an operator is shown: answers of `/admin/…`, for who shows the admin token.

Nothing in them says who somebody is: an owner is a pseudonym, and what clients wrote themselves is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from protocol.api import ApiModel, Mode, SessionStatus
from protocol.designs import Colour
from protocol.messages import Stats


class AdminProcess(ApiModel):
    """The signaling process that answers; behind a balancer, another one may answer the next time."""

    name: str
    """Host and process id."""
    version: str
    started_at: datetime


class AdminOverview(ApiModel):
    """`GET /admin/overview/`"""

    process: AdminProcess
    created: int
    """Sessions that wait for their first connection, of all processes that share the database."""
    active: int
    thumbnails: bool
    """Whether operators may look at pictures (LACQUER_ADMIN_THUMBNAILS)."""


class AdminDesign(ApiModel):
    """What is worn, in brief."""

    id: int | None
    name: str
    colours: list[Colour]


class AdminSession(ApiModel):
    """A session that is not over, as `GET /admin/sessions/` lists it."""

    session_id: str
    owner: str
    """A pseudonym: the same for all sessions of one owner, and no way back."""
    mode: Mode
    status: SessionStatus
    design: AdminDesign
    worker: str | None
    """Id of the worker that holds it; None where none does."""
    created_at: datetime
    expires_at: datetime
    connections: int | None
    """None where the worker did not say in time."""
    nails: int | None
    """In the newest processed frame; None before the first, and where the worker did not say."""
    confidence: float | None
    """Of that frame, 0–1."""
    statistics: Stats


class AdminResult(ApiModel):
    """A kept picture, as `GET /admin/results/` lists it, without the picture."""

    result_id: str
    session_id: str
    owner: str
    design: AdminDesign | None
    width: int
    height: int
    confidence_score: float | None
    created_at: datetime


class AdminError(ApiModel):
    """Something that this signaling process logged as a warning or an error, without whatever could be a secret."""

    level: Literal["warning", "error"]
    event: str
    """What happened, in the program's own words."""
    code: str | None
    """One of protocol/errors.py."""
    kind: str | None
    """The exception's class; the log has the rest."""
    session_id: str | None
    worker: str | None
    """Id of the worker concerned, where it is still there."""
    first_at: datetime
    last_at: datetime
    count: int


class AdminErrors(ApiModel):
    """`GET /admin/errors/`, newest first."""

    process: str
    """The one whose errors these are, and no other's."""
    errors: list[AdminError]
