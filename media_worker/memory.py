"""Keeps the worker's memory from growing with every visit, where the C library is glibc.

Each hand model, encoder and decoder works in threads of its own, and glibc gives new threads their own heaps, up to
eight a core, which never shrink. Measured over 50 visits (tests/benchmarks/churn.py): without this the worker went
from 313 to 520 MB, with it from 227 to 244.

It also puts ever larger blocks into these heaps, up to 32 MB, where they leave holes. With a fixed bound each further
stream takes 88 instead of 103 MB of its own (tests/benchmarks/streams.py), and a frame no more time: at 1 MB it would
take 7 % more, as blocks that are returned to the system must be cleared each time.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from dataclasses import dataclass

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
ARENAS = 2
LARGE = 4 << 20
"""Bytes from which a block lives outside the heaps: scratch memory of networks, not frames."""
KEPT = 32 << 20
"""Free bytes at the top of a heap that stay there for the next frame."""


class _Mallinfo2(ctypes.Structure):
    """malloc.h, glibc 2.33."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
    )


@dataclass(frozen=True)
class Heap:
    """What the C library holds, over all heaps; bytes. Python's own objects lie beside it, in blocks of a megabyte."""

    used: int
    """What grows without an end here is a leak."""
    free: int
    """Holes: ours, and nobody's. What grows here is fragmentation."""


def heap() -> Heap | None:
    """Now, in some microseconds; None where the C library does not say."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    mallinfo2.restype = _Mallinfo2
    info = mallinfo2()
    return Heap(used=info.uordblks + info.hblkhd, free=info.fordblks)


def limit_heaps() -> None:
    """Call once, when all is imported and before the first threads start."""
    gc.freeze()  # what is imported stays: looking through it after every visit would hold up the others' streams
    libc = ctypes.CDLL(None)
    with suppress(AttributeError):  # not glibc
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT)


def give_back() -> None:
    """Collects what a visit left and returns free heap pages to the system; some milliseconds, off the event loop.

    A visit's objects refer to each other and hold frames and models, which Python does not count: left to its own
    collector, they pile up by 4 MB a visit (tests/benchmarks/churn.py).
    """
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
