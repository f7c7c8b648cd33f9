"""A process that does not outlive the one that started it, however that one ended.

Linux only (prctl(2)). Elsewhere what a killed parent leaves behind has to be stopped by hand.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

try:
    _LIBC: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform == "linux" else None
except OSError:  # no C library to be had
    _LIBC = None


def end_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send us *number* when *parent*, the process that started us, is gone.

    It is called in the child, first of all. Safe between fork and exec.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it was gone before the kernel knew
        os.kill(os.getpid(), number)
