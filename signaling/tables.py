"""The tables as they are today: sessions, results, own designs, and what keeps them tidy. Each row knows what it is in
the rest of the program. How older databases become like this is in `migrations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import JsonValue
from sqlalchemy import JSON, Double, ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from protocol.api import Mode, SessionStatus
from protocol.designs import Design
from protocol.messages import Config, Stats
from signaling.own_designs import Own
from signaling.sessions import Session


@dataclass(frozen=True)
class Result:
    """A kept picture."""

    result_id: str
    session_id: str
    owner: str
    created_at: float
    design_id: int | None
    """What was worn; None for the session's uploaded design."""
    blob: str
    content_type: str
    width: int
    height: int
    confidence_score: float | None
    metadata: dict[str, JsonValue]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        float: Double()
    }  # times in seconds need more than single precision


class SessionRow(Base):
    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_by_owner", "owner", "created_at"),
        Index("sessions_by_end", "status", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(16))
    post_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[float]
    expires_at: Mapped[float]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    statistics: Mapped[dict[str, Any]] = mapped_column(JSON)
    earlier: Mapped[dict[str, Any]] = mapped_column(JSON)
    nail_set: Mapped[str | None] = mapped_column("reference", String(64))  # as the first databases called it
    reports: Mapped[int] = mapped_column(server_default="0")
    """How many reports of workers were taken in: one that was asked for before the last of them is stale."""

    def to_session(self) -> Session:
        return Session(
            session_id=self.id,
            owner=self.owner,
            mode=Mode(self.mode),
            post_id=self.post_id,
            status=SessionStatus(self.status),
            created_at=self.created_at,
            expires_at=self.expires_at,
            settings=Config.model_validate(self.settings),
            statistics=Stats.model_validate(self.statistics),
            earlier=Stats.model_validate(self.earlier),
            nail_set=self.nail_set,
            reports=self.reports,
        )


class ResultRow(Base):
    __tablename__ = "results"
    __table_args__ = (Index("results_by_owner", "owner", "created_at"), Index("results_by_age", "created_at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    owner: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[float]
    design_id: Mapped[int | None]
    blob: Mapped[str] = mapped_column(String(64))
    content_type: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    confidence_score: Mapped[float | None]
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)  # `metadata` is SQLAlchemy's own attribute

    def to_result(self) -> Result:
        return Result(
            result_id=self.id,
            session_id=self.session_id,
            owner=self.owner,
            created_at=self.created_at,
            design_id=self.design_id,
            blob=self.blob,
            content_type=self.content_type,
            width=self.width,
            height=self.height,
            confidence_score=self.confidence_score,
            metadata=self.extra,
        )


class DesignRow(Base):
    """A design that is gone keeps its row: no other one ever gets its id, and its file, come back, gets it again."""

    __tablename__ = "designs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    removed: Mapped[bool]
    design: Mapped[dict[str, Any]] = mapped_column(JSON)
    nail_set: Mapped[str | None] = mapped_column(String(64))
    nail_count: Mapped[int]
    file: Mapped[str | None] = mapped_column(String(255), index=True)
    content: Mapped[str | None] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(server_default="0")
    """One more with every change: a change is made to what was read, or not at all."""

    def to_own(self) -> Own:
        return Own(
            design=Design.model_validate(self.design),
            nail_set=self.nail_set,
            nail_count=self.nail_count,
            file=self.file,
            content=self.content,
            revision=self.revision,
        )


class CounterRow(Base):
    """What was given out last. Whoever takes the next number holds the row until the end of the transaction."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int]


class LooseBlobRow(Base):
    """A blob that no row above points to: one that is being written, or one that is to be deleted."""

    __tablename__ = "loose_blobs"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    writing: Mapped[bool]
    """It may still be claimed by a row. Never again once it is to be deleted."""
    due: Mapped[float] = mapped_column(index=True)
    """Unix time from which on it is to be deleted, or tried again."""


class LeaseRow(Base):
    """Work that one signaling process at a time does for all."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(36))
    expires_at: Mapped[float]
