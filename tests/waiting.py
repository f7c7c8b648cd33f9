"""Waiting for what comes about elsewhere: in another thread, process or browser."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(wanted: Callable[[], T], seconds: float = 20.0) -> T:
    """What *wanted* returns, once that is true. Fails after *seconds*, and says what was wanted."""
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end, f"not within {seconds} s: {_said(wanted)}"
        time.sleep(0.01)
    return found


def _said(wanted: Callable[[], object]) -> str:
    try:
        return inspect.getsource(wanted).strip()
    except (OSError, TypeError):
        return repr(wanted)
