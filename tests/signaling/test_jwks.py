"""Keys of an identity provider: a real HTTP server that rotates them, lies, hangs and goes away."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from protocol.errors import Unauthorized
from signaling import jwks
from signaling.jwks import Jwks, usable_keys
from tests.signaling.conftest import Clock, eventually

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(kid: str | None = "r1", key: rsa.RSAPrivateKey = RSA, **more: Any) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, **more}


def ec_jwk(kid: str = "e1") -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key())), "kid": kid}


class Provider:
    """Where the keys are; what it answers can be changed."""

    def __init__(self) -> None:
        self.body: bytes = self.set_of(rsa_jwk(), ec_jwk())
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.asked = 0
        app = web.Application()
        app.router.add_get("/keys", self._answer)
        self.server = TestServer(app)

    @staticmethod
    def set_of(*keys: dict[str, Any]) -> bytes:
        return json.dumps({"keys": keys}).encode()

    @property
    def url(self) -> str:
        return str(self.server.make_url("/keys"))

    async def _answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.delay)
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    it = Provider()
    await it.server.start_server()
    yield it
    await it.server.close()


async def test_keys_are_fetched_once_and_kept(provider: Provider) -> None:
    async with Jwks(provider.url) as keys:
        found = await asyncio.gather(*(keys.key("r1", "RS256") for _ in range(20)), keys.key("e1", "ES256"))
        assert {key.algorithm_name for key in found} == {"RS256", "ES256"}
        assert provider.asked == 1


async def test_a_key_is_for_its_own_algorithm(provider: Provider) -> None:
    async with Jwks(provider.url) as keys:
        for kid, algorithm in (("r1", "ES256"), ("e1", "RS256"), ("other", "RS256")):
            with pytest.raises(Unauthorized):
                await keys.key(kid, algorithm)


async def test_a_token_without_a_kid_is_checked_by_the_only_key(provider: Provider) -> None:
    async with Jwks(provider.url) as keys:
        assert (await keys.key(None, "RS256")).key_id == "r1"
    provider.body = provider.set_of(rsa_jwk("r1"), rsa_jwk("r2"))
    async with Jwks(provider.url) as keys:
        with pytest.raises(Unauthorized):
            await keys.key(None, "RS256")


async def test_an_unknown_kid_fetches_anew_but_not_for_everybody(provider: Provider) -> None:
    clock = Clock()
    async with Jwks(provider.url, clock=clock) as keys:
        await keys.key("r1", "RS256")
        provider.body = provider.set_of(rsa_jwk("r2"))
        for number in range(50):
            with pytest.raises(Unauthorized):
                await keys.key(f"made up {number}", "RS256")
        assert provider.asked == 1, "the last fetch was a moment ago"
        clock.advance(jwks.MIN_INTERVAL)
        assert (await keys.key("r2", "RS256")).key_id == "r2"
        with pytest.raises(Unauthorized):
            await keys.key("r1", "RS256")  # withdrawn
        assert provider.asked == 2


async def test_old_keys_are_looked_up_again_beside(provider: Provider) -> None:
    clock = Clock()
    async with Jwks(provider.url, clock=clock) as keys:
        await keys.key("r1", "RS256")
        clock.advance(jwks.LIFETIME + 1)
        provider.delay = 0.2
        async with asyncio.timeout(0.1):
            await keys.key("r1", "RS256")
        await eventually(lambda: provider.asked == 2)


async def test_while_the_provider_is_away_its_keys_go_on(provider: Provider) -> None:
    clock = Clock()
    async with Jwks(provider.url, clock=clock) as keys:
        await keys.key("r1", "RS256")
        await provider.server.close()
        for _ in range(3):
            clock.advance(jwks.LIFETIME + 1)
            assert (await keys.key("r1", "RS256")).key_id == "r1"
            await asyncio.sleep(0.01)
        clock.advance(jwks.MIN_INTERVAL)
        with pytest.raises(Unauthorized):
            await keys.key("r2", "RS256")


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 200, {}),
        (b"<h1>Sign in</h1>", 200, {}),
        (b"[]", 200, {}),
        (b'{"keys": 7}', 200, {}),
        (b'{"keys": []}', 200, {}),
        (b'{"keys": [7, null, {}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"}]}', 200, {}),
        (b"[" * 100_000, 200, {}),
        (Provider.set_of(rsa_jwk()), 500, {}),
        (Provider.set_of(rsa_jwk()), 302, {"Location": "/keys"}),
        (Provider.set_of(rsa_jwk()) + b" " * jwks.MAX_SIZE, 200, {}),
    ],
)
async def test_what_is_no_key_set_replaces_nothing(
    provider: Provider, body: bytes, status: int, headers: dict[str, str]
) -> None:
    clock = Clock()
    async with Jwks(provider.url, clock=clock) as keys:
        await keys.key("r1", "RS256")
        provider.body, provider.status, provider.headers = body, status, headers
        clock.advance(jwks.MIN_INTERVAL)
        with pytest.raises(Unauthorized):
            await keys.key("r2", "RS256")
        assert provider.asked == 2
        assert (await keys.key("r1", "RS256")).key_id == "r1"


async def test_a_provider_that_hangs_is_not_waited_for(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT", 0.2)
    provider.delay = 30
    async with Jwks(provider.url) as keys, asyncio.timeout(3):
        with pytest.raises(Unauthorized, match="no keys"):
            await keys.key("r1", "RS256")


def test_keys_that_would_weaken_the_check_are_not_taken() -> None:
    secret = {"kty": "oct", "kid": "o1", "k": base64.urlsafe_b64encode(b"known to all").decode(), "alg": "HS256"}
    weak = rsa_jwk("weak", rsa.generate_private_key(65537, 1024))
    for_encryption = rsa_jwk("enc", use="enc")
    other = rsa_jwk("r512", alg="RS512")
    private = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA)), "kid": "private"}
    curve = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
    found = usable_keys(Provider.set_of(secret, weak, for_encryption, other, private, curve, rsa_jwk("good")))
    assert [key.key_id for key in found] == ["good"]
