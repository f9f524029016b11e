"""What browsers are told to refuse."""

from __future__ import annotations

import pytest

from signaling import security_headers


def policy(host: str = "nails.example", ancestors: str = "'self'") -> dict[str, str]:
    header = security_headers.of_page(host, ancestors)["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in header.split("; "))


def test_everything_is_refused_but_what_is_listed() -> None:
    directives = policy()
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["worker-src"] == "'self'"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert not any("unsafe" in values or "http" in values for values in directives.values())


def test_sockets_to_the_same_host() -> None:
    assert policy("localhost:8000")["connect-src"] == "'self' ws://localhost:8000 wss://localhost:8000"


@pytest.mark.parametrize("host", ["a; script-src *", "a b", "a,b", ""])
def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    assert policy(host)["connect-src"] == "'self'"


def test_of_the_devices_only_what_a_try_on_needs() -> None:
    permissions = security_headers.of_page("nails.example", "'self'")["Permissions-Policy"]
    assert "camera=(self)" in permissions
    assert "microphone=()" in permissions
