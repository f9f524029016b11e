"""Secrets that are none: what stands in examples, and what people type until they think of something better. Pure."""

from __future__ import annotations

HOW_TO_MAKE_ONE = "openssl rand -hex 32"

MIN_CHARACTERS = 6
"""Different ones: `aaaa…` and `0101…` are long, and guessed first."""

_FILLER = """
a an any some the my mine our own your yours it me this that here please put set insert change changeme replace use
with to be and for not in on only by made at random string value long enough very super top much good real secret
secrets key keys token tokens password passwords passwd pass phrase pwd credential auth jwt hmac signing shared static
admin administrator root user default example sample test testing tests dev development demo dummy placeholder prod
production insecure unsafe safe weak todo fixme foo bar baz qwerty letmein welcome hello none null undefined empty
asdf abc xyz x lacquer nail nails worker turn stun coturn django flask openssl rand hex
"""
"""Words that such secrets are put together from."""

_SEQUENCES = ("0123456789abcdef" * 8, "1234567890" * 12, "abcdefghijklmnopqrstuvwxyz" * 4, "qwertyuiopasdfghjklzxcvbnm")


def weakness(secret: str, min_bytes: int = 0) -> str | None:
    """What is wrong with it, after its name: "is a placeholder". None where nothing is known to be."""
    if _is_placeholder(secret):
        return "is a placeholder that everybody knows"
    if len(secret.encode()) < min_bytes:
        return f"has {len(secret.encode())} bytes, and {min_bytes} are needed"
    return None


def _is_placeholder(secret: str) -> bool:
    plain = "".join(sign for sign in secret.lower() if sign.isalnum())
    letters = "".join(sign for sign in plain if sign.isalpha())
    if len(set(plain)) < MIN_CHARACTERS or any(plain in sequence for sequence in _SEQUENCES):
        return True
    return len(letters) * 2 >= len(plain) and _is_filler(letters)


def _is_filler(letters: str) -> bool:
    """Whether it falls into such words: `pleasesetasecret` does."""
    ends = {0}
    for start in range(len(letters)):
        if start in ends:
            ends |= {start + len(word) for word in _FILLER.split() if letters.startswith(word, start)}
    return len(letters) in ends
