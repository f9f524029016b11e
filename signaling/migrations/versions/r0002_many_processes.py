"""What several signaling processes on one database need: stale reports told from new ones, ids of own designs given out
once, blobs that no row points to remembered, and work that one of them does for all.

Revision ID: r0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"

FIRST_GIVEN_ID = 100_000
"""As `signaling.own_designs` had it when this step was written."""


def upgrade() -> None:
    op.add_column("sessions", sa.Column("reports", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("designs", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("results_by_age", "results", ["created_at"])
    _counters()
    op.create_table(
        "loose_blobs",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
    )
    op.create_index("ix_loose_blobs_due", "loose_blobs", ["due"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )


def _counters() -> None:
    """Designs keep their rows when they are removed, so the highest id was the last one given out."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.execute(
        "INSERT INTO counters (name, value) "
        f"SELECT 'designs', coalesce(max(id), {FIRST_GIVEN_ID - 1}) FROM designs WHERE id >= {FIRST_GIVEN_ID}"
    )
