"""A process that has loaded everything, and from then on only watches what it has started.

What it loaded it would keep for nothing, some 25 to 70 MiB. So it becomes a small program, and
stays the same process to whoever started it, and the parent of those that it has started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from typing import NoReturn

from reporter.serving import parent

ORDERS_TO_STOP = (signal.SIGTERM, signal.SIGINT)


def become(module: str, *arguments: str) -> NoReturn:
    """Go on as `python -m MODULE ARGUMENTS`, with our children and environment.

    ORDERS_TO_STOP are blocked, and what else was: what is told meanwhile waits for MODULE. The
    first process of a container would not be told of it at all.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS_TO_STOP)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # of a log that is gone
            stream.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 (our own)


def start(*command: str) -> subprocess.Popen[bytes]:
    """One of our own commands, which is told to end when we are gone."""
    return subprocess.Popen(  # noqa: S603 (our own commands)
        [sys.executable, "-m", "reporter", *command],
        preexec_fn=partial(_before_it_begins, os.getpid()),
        start_new_session=True,  # Ctrl-C comes to us alone, and we stop it in order
    )


def _before_it_begins(starter: int) -> None:
    for number in ORDERS_TO_STOP:  # until it is another program it has our handlers
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # TERM and not KILL: requests and mails in hand are finished when we are killed.
    parent.end_with(starter, signal.SIGTERM)


def say(line: str) -> None:
    """To the operator."""
    with suppress(OSError):  # of a log that is gone
        print(line, file=sys.stderr, flush=True)  # noqa: T201 (click would be 4 MiB)
