"""Keeps the worker's memory from growing with every visit, where the C library is glibc.

Each hand model, encoder and decoder works in threads of its own, and glibc gives new threads their own heaps, up to
eight a core, which never shrink. Measured over 50 visits (tests/benchmarks/churn.py): without this the worker went
from 313 to 520 MB, with it from 227 to 244.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8  # malloc.h
ARENAS = 2


def limit_heaps() -> None:
    """Call once, before the first threads start."""
    libc = ctypes.CDLL(None)
    with suppress(AttributeError):  # not glibc
        libc.mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Returns free heap pages to the system; about a millisecond, off the event loop please."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
