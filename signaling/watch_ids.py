"""Addresses at which a session may be watched, and nothing else: whoever knows a session's id may do anything with it.

A watch id is the session's id, encrypted: it can be told apart from no other, is the same every time, and needs no
place in the database. A random one leads to no session, since ids are random themselves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

LENGTH = 22
"""Characters: 16 bytes in base64 without padding."""


class WatchIds:
    def __init__(self, key: bytes) -> None:
        # One block, never two, so ECB is all that is needed: a permutation of ids that only the key knows.
        self._cipher = Cipher(AES(hashlib.sha256(b"lacquer watch ids" + key).digest()), ECB())

    def of(self, session_id: str) -> str:
        """`session_id` is a UUID."""
        block = self._cipher.encryptor().update(uuid.UUID(session_id).bytes)
        return base64.urlsafe_b64encode(block).decode().rstrip("=")

    def session_id(self, watch_id: str) -> str | None:
        """The session that it was made for; None for what is no watch id. Whether there is one, the database tells."""
        if len(watch_id) != LENGTH or not watch_id.isascii():
            return None
        try:
            block = base64.b64decode(f"{watch_id}==", altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        return str(uuid.UUID(bytes=self._cipher.decryptor().update(block)))
