"""Both halves, web and delivery, started and stopped together: what `reporter serve` becomes.

The halves are processes of their own. If one ends, the other is stopped and the whole ends with
an error, for whatever started it to start it again: it is never half alive.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reporter.serving import small

# Over what web and worker take to finish what they have in hand.
STOP_SECONDS = 40.0
POLL_SECONDS = 0.2


def main(host: str, port: str, *options: str) -> int:
    """Run until told to stop, and return 0; or until a part ends, and return 1."""
    stop = threading.Event()
    for number in small.ORDERS_TO_STOP:
        # In a thread: the handler may interrupt a moment in which the event is locked.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, small.ORDERS_TO_STOP)
    with _inbox() if "--demo" in options else _nothing():
        return _supervise(["web", "--host", host, "--port", port], ["worker"], stop=stop)


@contextmanager
def _inbox() -> Iterator[None]:
    from reporter.demo import mailbox

    inbox = mailbox.start_as_set()
    try:
        yield
    finally:
        inbox.stop()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _supervise(*commands: list[str], stop: threading.Event) -> int:
    parts = {command[0]: small.start(*command) for command in commands}
    try:
        while not stop.wait(POLL_SECONDS):
            for name, process in parts.items():
                if process.poll() is not None:
                    small.say(f"{name} ended with {process.returncode}: stopping all")
                    return 1
        return 0
    finally:
        _stop(list(parts.values()))


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
