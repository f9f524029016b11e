"""Which expressions the deployment asks of Prometheus, and which metrics they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import yaml

from tests.deploy.files import DEPLOY

_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool"}


def metric_names(expression: str) -> set[str]:
    """What is selected: not functions, not labels, not operators."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:])(?!\s*\()", bare)
    return set(names) - _WORDS


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    """Title of the panel, expression."""
    for file in (DEPLOY / "grafana" / "dashboards").glob("*.json"):
        dashboard = json.loads(file.read_text("utf-8"))
        for note in dashboard["annotations"]["list"]:
            yield note["name"], note["expr"]
        for panel in dashboard["panels"]:
            yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def rule_expressions() -> Iterator[tuple[str, str]]:
    """Name of the rule, expression."""
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]:
        yield from ((rule.get("alert") or rule["record"], rule["expr"]) for rule in group["rules"])
