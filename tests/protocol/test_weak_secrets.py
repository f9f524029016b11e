"""Which secrets are taken for none."""

from __future__ import annotations

import secrets

import pytest

from protocol.weak_secrets import weakness


@pytest.mark.parametrize(
    "secret",
    [
        "change-me",
        "changeme",
        "CHANGE_ME_PLEASE_CHANGE_ME_PLEASE",
        "secret",
        "secretsecretsecretsecretsecretsecret",
        "password",
        "Password123!",
        "please-set-this",
        "please-set-a-long-random-string-here",
        "your-secret-key-here",
        "super_secret_admin_token",
        "made-by-openssl-rand-hex-32",
        "django-insecure-change-this-in-production",
        "replace me with a random string",
        "lacquer",
        "example",
        "0123456789abcdef0123456789abcdef",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "00000000-0000-0000-0000-000000000000",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "",
    ],
)
def test_what_everybody_would_try_first(secret: str) -> None:
    assert weakness(secret) == "is a placeholder that everybody knows"


@pytest.mark.parametrize("make", [secrets.token_hex, secrets.token_urlsafe])
def test_what_is_made_is_taken(make: object) -> None:
    assert callable(make)
    for _ in range(300):
        assert weakness(make(32), 32) is None


@pytest.mark.parametrize(
    "secret",
    [
        "correct horse battery staple",
        "82734982374923847293847293847",
        "Wv9#kQ2!pL7zR4",
        "only the shop knows",
    ],
)
def test_what_somebody_thought_of_is_taken(secret: str) -> None:
    assert weakness(secret) is None


def test_what_is_too_short_says_how_long_it_must_be() -> None:
    assert weakness("Wv9kQ2pL7z", 32) == "has 10 bytes, and 32 are needed"
    assert weakness("ö" * 3 + "Wv9kQ2pL7zAbCdEfGhIjKlMn12", 32) is None, "bytes, not letters"
