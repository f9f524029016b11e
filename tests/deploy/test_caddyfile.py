"""The Caddyfile, by Caddy itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from signaling.app import OPERATIONS
from signaling.uploads import MAX_FORM_SIZE
from tests.deploy.files import DEPLOY, compose
from tests.deploy.programs import check

FILE = DEPLOY / "Caddyfile"
PACKAGE = "the Debian package caddy"


def adapted(tmp_path: Path, **environment: str) -> dict[str, Any]:
    """The file as JSON, as Caddy loads it with the environment of compose.yaml."""
    words = {**compose()["services"]["caddy"]["environment"], **environment, "XDG_DATA_HOME": str(tmp_path)}
    loaded: dict[str, Any] = json.loads(
        check("caddy", PACKAGE, "adapt", "--config", FILE, "--adapter", "caddyfile", **words)
    )
    return loaded


def handlers(node: object, kind: str) -> Iterator[dict[str, Any]]:
    """Every handler of a kind, in order."""
    if isinstance(node, dict):
        if node.get("handler") == kind:
            yield node
        for value in node.values():
            yield from handlers(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from handlers(value, kind)


def test_caddy_takes_it(tmp_path: Path) -> None:
    words = compose()["services"]["caddy"]["environment"]
    check(
        "caddy", PACKAGE, "validate", "--config", FILE, "--adapter", "caddyfile", **words, XDG_DATA_HOME=str(tmp_path)
    )


def test_it_is_formatted(tmp_path: Path) -> None:
    assert check("caddy", PACKAGE, "fmt", FILE, XDG_DATA_HOME=str(tmp_path)) == FILE.read_text("utf-8")


def test_a_domain_gets_its_certificate_by_itself(tmp_path: Path) -> None:
    config = adapted(tmp_path)["apps"]
    (server,) = config["http"]["servers"].values()
    assert server["listen"] == [":443"]
    assert server["routes"][0]["match"] == [{"host": ["nails.example"]}]
    assert "automatic_https" not in server
    issuers = config["tls"]["automation"]["policies"][0]["issuers"]
    assert issuers[0] == {"email": "ops@nails.example", "module": "acme"}


def test_requests_go_to_the_replicas_that_are_well(tmp_path: Path) -> None:
    (proxy,) = handlers(adapted(tmp_path), "reverse_proxy")
    assert [upstream["dial"] for upstream in proxy["upstreams"]] == ["signaling-1:8000", "signaling-2:8000"]
    assert proxy["health_checks"]["active"]["uri"] in {operation.path for operation in OPERATIONS}
    assert proxy["health_checks"]["passive"]["fail_duration"] > 0
    balancing = proxy["load_balancing"]
    assert balancing["selection_policy"] == {"policy": "least_conn"}
    assert balancing["try_duration"] == 5e9


def test_the_largest_form_passes(tmp_path: Path) -> None:
    (body,) = handlers(adapted(tmp_path), "request_body")
    # Larger than what signaling takes, so that signaling refuses in its own words; not by much.
    assert MAX_FORM_SIZE < body["max_size"] < 1.2 * MAX_FORM_SIZE


def internal(config: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Paths that are hidden, and networks that they are not hidden from."""
    text = json.dumps(config)
    (paths,) = re.findall(r'"path": (\[[^\]]*/metrics[^\]]*\])', text)
    (ranges,) = re.findall(r'"ranges": (\[[^\]]*\])', text)
    return json.loads(paths), json.loads(ranges)


def test_internal_paths_are_nobodys_unless_asked(tmp_path: Path) -> None:
    paths, ranges = internal(adapted(tmp_path))
    assert {"/metrics", "/admin/*"} <= set(paths)
    assert ranges == ["192.0.2.0/24"]
    _, ranges = internal(adapted(tmp_path, LACQUER_INTERNAL_FROM="203.0.113.0/24 2001:db8::/32"))
    assert ranges == ["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"]
    # Deny comes before the proxy.
    order = json.dumps(adapted(tmp_path))
    assert order.index('"static_response"') < order.index('"reverse_proxy"')
