"""Tokens of an identity provider, good and forged, as its users send them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from signaling.auth import MAX_TOKEN_SIZE
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_auth import bearer
from tests.signaling.test_jwks import EC, RSA, Provider

ISSUER = "https://id.example"

Make = Callable[[], dict[str, str]]
"""Headers with a token, made when the test runs: they are short-lived."""


@pytest.fixture
async def shop(start: Start, worker: FakeWorker) -> AsyncIterator[Lacquer]:
    """Signaling that takes tokens of a provider, and of nobody else for new sessions."""
    provider = Provider()
    await provider.server.start_server()
    yield await start(worker, jwks_url=provider.url, jwt_issuer=ISSUER, jwt_audience="nails", open=False)
    await provider.server.close()


def claims(**changed: Any) -> dict[str, Any]:
    told = {"sub": "ann", "iss": ISSUER, "aud": "nails", "exp": time.time() + 300, **changed}
    return {name: value for name, value in told.items() if value is not None}


def signed(kid: str | None = "r1", key: Any = RSA, algorithm: str = "RS256", **changed: Any) -> dict[str, str]:
    token = jwt.encode(claims(**changed), key, algorithm, headers={"kid": kid} if kid else None)
    return {"Authorization": f"Bearer {token}"}


async def create(lacquer: Lacquer, headers: dict[str, str]) -> Any:
    return await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=headers)


@pytest.mark.parametrize(
    "make",
    [
        signed,
        lambda: signed("e1", EC, "ES256"),
        lambda: signed(None),
        lambda: signed(aud=["other", "nails"]),
        lambda: signed(exp=time.time() - 10),  # clocks differ
        lambda: signed(nbf=time.time() + 10),
    ],
)
async def test_the_providers_users_own_what_they_start(shop: Lacquer, make: Make) -> None:
    created = await (await create(shop, make())).json()
    async with shop.stranger() as elsewhere:
        seen = await (await elsewhere.get(SESSIONS, headers=signed())).json()
        assert [session["session_id"] for session in seen] == [created["session_id"]]
        assert await (await elsewhere.get(SESSIONS, headers=signed(sub="bob"))).json() == []


PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def forged(algorithm: str, kid: str = "r1", signature: bytes = b"") -> dict[str, str]:
    """Put together by hand: PyJWT would not."""
    parts = [json.dumps({"alg": algorithm, "kid": kid}).encode(), json.dumps(claims()).encode(), signature]
    return {"Authorization": "Bearer " + ".".join(base64.urlsafe_b64encode(part).decode().strip("=") for part in parts)}


def with_public_key_as_secret() -> dict[str, str]:
    """The classic confusion: the key that everybody has, as the secret of an HMAC."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "r1"}).encode()).decode().strip("=")
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).decode().strip("=")
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = hmac.sign(f"{head}.{body}".encode(), PUBLIC)
    return {"Authorization": f"Bearer {head}.{body}.{base64.urlsafe_b64encode(signature).decode().strip('=')}"}


@pytest.mark.parametrize(
    "make",
    [
        with_public_key_as_secret,
        lambda: forged("none"),
        lambda: forged("None"),
        lambda: forged("RS256"),
        lambda: forged("ES256", "e1", bytes(64)),
        lambda: forged("RS256", "e1", bytes(256)),
        lambda: signed(key=rsa.generate_private_key(65537, 2048)),
        lambda: signed("another"),
        lambda: signed("r1", EC, "ES256"),
        lambda: signed("e1"),
        lambda: signed(algorithm="RS512"),
        lambda: signed(algorithm="PS256"),
        lambda: signed("k" * 300),
        lambda: signed(exp=time.time() - 60),
        lambda: signed(exp=None),
        lambda: signed(nbf=time.time() + 600),
        lambda: signed(aud=None),
        lambda: signed(aud="lacquer"),
        lambda: signed(aud="session", sid="s1"),
        lambda: signed(iss=None),
        lambda: signed(iss="https://evil.example"),
        lambda: signed(sub=None),
        lambda: signed(sub=""),
        lambda: signed(sub="x" * 256),
        lambda: signed(sub="a\0b"),
        lambda: signed(pad="x" * MAX_TOKEN_SIZE),
    ],
)
async def test_whatever_else_is_refused(shop: Lacquer, make: Make) -> None:
    await refused(await create(shop, make()), 401, "unauthorized")


async def test_the_shared_key_still_signs_and_says_who_and_for_whom(shop: Lacquer) -> None:
    good = {"sub": "ann", "iss": ISSUER, "aud": "nails"}
    assert (await create(shop, bearer(good))).status == 201
    for wrong in ({"iss": "x"}, {"aud": "lacquer"}, {"aud": None}, {"exp": 1}):
        told = {name: value for name, value in {**good, **wrong}.items() if value is not None}
        await refused(await create(shop, bearer(told)), 401, "unauthorized")


async def test_without_a_key_set_only_the_shared_key_signs(lacquer: Lacquer) -> None:
    await refused(await create(lacquer, signed()), 401, "unauthorized")
    assert (await create(lacquer, bearer({"sub": "ann"}))).status == 201


async def test_without_a_named_audience_it_is_ours(start: Start, worker: FakeWorker) -> None:
    """A provider signs for many applications with one key: what it signs for another one opens nothing here."""
    provider = Provider()
    await provider.server.start_server()
    lacquer = await start(worker, jwks_url=provider.url)
    await refused(await create(lacquer, signed()), 401, "unauthorized")
    assert (await create(lacquer, signed(aud="lacquer"))).status == 201
    await provider.server.close()
