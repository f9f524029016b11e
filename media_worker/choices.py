"""What a person chooses on a command line, as the `config` that a live session would be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from protocol.designs import Colours, Finger, Finish, Length, Pattern, Shape
from protocol.errors import BadRequest
from protocol.messages import FingerConfig

EXAMPLE = "for example --finger ring=12 or --finger ring.finish=glitter"


def colours(values: Iterable[str]) -> Colours | None:
    """Base first; None without any. `B3001B` will do: a shell takes `#B3001B` for a comment. Raises BadRequest."""
    full = tuple(value if value.startswith("#") else f"#{value}" for value in values)
    if not full:
        return None
    try:
        return TypeAdapter(Colours).validate_python(full)
    except ValidationError:
        raise BadRequest(f"{', '.join(full)}: give one to five colours as RRGGBB, for example B3001B") from None


def fingers(choices: Iterable[str]) -> dict[Finger, FingerConfig]:
    """From `ring=12`, `ring.finish=glitter` and the like; colours of a finger add up. Raises BadRequest."""
    fields: dict[Finger, dict[str, Any]] = {}
    for choice in choices:
        finger, name, value = _parts(choice)
        own = fields.setdefault(finger, {})
        if name == "colour":
            own.setdefault("colours", []).extend(value.split(","))
        else:
            own[name] = _value(choice, name, value)
    return {
        finger: FingerConfig(**own | {"colours": colours(own.get("colours", ()))}) for finger, own in fields.items()
    }


def _parts(choice: str) -> tuple[Finger, str, str]:
    """Finger, field and value of `ring.finish=glitter`; of `ring=12` the field is the design."""
    left, equals, value = choice.partition("=")
    finger, dot, name = left.partition(".")
    name = name if dot else "design"
    if not equals or not value:
        raise BadRequest(f"--finger {choice}: a value is missing; {EXAMPLE}")
    if finger not in set(Finger):
        raise BadRequest(f"--finger {choice}: fingers are {_list(Finger)}; {EXAMPLE}")
    if name != "colour" and name not in _FIELDS:
        raise BadRequest(f"--finger {choice}: a finger has {', '.join(_FIELDS)} and colour; {EXAMPLE}")
    return Finger(finger), name, value


def _value(choice: str, name: str, value: str) -> StrEnum | int:
    try:
        return _FIELDS[name](value)
    except ValueError:
        kind = _FIELDS[name]
        known = f"one of {_list(kind)}" if isinstance(kind, type) and issubclass(kind, StrEnum) else "a number"
        raise BadRequest(f"--finger {choice}: {name} is {known}") from None


def _number(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


_FIELDS: dict[str, Callable[[str], StrEnum | int]] = {
    "design": _number,
    "pattern": Pattern,
    "finish": Finish,
    "shape": Shape,
    "length": Length,
    "nail": _number,
}
"""A finger's fields but its colours, and how their values are read."""


def _list(kind: Iterable[StrEnum]) -> str:
    return ", ".join(kind)
