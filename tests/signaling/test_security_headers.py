"""What browsers are told to refuse."""

from __future__ import annotations

from signaling import security_headers


def policy(url: str = "https://nails.example") -> dict[str, str]:
    header = security_headers.of_page(url, ())["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in header.split("; "))


def test_everything_is_refused_but_what_is_listed() -> None:
    directives = policy()
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["worker-src"] == "'self'"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert not any("unsafe" in values or "*" in values for values in directives.values())


def test_sockets_and_pictures_of_the_same_host() -> None:
    directives = policy("http://localhost:8000")
    assert directives["connect-src"] == "'self' http://localhost:8000 ws://localhost:8000 wss://localhost:8000"
    assert directives["img-src"] == "'self' http://localhost:8000 blob:"


def test_of_the_devices_only_what_a_try_on_needs() -> None:
    permissions = security_headers.of_page("https://nails.example", ())["Permissions-Policy"]
    assert "camera=(self)" in permissions
    assert "microphone=()" in permissions
