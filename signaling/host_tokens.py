"""JWTs that a host application's identity provider signs with a key of its own (RS256, ES256).

Those signed with our SECRET_KEY (HS256) are another matter, read by `auth.Tokens`. The two never meet: which one reads
a token is told by its algorithm, and neither has the other's keys, so a public key can never serve as an HMAC secret.
"""

from __future__ import annotations

from typing import Any

import jwt

from protocol.errors import Unauthorized
from signaling.jwks import ALGORITHMS, Jwks

LEEWAY = 30
"""Seconds by which the provider's clock may differ from ours."""

MAX_KID = 256


class HostTokens:
    def __init__(self, keys: Jwks, *, issuer: str | None, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    @staticmethod
    def reads(token: bytes) -> bool:
        """Whether this token is one for here. It is not valid by that."""
        return _header(token).get("alg") in ALGORITHMS

    async def claims(self, token: bytes) -> dict[str, Any]:
        """Of a token that is for us, in time, and signed by the provider. Raises Unauthorized."""
        header = _header(token)
        kid, algorithm = header.get("kid"), header["alg"]
        if kid is not None and not (isinstance(kid, str) and len(kid) <= MAX_KID):
            raise Unauthorized("the token is not valid: its `kid` is no key's name")
        key = await self._keys.key(kid, algorithm)
        options: jwt.types.Options = {"require": ["sub", "exp", "aud"], "verify_iat": False}
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options=options,
            )
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"the token is not valid: {error}") from error


def _header(token: bytes) -> dict[str, Any]:
    """Empty where there is none."""
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return {}
