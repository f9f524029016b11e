"""Whether what a person asks for exists. A worker asks this of every `config`; signaling of one that comes by form."""

from __future__ import annotations

from collections.abc import Callable

from protocol.errors import UnknownNail
from protocol.messages import Config

NailCount = Callable[[int | None], int]
"""How many nails the design with this id was taken from, 0 for most; None is the session's own design. Raises
UnknownDesign."""


def changed(settings: Config, change: Config) -> Config:
    """The settings with the fields that `change` names; the rest stays as it was."""
    return settings.model_copy(update={name: getattr(change, name) for name in change.model_fields_set})


def check(change: Config, settings: Config, nail_count: NailCount) -> None:
    """Whether `change` names only designs and nails that exist, where `settings` are those after it.

    What was chosen earlier is not looked at: a design may be gone since, and another design has other nails.
    Raises UnknownDesign, UnknownNail.
    """
    if change.design is not None:
        nail_count(change.design)
    for finger, wish in change.fingers.items():
        if wish.design is not None:
            nail_count(wish.design)
        if wish.nail is not None:
            known = nail_count(wish.design if wish.design is not None else settings.design)
            if wish.nail >= known:
                raise UnknownNail(f"fingers.{finger.value}.nail: {wish.nail}; {_range(known)}")


def _range(known: int) -> str:
    return f"the design's nails are 0 to {known - 1}" if known else "this design was not taken from a picture"
