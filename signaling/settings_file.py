"""`deploy/settings.env`, written from the settings classes: every option explained, with its default, commented out.

Takes classes and gives text. Nothing is listed here: an option that a class gains is in the file once
`lacquer settings > deploy/settings.env` ran again.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode

WIDTH = 100

HEAD = """\
# Lacquer's settings. Remove the `#` before the name of what you want otherwise; what stays commented out has the value
# that is shown; after "Example:" it has none. Signaling and the workers read this file, in Docker Compose as env_file.
# One line each, no quotes round values, comments on lines of their own. Passwords and keys belong to .env, not here.
# Written by `lacquer settings`; `make test` compares.
"""


@dataclass(frozen=True)
class Option:
    """One environment variable, and what is said of it."""

    variable: str
    also: tuple[str, ...]
    description: str
    value: str | None
    """As one would write it in the file: the default, else an example, else nothing."""
    is_default: bool

    def lines(self) -> Iterator[str]:
        notes = [self.description]
        if self.also:
            notes.append(f"Also read from {' and '.join(self.also)}.")
        if self.value and not self.is_default:
            notes.append("Example:")
        yield from textwrap.wrap(" ".join(notes), WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield f"#{self.variable}={self.value or ''}"


def settings_file(signaling: type[BaseSettings], worker: type[BaseSettings]) -> str:
    """The whole file. Options that both read are said once, in signaling's words."""
    ours = {option.variable: option for option in options(signaling)}
    theirs = {option.variable: option for option in options(worker)}
    groups = {
        "Signaling and the media workers": [option for name, option in ours.items() if name in theirs],
        "Signaling": [option for name, option in ours.items() if name not in theirs],
        "Media workers": [option for name, option in theirs.items() if name not in ours],
    }
    return HEAD + "".join(_group(title, members) for title, members in groups.items())


def _group(title: str, members: Sequence[Option]) -> str:
    heading = f"# --- {title} ".ljust(WIDTH, "-")
    return f"\n{heading}\n" + "".join("\n" + "\n".join(option.lines()) + "\n" for option in members)


def options(settings: type[BaseSettings]) -> Iterator[Option]:
    """In the order of the class."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        variable, *also = variables(name, field, prefix)
        value = default = _default(field)
        if not value and field.examples:
            value = _written(field.examples[0], field)
        is_default = default is not None and value == default
        yield Option(variable, tuple(also), field.description or "", value, is_default)


def variables(name: str, field: FieldInfo, prefix: str) -> list[str]:
    """Environment variables that set a field, ours first."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias if isinstance(alias, str) else (prefix + name).upper()]


def _default(field: FieldInfo) -> str | None:
    """None where there is no default, or one that differs from process to process."""
    if field.default_factory in (list, dict, tuple):
        return _written(field.get_default(call_default_factory=True), field)
    if field.default_factory is not None or field.default is None:
        return None
    return _written(field.default, field)


def _written(value: Any, field: FieldInfo) -> str:
    """As the environment carries it: JSON for what pydantic decodes, plain words for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, dict)):
        plain = any(mark is NoDecode or isinstance(mark, NoDecode) for mark in field.metadata)
        return ",".join(map(str, value)) if plain else json.dumps(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
