"""Who watches the processes of the web server loses none, and takes nobody else's for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from reporter.serving import small

SCENARIOS = Path(__file__).with_name("keeping.py")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """At the end as they were."""
    handler = signal.getsignal(signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.signal(signal.SIGTERM, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def comes_of(scenario: str) -> tuple[str, str]:
    """What it wrote, to either side."""
    done = subprocess.run(
        [sys.executable, SCENARIOS, scenario], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_child_that_it_was_given_is_none_of_the_web_server() -> None:
    """As the first process of a container is, of whoever has lost its parent."""
    assert comes_of("adopted") == ("0 0\n", "")


def test_those_that_serve_are_told_to_stop_and_finish_what_they_have_in_hand() -> None:
    assert comes_of("told") == ("0 0\nfinished\n", "")


def test_one_that_was_gone_before_it_was_watched_is_replaced() -> None:
    written, told = comes_of("gone")
    assert written == "0 1\n"
    assert told.startswith("a process of the web server ended with ")


def test_it_goes_on_when_nobody_reads_its_log() -> None:
    assert comes_of("unread") == ("0 1\n", "")


def test_it_ends_with_all_of_them_when_one_after_the_other_ends_at_once() -> None:
    """So that whoever started it tells of it, or starts all anew."""
    written, told = comes_of("crashing")
    assert written == "1 1\n"
    assert told.count("a process of the web server ended with 0") == 2


def test_it_goes_on_after_a_hang_up_that_it_was_started_to_ignore() -> None:
    assert comes_of("hung_up")[0] == "0 1\n"


def test_the_first_process_of_a_container_ends_when_it_is_told_to() -> None:
    """The kernel passes it no signal that it does not handle."""
    said, warned = comes_of("first")
    version, code = said.splitlines()
    assert version.startswith("Incident Reporter, version ")
    assert code == str(128 + signal.SIGTERM)
    assert warned == ""  # whatever libraries warn of


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
