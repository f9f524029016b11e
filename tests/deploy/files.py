"""The deployment's files as their readers see them: compose.yaml interpolated, the Dockerfile by stages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

EXAMPLE = {
    "LACQUER_DOMAIN": "nails.example",
    "LACQUER_ACME_EMAIL": "ops@nails.example",
    "LACQUER_PUBLIC_IP": "203.0.113.7",
    "LACQUER_SECRET_KEY": "8f3c1b6e0d7a4925" * 4,
    "LACQUER_WORKER_SECRET": "5d0b9f27c41e" * 4,
    "LACQUER_ADMIN_TOKEN": "e19c7a306b8d" * 4,
    "LACQUER_TURN_SECRET": "27fa64c0d98b" * 4,
    "POSTGRES_PASSWORD": "postgres" * 4,
    "REDIS_PASSWORD": "redis" * 8,
    "GRAFANA_PASSWORD": "grafana" * 4,
}
"""A filled in .env; `lacquer` takes no placeholders."""

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}")


class Missing(Exception):
    """A required variable is not set; the text is what compose.yaml says of it."""


def interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    """As the Compose specification has it, in all strings: `${NAME}`, `${NAME:-default}`, `${NAME:?what to do}`."""

    def filled(match: re.Match[str]) -> str:
        given = environment.get(match["name"], "")
        if match["how"] == ":?" and not given:
            raise Missing(match["rest"])
        return given or (match["rest"] if match["how"] == ":-" else "")

    match value:
        case str():
            return _VARIABLE.sub(filled, value)
        case list():
            return [interpolate(entry, environment) for entry in value]
        case dict():
            return {name: interpolate(entry, environment) for name, entry in value.items()}
    return value


def compose(environment: Mapping[str, str] = EXAMPLE) -> dict[str, Any]:
    """compose.yaml with its merges done and its variables filled in."""
    loaded: dict[str, Any] = interpolate(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")), environment)
    return loaded


def env_names(file: Path) -> list[str]:
    """Names that an .env file sets, in its order."""
    return re.findall(r"^(\w+)=", file.read_text("utf-8"), re.M)


Stage = list[tuple[str, str]]


def dockerfile() -> dict[str, Stage]:
    """Stage → its instructions, each with what follows it on one line."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.M)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    stages: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, lines)):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            name = rest.rpartition(" AS ")[2]
            stages[name] = []
        stages[name].append((word, rest.strip()))
    return stages


def image_command(target: str) -> list[str]:
    """ENTRYPOINT and CMD of an image."""
    said = dict(dockerfile()[target])
    return [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
