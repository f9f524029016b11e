"""Credentials for a TURN server that expire: what coturn calls `use-auth-secret`, and others the TURN REST API.

Whoever has the shared secret makes them, and the server checks them with the same secret, so nobody keeps a list:
username `EXPIRY:WHO` (Unix time in seconds), password base64(HMAC-SHA1(secret, username)). They are looked at when an
allocation is made; one that runs outlives them (coturn 4.6).
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def credentials(secret: str, who: str, expires_at: float) -> tuple[str, str]:
    """(username, password). `who` only shows up in the TURN server's log and quotas."""
    username = f"{int(expires_at)}:{who}"
    # SHA-1 is what these servers compute; an HMAC does not rest on the collisions that it is known for.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
