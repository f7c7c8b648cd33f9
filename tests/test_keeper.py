"""Who watches the processes of the web server loses none, and takes nobody else's for one."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import NoReturn

import pytest

from reporter import cli
from reporter.serving import keeper, small

Child = subprocess.Popen[bytes]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Blocked as the web server leaves them, and at the end as they were."""
    handlers = {number: signal.getsignal(number) for number in keeper.HEEDED}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, keeper.HEEDED)
    yield
    while signal.sigtimedwait(keeper.HEEDED, 0):
        pass
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Serving:
    """Processes that serve; each of the keeper's own is the last, who tells it to stop."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.started = 0

    def child(self, *command: str) -> Child:
        child = subprocess.Popen(command or ("sleep", "60"), preexec_fn=_unblocked)
        self.children.append(child)
        return child

    def start(self, *_command: str) -> Child:
        self.started += 1
        os.kill(os.getpid(), signal.SIGTERM)
        return self.child()


def _unblocked() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    serving = Serving()
    monkeypatch.setattr(small, "start", serving.start)
    yield serving
    for child in serving.children:
        child.kill()
        child.wait()


class NobodyReads:
    def write(self, _text: str) -> NoReturn:
        raise BrokenPipeError


def ended(child: Child) -> Child:
    """Not yet seen by who has started it."""
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


def test_a_child_that_it_was_given_is_none_of_the_web_server(
    serving: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    """As the first process of a container is, of whoever has lost its parent."""
    child = serving.child()
    ended(serving.child("true"))
    os.kill(os.getpid(), signal.SIGTERM)
    assert keeper.main("localhost", "0", str(child.pid)) == 0
    assert (serving.started, capfd.readouterr().err) == (0, "")
    assert child.wait(20) is not None


def test_one_that_was_gone_before_it_was_watched_is_replaced(serving: Serving) -> None:
    gone, child = serving.child("true"), serving.child()
    gone.wait()
    assert keeper.main("localhost", "0", str(gone.pid), str(child.pid)) == 0
    assert serving.started == 1


def test_it_goes_on_when_nobody_reads_its_log(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, child = serving.child("true"), serving.child()
    monkeypatch.setattr(sys, "stderr", NobodyReads())
    assert keeper.main("localhost", "0", str(ended(gone).pid), str(child.pid)) == 0
    assert serving.started == 1


def test_who_lost_its_starter_before_it_began_does_not_begin() -> None:
    """Also where that one handles the order to stop."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    child = subprocess.Popen(("true",), preexec_fn=partial(small._before_it_begins, 1))
    assert child.wait(20) == -signal.SIGTERM


def test_what_is_told_while_it_becomes_another_program_waits_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    blocked: set[int] = set()

    def execute(*_: object) -> NoReturn:
        blocked.update(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        raise SystemExit

    monkeypatch.setattr(os, "execv", execute)
    with pytest.raises(SystemExit):
        small.become("reporter.serving.supervisor")
    assert {signal.SIGTERM, signal.SIGINT} <= blocked


def test_the_first_process_of_a_container_ends_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kernel passes it no signal that it does not handle."""
    monkeypatch.setattr(sys, "argv", ["reporter", "--version"])
    monkeypatch.setattr(gc, "set_threshold", lambda _count: None)
    with monkeypatch.context() as first:
        first.setattr(os, "getpid", lambda: 1)
        with pytest.raises(SystemExit):
            cli.main()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(SystemExit) as raised:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    assert raised.value.code == 128 + signal.SIGTERM
