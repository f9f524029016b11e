"""What stops a training before it begins."""

from __future__ import annotations


class CannotTrain(ValueError):
    """Sources, pictures or the work folder are not as they must be. The message is one line and says what to do."""
