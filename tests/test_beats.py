"""Who can tell that a worker lives, and that none does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from conftest import NOW
from flask import Flask

from reporter.database import Database
from reporter.delivery import beats, worker
from reporter.delivery.beats import Worker
from reporter.delivery.processes import is_gone, process_name
from reporter.models import Beat


def alive(database: Database, now: datetime = NOW) -> list[str]:
    with database.read() as session:
        return [beat.name for beat in beats.beats(session, now)]


def beat(database: Database, name: str, now: datetime = NOW) -> None:
    with database.write() as session:
        beats.beat(session, Worker(name, "host", "1", NOW), now)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_worker_counts_as_alive_for_half_a_minute_after_its_last_beat(database: Database) -> None:
    assert alive(database) == []
    beat(database, "one")
    beat(database, "one", after(5))
    beat(database, "two", after(20))
    assert alive(database, after(35)) == ["two", "one"]
    assert alive(database, after(36)) == ["two"]
    assert alive(database, after(51)) == []
    with database.read() as session:
        assert beats.last_beat_at(session) == after(20)


def test_a_beat_of_before_the_clock_was_set_back_keeps_no_worker_alive(database: Database) -> None:
    """Else nobody would learn for an hour that none is running."""
    beat(database, "gone", after(3_600))
    beat(database, "ahead", after(90))  # by as much as clocks may differ
    assert alive(database) == ["ahead"]


def test_beats_of_a_day_ago_are_forgotten(database: Database) -> None:
    beat(database, "one")
    beat(database, "two", NOW + timedelta(days=1, seconds=1))
    with database.read() as session:
        assert [row.name for row in session.query(Beat)] == ["two"]


def test_a_worker_that_ends_in_order_takes_its_beat_away(database: Database) -> None:
    beat(database, "one")
    with database.write() as session:
        beats.end(session, Worker("one", "host", "1", NOW))
    assert alive(database) == []


def test_a_running_worker_beats_and_an_ended_one_does_not(
    database: Database, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(app,), kwargs={"stop": stop})
    thread.start()
    try:
        for _ in range(200):
            if found := alive(database, datetime.now(UTC)):
                break
            stop.wait(0.1)
        assert found == [process_name()]
    finally:
        stop.set()
        thread.join(20)
    assert alive(database, datetime.now(UTC)) == []


def test_a_process_is_known_to_be_gone_only_when_it_certainly_is() -> None:
    here = process_name()
    host, machine, _pid, started = here.split(":")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    theirs = process_name(child.pid)
    assert not is_gone(theirs)
    child.communicate(b"\n")
    assert is_gone(theirs)
    assert not is_gone(here)
    # Its number is another process's by now.
    assert is_gone(f"{host}:{machine}:{os.getpid()}:{int(started) - 1}")
    # Another machine, or another container on this one: who knows.
    assert not is_gone(f"elsewhere:{machine}:{child.pid}:{started}")
    assert not is_gone(f"{host}:{machine}0:{child.pid}:{started}", one_machine=True)
    # Before this machine was started again: only of a database that no other machine shares.
    before = f"{host}:00000000.{machine.partition('.')[2]}:1:1"
    assert is_gone(before, one_machine=True)
    assert not is_gone(before)


@pytest.mark.parametrize("name", ["", "host", "a:b:c:d", "worker"])
def test_what_names_no_process_is_not_gone(name: str) -> None:
    assert not is_gone(name)
