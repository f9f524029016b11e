"""Whether the settings can be read, which of them are set, and whether a secret is one. No I/O but the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsError

from protocol.checkup import Verdict, failed, ok
from protocol.weak_secrets import HOW_TO_MAKE_ONE, weakness

SECRET_ENDINGS = ("_key", "_secret", "_token")

HIDDEN = (*SECRET_ENDINGS, "redis_url", "database_url", "ice_servers")
"""Of settings whose value is nobody's business."""

MIN_KEY_BYTES = 32
"""Of LACQUER_SECRET_KEY, as in `auth`."""


def read(kind: type[BaseSettings]) -> tuple[BaseSettings | None, Verdict]:
    """The settings, where they can be read, and what to say of them."""
    try:
        settings = kind()
    except ValidationError as error:
        problems = "; ".join(_problem(kind, problem["loc"], problem["msg"]) for problem in error.errors())
        return None, failed(problems, "mend what is named in the environment; signaling/README.md explains each")
    except SettingsError as error:
        return None, failed(str(error), "mend it in the environment; values that are lists are JSON")
    return settings, judge(settings)


def judge(settings: BaseSettings) -> Verdict:
    weak = [told for name, variable in _variables(type(settings)) if (told := _weak(name, variable, settings))]
    if weak:
        return failed("; ".join(weak), f"make one with: {HOW_TO_MAKE_ONE}")
    listed = [shown(name, variable, settings) for name, variable in _variables(type(settings))]
    said = [entry for entry in listed if entry]
    return ok(f"{len(said)} set: {', '.join(said)}" if said else "none set: all defaults")


def shown(name: str, variable: str, settings: BaseSettings) -> str | None:
    """As in a list of what is set; None for a default."""
    if name not in settings.model_fields_set:
        return None
    return f"{variable}=…" if name.endswith(HIDDEN) else f"{variable}={_short(getattr(settings, name))}"


def _weak(name: str, variable: str, settings: BaseSettings) -> str | None:
    """What is wrong with a secret that was given. `lacquer serve` refuses it as well."""
    value = getattr(settings, name)
    if not isinstance(value, str) or not name.endswith(SECRET_ENDINGS):
        return None
    problem = weakness(value, MIN_KEY_BYTES if name == "secret_key" else 0)
    return f"{variable} {problem}" if problem else None


def _variables(kind: type[BaseSettings]) -> Sequence[tuple[str, str]]:
    return [(name, _variable(name, field)) for name, field in kind.model_fields.items()]


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"LACQUER_{name.upper()}"


def _problem(kind: type[BaseSettings], place: Sequence[int | str], said: str) -> str:
    """Without the value, which may be a secret."""
    name = str(place[0]) if place else ""
    fields: Mapping[str, FieldInfo] = kind.model_fields
    variable = _variable(name, fields[name]) if name in fields else name
    return f"{variable}: {said}" if variable else said


def _short(value: object, most: int = 60) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
