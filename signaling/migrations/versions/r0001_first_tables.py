"""Sessions, results and own designs, as Lacquer made them before it had migrations.

Databases of that time are recognised by what they hold: a table that is there stays as it is. Some have no `designs`
yet, which came last.

Revision ID: r0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signaling.database import DatabaseUnusable

revision = "r0001"
down_revision = None


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    for name, create, ours in (
        ("sessions", _sessions, "expires_at"),
        ("results", _results, "confidence_score"),
        ("designs", _designs, "nail_count"),
    ):
        if not there.has_table(name):
            create()
        elif ours not in {column["name"] for column in there.get_columns(name)}:
            raise DatabaseUnusable(f"its table `{name}` is another program's: give Lacquer a database of its own")


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("post_id", sa.Integer()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("reference", sa.String(64)),
    )
    op.create_index("sessions_by_owner", "sessions", ["owner", "created_at"])
    op.create_index("sessions_by_end", "sessions", ["status", "expires_at"])


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("design_id", sa.Integer()),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("confidence_score", sa.Double()),
        sa.Column("metadata", sa.JSON(), nullable=False),
    )
    op.create_index("results_by_owner", "results", ["owner", "created_at"])
    op.create_index("ix_results_session_id", "results", ["session_id"])


def _designs() -> None:
    op.create_table(
        "designs",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("nail_set", sa.String(64)),
        sa.Column("nail_count", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(255)),
        sa.Column("content", sa.String(64)),
    )
    op.create_index("ix_designs_file", "designs", ["file"])
