"""What the page tells browsers to refuse it, so that a hole in it is worth little. Pure.

https://www.w3.org/TR/CSP3/ · https://www.w3.org/TR/permissions-policy/ · https://www.w3.org/TR/trusted-types/
"""

from __future__ import annotations

from collections.abc import Collection

_ALLOWED = ("camera", "fullscreen", "screen-wake-lock")
"""In a frame, only where the page around it passes them on (`allow=`)."""

_REFUSED = ("accelerometer", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "usb")

FILE = {"X-Content-Type-Options": "nosniff"}
"""Of everything that is no page."""

WORKER = FILE | {"Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
"""Of the service worker: it fetches, and nothing else."""

ADMIN = FILE | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in (*_ALLOWED, *_REFUSED)),
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of the operator's page: it talks to this server, shows pictures it was given, and makes no markup at all."""


def of_page(url: str, embedders: Collection[str]) -> dict[str, str]:
    """Headers of the page. `url` is the scheme and host of links in answers, `embedders` origins that may frame it."""
    permissions = [f"{name}=(self)" for name in _ALLOWED] + [f"{name}=()" for name in _REFUSED]
    return FILE | {
        "Content-Security-Policy": _policy(url, embedders),
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": ", ".join(permissions),
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _policy(url: str, embedders: Collection[str]) -> str:
    # Safari before 15.4 does not take a WebSocket to the page's own host for 'self'.
    # Whoever opens the page by another address than LACQUER_PUBLIC_URL meets links to that one.
    ours = f"'self' {url}"
    host = url.partition("://")[2]
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"{ours} blob:",
        "media-src": "'self' blob:",
        "connect-src": f"{ours} ws://{host} wss://{host}",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(["'self'", *embedders]),
        "require-trusted-types-for": "'script'",
        "trusted-types": "lacquer",
    }
    return "; ".join(f"{name} {values}" for name, values in directives.items())
