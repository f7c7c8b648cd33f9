"""What the keeper of the web server's processes does, in a process of one thread, as it has it.

`python keeping.py SCENARIO` writes what came of it: a process of pytest has threads of its own,
which would be told the signals that the keeper waits for.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import warnings
from typing import Any, NoReturn

from reporter import cli
from reporter.serving import keeper, small

Child = subprocess.Popen[bytes]
started: list[Child] = []


def child(*command: str) -> Child:
    return subprocess.Popen(command or ("sleep", "60"), preexec_fn=_unblocked)


def start(*_command: str) -> Child:
    """In place of a process that serves; and the keeper is told to stop."""
    os.kill(os.getpid(), signal.SIGTERM)
    started.append(child())
    return started[-1]


def ended(child: Child) -> Child:
    """Not yet seen by who has started it."""
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


def _unblocked() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class NobodyReads:
    def write(self, _text: str) -> NoReturn:
        raise BrokenPipeError


def keep(*children: Child) -> None:
    returned = keeper.main("localhost", "0", *(str(each.pid) for each in children))
    print(returned, len(started))


def adopted() -> None:
    serving = child()
    ended(child("true"))
    os.kill(os.getpid(), signal.SIGTERM)
    keep(serving)


def told() -> None:
    """One that has something in hand, and finishes it, is told to stop."""
    finishes = "sleep 60 & trap 'kill $!; sleep 0.1; echo finished; exit' TERM; echo ready; wait"
    serving = subprocess.Popen(
        ("sh", "-c", finishes), stdout=subprocess.PIPE, preexec_fn=_unblocked
    )
    assert serving.stdout
    assert serving.stdout.readline() == b"ready\n"
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        keep(serving)
        print(serving.stdout.read().decode().strip())
    finally:
        serving.kill()


def gone() -> None:
    gone, serving = child("true"), child()
    gone.wait()
    keep(gone, serving)


def unread() -> None:
    gone, serving = ended(child("true")), child()
    sys.stderr = NobodyReads()  # type: ignore[assignment]
    keep(gone, serving)
    sys.stderr = sys.__stderr__


def crashing() -> None:
    """Whoever takes the place of one that ended ends at once too."""

    def start_another(*_command: str) -> Child:
        if len(started) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        started.append(child("true"))
        return started[-1]

    small.start = start_another
    keep(ended(child("true")), child())


def hung_up() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGHUP)
    keep(child("sleep", "0.2"))


def first() -> None:
    """Told what a container's first process is, and then to end."""
    own, real = os.getpid(), os.getpid
    sys.argv = ["reporter", "--version"]
    gc.set_threshold = lambda *_: None  # type: ignore[assignment]
    os.getpid = lambda: 1
    try:
        cli.main()
    except SystemExit:
        os.getpid = real
    warnings.warn("of a library", stacklevel=1)
    os.kill(own, signal.SIGTERM)
    try:
        _unblocked()
    except SystemExit as told:
        print(told.code)


SCENARIOS: dict[str, Any] = {
    each.__name__: each for each in (adopted, told, gone, unread, crashing, hung_up, first)
}

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, keeper.HEEDED)
    small.start = start
    SCENARIOS[sys.argv[1]]()
