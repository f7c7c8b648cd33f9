"""A process that has loaded everything, and from then on only watches what it has started.

What it loaded it would keep for nothing, some 25 to 70 MiB. So it becomes a small program, and
stays the same process to whoever started it, and the parent of those that it has started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from typing import NoReturn

from reporter.serving import parent


def become(module: str, *arguments: str) -> NoReturn:
    """Go on as `python -m MODULE ARGUMENTS`, with our children, environment and blocked signals."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 (our own)


def start(*command: str) -> subprocess.Popen[bytes]:
    """One of our own commands, which is told to end when we are gone."""
    return subprocess.Popen(  # noqa: S603 (our own commands)
        [sys.executable, "-m", "reporter", *command],
        preexec_fn=partial(_before_it_begins, os.getpid()),
        start_new_session=True,  # Ctrl-C comes to us alone, and we stop it in order
    )


def _before_it_begins(starter: int) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # TERM and not KILL: requests and mails in hand are finished when we are killed.
    parent.end_with(starter, signal.SIGTERM)


def say(line: str) -> None:
    """To the operator."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (click would be 4 MiB)
