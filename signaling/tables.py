"""The tables: sessions, results, own designs. Each row knows what it is in the rest of the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from sqlalchemy import JSON, ForeignKey, Index, String
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
    pass


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
        )


class ResultRow(Base):
    __tablename__ = "results"
    __table_args__ = (Index("results_by_owner", "owner", "created_at"),)

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

    def to_own(self) -> Own:
        return Own(
            design=Design.model_validate(self.design),
            nail_set=self.nail_set,
            nail_count=self.nail_count,
            file=self.file,
            content=self.content,
        )
