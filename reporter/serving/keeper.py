"""What `reporter web` becomes once its processes serve: it replaces one that ends, and stops them.

The one that has loaded the pages and was forked would keep 26 MiB that it needs no more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NoReturn

from reporter.serving import small

# A request in flight when the server is told to stop has this long to be answered.
DRAIN_SECONDS = 20.0
# Who ends again so soon would end for ever.
CRASH_SECONDS = 5.0
ORDERS_TO_STOP = (*small.ORDERS_TO_STOP, signal.SIGHUP)
HEEDED = (*ORDERS_TO_STOP, signal.SIGCHLD)
BESIDE = "--beside"


def become(serving: Sequence[int], host: str, port: int, *, beside: bool) -> NoReturn:
    """Watch the processes *serving*, our children, from now on.

    HEEDED have to be blocked before they are started: so what is told meanwhile waits for us.
    """
    options = [BESIDE] if beside else []
    small.become("reporter.serving.keeper", host, str(port), *options, *map(str, serving))


def main(host: str, port: str, *arguments: str) -> int:
    """Keep as many processes as there are until told to stop, and return 0.

    Return 1 when one ends that was not told to, shortly after another; with `--beside` at once, for
    whoever started us to replace us both.
    """
    beside = BESIDE in arguments
    heeded = set(HEEDED)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as `nohup` has it
        heeded.remove(signal.SIGHUP)
    serving = {int(pid) for pid in arguments if pid != BESIDE}
    started: list[subprocess.Popen[bytes]] = []
    replaced_at = -CRASH_SECONDS
    while True:
        ended = dict(_ended(serving))
        serving -= ended.keys()
        for code in ended.values():
            small.say(f"a process of the web server ended with {code}")
            now = time.monotonic()
            if beside or now - replaced_at < CRASH_SECONDS:
                _stop(serving)
                return 1
            replaced_at = now
            started.append(small.start("web", BESIDE, "--host", host, "--port", port))
            serving.add(started[-1].pid)
        if signal.sigwait(heeded) in ORDERS_TO_STOP:
            _stop(serving)
            return 0


def _ended(serving: set[int]) -> Iterator[tuple[int, int | str]]:
    """Those of *serving* that have ended since it was asked, and what with.

    No other child is ours to judge: the first process of a container is given everybody's.
    """
    for pid in serving:
        try:
            found, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # before we were told of it, and somebody else has seen it
            yield pid, "something that nobody knows"
        else:
            if found:
                yield pid, os.waitstatus_to_exitcode(status)


def _stop(serving: set[int]) -> None:
    for pid in serving:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + DRAIN_SECONDS
    while serving := serving - dict(_ended(serving)).keys():
        left = end - time.monotonic()
        if left <= 0:
            break
        signal.sigtimedwait([signal.SIGCHLD], left)
    for pid in serving:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
