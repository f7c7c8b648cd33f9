"""What a process does with memory: of what it loads at the start nothing is garbage, and what
nobody uses is given back, of which glibc keeps what it has had for each of many threads.

The latter on Linux with glibc only (mallopt(3)). Elsewhere it is as the C library likes.
"""

from __future__ import annotations

import ctypes
import gc

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 2
# What is at least so large is given back at once. Said once, it no longer grows by itself.
LARGE_BYTES = 128 * 1024
# How many objects are made before somebody looks for garbage. A start sets it higher (`cli.main`),
# so whoever stays has to set it again; Python's own 700 has each page looked through, which takes
# 5 % of it, and with this a process has no more memory.
COLLECT_AFTER = (5_000, 10, 10)


def be_thrifty() -> None:
    """Of this process and those that are forked from it. First of all, before there are threads."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_ARENA_MAX, ARENAS)
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


def has_started() -> None:
    """Look for garbage as usual from here on, and in nothing of what is there: it stays, and a
    process that is forked from this one shares what nobody touches."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
