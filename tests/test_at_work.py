"""How many requests of a process are at work at once, and who does not stand in line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from io import BytesIO
from queue import SimpleQueue
from typing import Any

import pytest
from customers import Customer
from flask import Flask
from waiting import until

from reporter.attachments.turns import Turn
from reporter.database import Database, at_work, patience
from reporter.database.gate import Gate
from reporter.operations.condition import Readiness
from reporter.operations.metrics import Figures
from reporter.staff import passwords


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """For one at a time."""
    line = Gate(1)
    monkeypatch.setattr(at_work, "_line", line)
    monkeypatch.setattr(at_work, "LINE_SECONDS", 600.0)
    return line


class Others:
    """Requests in threads of their own, to something that does what *act* does."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.told: SimpleQueue[object] = SimpleQueue()
        self.may_go = threading.Semaphore(0)
        self.act = act
        self.threads: list[threading.Thread] = []
        self.app = at_work.in_line(self._answer)

    def come(self, body: Any = None) -> None:
        environ: dict[str, Any] = {"PATH_INFO": "/report/failure"}
        if body:
            environ |= {"CONTENT_LENGTH": "4", "wsgi.input": body}
        thread = threading.Thread(target=self.app, args=(environ, None))
        thread.start()
        self.threads.append(thread)

    def _answer(self, environ: Any, start_response: Any) -> list[bytes]:
        if "wsgi.input" in environ:
            self.told.put(environ["wsgi.input"].read(4))
        self.act()
        self.told.put("at work")
        assert self.may_go.acquire(timeout=20)
        return []

    def end(self) -> None:
        for _ in self.threads:
            self.may_go.release()
        for thread in self.threads:
            thread.join(20)


@pytest.fixture
def others() -> Iterator[Others]:
    others = Others(lambda: None)
    yield others
    others.end()


def has_place(line: Gate) -> bool:
    return line._free == 1


def until_waiting(line: Gate, how_many: int) -> None:
    until(lambda: len(line._waiting) >= how_many)


def test_the_others_stand_in_line_and_come_in_their_order(others: Others, line: Gate) -> None:
    others.come()
    assert others.told.get(timeout=20) == "at work"
    others.come()
    until_waiting(line, 1)
    assert others.told.empty()
    others.may_go.release()
    assert others.told.get(timeout=20) == "at work"
    others.end()
    assert has_place(line)


def test_who_asks_whether_the_process_lives_stands_in_no_line(
    app: Flask, others: Others, line: Gate
) -> None:
    others.come()
    assert others.told.get(timeout=20) == "at work"
    assert Customer(app).peek("/healthz").status == 200
    assert not line._waiting


def test_who_waits_for_the_database_lets_somebody_else_in(
    app: Flask, others: Others, line: Gate
) -> None:
    """Both to write, and on a server to read."""
    database: Database = app.extensions["sqlalchemy"]
    is_held, may_end = threading.Event(), threading.Event()

    def writes() -> None:
        with database.write():
            is_held.set()
            may_end.wait(20)

    first = Others(writes)
    first.app = patience.of_pages(first.app)
    first.come()
    assert is_held.wait(20)
    others.come()
    assert others.told.get(timeout=20) == "at work"
    may_end.set()  # and comes back into the line with nothing in hand
    until_waiting(line, 1)
    with database.write():
        pass
    others.end()
    assert first.told.get(timeout=20) == "at work"
    first.end()
    assert has_place(line)


def test_those_who_waited_for_a_database_in_vain_are_told_one_after_the_other(
    line: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds that wake up together hold up all."""
    monkeypatch.setattr(patience, "GATE", 1)
    may_answer = threading.Event()
    breaker = patience.Breaker(lambda: None if may_answer.is_set() else 1 / 0, 20)  # type: ignore[arg-type]

    def looks() -> None:
        with suppress(patience.NotAnswering), breaker.passed():
            waiting.told.put("shown")

    waiting = Others(looks)
    waiting.app = patience.of_pages(waiting.app)
    with patience.of_a_page(), breaker.passed():
        for _ in range(3):
            waiting.come()
        until(lambda: breaker._here == 4)
        breaker.open()
    for left in (2, 1, 0):
        assert waiting.told.get(timeout=20) == "at work"
        until_waiting(line, left)
        assert waiting.told.empty()
        waiting.may_go.release()
    waiting.end()
    assert has_place(line)
    may_answer.set()
    for thread in threading.enumerate():
        if thread.name == "asking":
            thread.join(20)


Held = tuple[Callable[[], AbstractContextManager[Any]], Callable[[], object]]


def a_picture(app: Flask) -> Held:
    turn = Turn()

    def takes() -> None:
        with turn.taken():
            pass

    return turn.taken, takes


def a_password(app: Flask) -> Held:
    @contextmanager
    def all_turns() -> Iterator[None]:
        with ExitStack() as held:
            for _ in range(passwords.AT_ONCE):
                held.enter_context(passwords._turn())
            yield

    return all_turns, lambda: passwords.matches(None, "")


def whether_it_is_ready(app: Flask) -> Held:
    ready: Readiness = app.extensions["readiness"]
    return lambda: ready.lock, ready.look


def figures(app: Flask) -> Held:
    figures: Figures = app.extensions["figures"]

    def takes() -> None:
        with app.app_context():
            figures.text()

    return lambda: figures.lock, takes


@pytest.mark.parametrize("of", [a_picture, a_password, whether_it_is_ready, figures])
def test_who_waits_for_a_turn_lets_somebody_else_in(
    app: Flask, others: Others, line: Gate, of: Callable[[Flask], Held]
) -> None:
    """And comes back into the line with none in hand."""
    turn, takes = of(app)
    waits = Others(takes)
    with turn():
        waits.come()
        others.come()
        assert others.told.get(timeout=20) == "at work"
        assert waits.told.empty()
    until_waiting(line, 1)
    with turn():
        pass
    others.end()
    assert waits.told.get(timeout=20) == "at work"
    waits.end()
    assert has_place(line)


class Slow:
    """A body of four bytes, the last two of which take their time."""

    def __init__(self) -> None:
        self.rest = threading.Event()
        self.parts = iter((b"ab", b"cd"))
        self.reads = 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        if self.reads == 2:
            self.rest.wait(20)
        return next(self.parts)


def test_who_sends_slowly_lets_somebody_else_in(others: Others, line: Gate) -> None:
    body = Slow()

    def reads(environ: Any, start_response: Any) -> list[bytes]:
        whole = environ["wsgi.input"].read(4)
        whole += environ["wsgi.input"].read(2)
        slow.told.put(whole)
        assert slow.may_go.acquire(timeout=20)
        return []

    slow = Others(lambda: None)
    slow.app = at_work.in_line(reads)
    slow.come(body)
    others.come()
    assert others.told.get(timeout=20) == "at work"
    body.rest.set()
    until_waiting(line, 1)  # all is here: it stands in line again
    assert slow.told.empty()
    others.end()
    assert slow.told.get(timeout=20) == b"abcd"
    slow.end()
    assert has_place(line)


@pytest.mark.parametrize("length", ["4", "9", "x"])
def test_a_body_that_is_not_all_read_costs_no_place(line: Gate, length: str) -> None:
    def reads(environ: Any, start_response: Any) -> list[bytes]:
        return [environ["wsgi.input"].read(1), environ["wsgi.input"].readline()]

    environ: Any = {"CONTENT_LENGTH": length, "wsgi.input": BytesIO(b"abcd")}
    assert at_work.in_line(reads)(environ, None) == [b"a", b"bcd"]  # type: ignore[arg-type]
    assert has_place(line)


def test_who_has_stood_for_long_goes_in_all_the_same(
    others: Others, line: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And takes nobody's place."""
    monkeypatch.setattr(at_work, "LINE_SECONDS", 0.01)
    others.come()
    others.come()
    assert [others.told.get(timeout=20) for _ in range(2)] == ["at work", "at work"]
    others.end()
    assert has_place(line)


def test_who_has_waited_elsewhere_for_long_goes_in_at_once(
    line: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    acquire = line.acquire
    assert acquire(timeout=20)

    def at_once(timeout: float) -> bool:
        asked.append(timeout)
        return acquire(timeout=0.0)

    monkeypatch.setattr(line, "acquire", at_once)
    monkeypatch.setattr(at_work, "LINE_SECONDS", 600.0)
    at_work.come(after_seconds=599.0)
    assert at_work.leave()
    at_work.come(after_seconds=700.0)
    assert at_work.leave()
    assert asked == [1.0, 0.0]
    assert acquire(timeout=0.0) is False  # somebody else's place is theirs still
    line.release()


def test_who_fails_leaves(line: Gate) -> None:
    def fails(environ: Any, start_response: Any) -> list[bytes]:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        at_work.in_line(fails)({}, None)  # type: ignore[arg-type]
    assert has_place(line)
