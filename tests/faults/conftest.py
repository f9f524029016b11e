"""Signaling with fake workers, as its own tests start it."""

from tests.signaling.conftest import start, worker

__all__ = ["start", "worker"]
