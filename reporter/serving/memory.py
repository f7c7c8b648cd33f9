"""Giving memory back that nobody uses: glibc keeps what it has had for each of many threads.

Linux with glibc only (mallopt(3)). Elsewhere it is as the C library likes.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 2
# What is at least so large is given back at once. Said once, it no longer grows by itself.
LARGE_BYTES = 128 * 1024


def be_thrifty() -> None:
    """Of this process and those that are forked from it. First of all, before there are threads."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_ARENA_MAX, ARENAS)
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)
