"""Alembic runs this to learn what to work on: the connection that `signaling.migrate` opened, in its transaction."""

from __future__ import annotations

from alembic import context

from signaling.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
