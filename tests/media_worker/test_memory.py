from __future__ import annotations

import ctypes

import prometheus_client
import pytest

from media_worker import measures, memory

LARGE = 8 << 20

pytestmark = pytest.mark.skipif(memory.heap() is None, reason="the C library does not say what is in use")


def used() -> int:
    heap = memory.heap()
    assert heap
    return heap.used


def test_what_is_allocated_is_in_use_until_it_is_freed() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    before = used()
    block = libc.malloc(LARGE)
    held = used() - before
    libc.free(block)
    assert held > 0.9 * LARGE
    assert used() - before < 0.1 * LARGE


def test_prometheus_is_told() -> None:
    assert measures.HEAP_USED  # registered by this import
    told = prometheus_client.REGISTRY.get_sample_value
    assert (told("lacquer_heap_used_bytes") or 0) > LARGE
    assert (told("lacquer_heap_free_bytes") or 0) > 0
