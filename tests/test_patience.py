"""How long a page waits for a database that says nothing, and what the pages after it are told."""

from __future__ import annotations

import gc
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import an_app, values
from flask import Flask
from servers import says
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from waiting import until

from reporter.database import Database, patience, postgresql
from reporter.database.gate import Gate
from reporter.database.patience import Breaker, NotAnswering, of_a_page


class Asked:
    """What a breaker asks: it hangs until it is let answer."""

    def __init__(self) -> None:
        self.times = 0
        self.may_answer = threading.Event()

    def __call__(self) -> None:
        self.times += 1
        if not self.may_answer.wait(0.01):
            raise TimeoutError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(patience, "ASK_SECONDS", 0.001)
    asked = Asked()
    yield asked
    asked.may_answer.set()


def driver_of(session: Session | sa.Connection) -> postgresql.ImpatientConnection:
    connection = session.connection() if isinstance(session, Session) else session
    found: postgresql.ImpatientConnection = connection.connection.driver_connection  # type: ignore[assignment]
    return found


def sockets() -> int:
    """That this process has open."""
    return sum(map(Path.is_socket, Path("/proc/self/fd").iterdir()))


@contextmanager
def without_garbage_looked_for() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def those_who_ask() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "asking"}


def until_closed(breaker: Breaker, *, answers: bool = True) -> None:
    if not answers:
        breaker.close()  # and whoever asks ends
    until(lambda: not breaker.is_open)


class TestABreaker:
    def test_pages_are_refused_until_the_database_answers(self, asked: Asked) -> None:
        breaker = Breaker(asked, 20)
        with of_a_page(), breaker.passed():
            breaker.open()
        with of_a_page(), pytest.raises(NotAnswering), breaker.passed():
            pass
        until(lambda: asked.times >= 3)  # again and again
        asked.may_answer.set()
        until_closed(breaker)
        with of_a_page(), breaker.passed():
            pass

    def test_who_has_nobody_waiting_is_refused_nothing(self, asked: Asked) -> None:
        breaker = Breaker(asked, 20)
        breaker.open()
        with breaker.passed():
            breaker.check()
        asked.may_answer.set()
        until_closed(breaker)

    def test_many_who_find_it_silent_are_asked_about_once(self, asked: Asked) -> None:
        breaker, before = Breaker(asked, 20), those_who_ask()  # of a test before, perhaps
        for _ in range(5):
            breaker.open()
        assert len(those_who_ask() - before) == 1
        asked.may_answer.set()
        until_closed(breaker)

    @pytest.mark.parametrize("silent", [True, False])
    def test_a_crowd_waits_only_for_one_that_answers(
        self, asked: Asked, monkeypatch: pytest.MonkeyPatch, silent: bool
    ) -> None:
        monkeypatch.setattr(patience, "CROWD", 3)
        monkeypatch.setattr(patience, "CROWD_SECONDS", -1.0 if silent else 1000.0)
        breaker = Breaker(asked, 20)
        with of_a_page(), ExitStack() as waiting:
            for _ in range(3):
                waiting.enter_context(breaker.passed())
            if silent:
                with pytest.raises(NotAnswering):
                    waiting.enter_context(breaker.passed())
            else:
                waiting.enter_context(breaker.passed())
        with of_a_page(), breaker.passed():  # whoever was refused holds no place
            pass

    def test_whom_nobody_lets_in_is_told_so(
        self, asked: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "GATE", 1)
        breaker = Breaker(asked, 0)
        with of_a_page(), breaker.passed(), pytest.raises(NotAnswering), breaker.passed():
            pass


class TestPostgresql:
    @pytest.fixture
    def server(self, postgres_url: str) -> Iterator[Database]:
        database = Database(postgres_url)
        yield database
        database.close()

    def test_all_that_a_page_waits_for_has_one_end(
        self, server: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """0.2 s and 1.4 of 1.5: the second is not waited for, nor is anything after it."""
        monkeypatch.setattr(patience, "PAGE_SECONDS", 1.5)
        monkeypatch.setattr(patience, "LEAST_SECONDS", 0.0)
        naps = [sa.text(f"SELECT pg_sleep({seconds})") for seconds in (0.2, 1.4)]
        with of_a_page(), server.rehearse() as session:
            session.execute(naps[0])
            with pytest.raises(OperationalError, match="not answered"):
                session.execute(naps[1])
        with server.read() as session:  # who is patient has all of it
            for nap in naps:
                session.execute(nap)

    def test_what_comes_at_once_is_not_counted(
        self, server: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "PAGE_SECONDS", 1.5)
        monkeypatch.setattr(patience, "AT_ONCE_SECONDS", 1000.0)
        with of_a_page(), server.rehearse() as session:
            for _ in range(4):
                session.execute(sa.text("SELECT pg_sleep(0.4)"))

    def test_a_connection_that_was_idle_is_given_less(
        self, server: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As behind a firewall that has forgotten it: the page asks for another at once."""
        monkeypatch.setattr(postgresql, "GREETING_SECONDS", 0.1)
        with server.read() as session:
            assert not driver_of(session).is_idle
        with server.engine.connect() as connection:  # the same one, which has answered by now
            assert not driver_of(connection).is_idle
        with of_a_page(), server.rehearse() as session:
            driver_of(session).is_idle = True
            with pytest.raises(OperationalError, match="not answered"):
                session.execute(sa.text("SELECT pg_sleep(2)"))
        with server.read() as session:  # who is patient is so here too
            driver_of(session).is_idle = True
            session.execute(sa.text("SELECT pg_sleep(0.3)"))
        with server.engine.connect() as connection:
            pass
        (idle,) = (each.dbapi_connection for each in server.engine.pool._pool.queue)  # type: ignore[attr-defined]
        assert idle.is_idle
        assert not server.breaker.is_open

    def test_one_that_takes_no_connection_is_remembered(self) -> None:
        """The machine takes it, as its system does, and the server on it is frozen."""
        with says(None) as silent:
            database = Database(f"postgresql://{silent.server}:{silent.port}/reports")
            database.breaker._ask = lambda: 1 / 0  # it connects too
            before = sockets()
            with (
                without_garbage_looked_for(),
                of_a_page(),
                pytest.raises(OperationalError, match="expired"),
                database.read() as it,
            ):
                it.connection()
            # To a server that goes on it would be a client, and one of the last that it takes.
            assert sockets() == before
            with of_a_page(), pytest.raises(NotAnswering), database.write():
                pass
            for transaction in (database.read, database.rehearse):
                # Which need none until they ask.
                with of_a_page(), transaction() as it, pytest.raises(NotAnswering):
                    it.scalar(sa.select(1))
        until_closed(database.breaker, answers=False)

    def test_it_is_asked_without_a_place_of_the_pool(self, server: Database) -> None:
        server._ask()
        assert server.engine.pool.checkedin() == server.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


class TestSqlite:
    """Somebody else has locked the file, and does not let go."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("reporter.database.sqlite.BUSY_TIMEOUT_SECONDS", 0)
        monkeypatch.setattr(patience, "ASK_SECONDS", 0.001)

    def test_who_comes_after_the_first_is_told_at_once_and_pages_are_shown(
        self, app: Flask, tmp_path: Path, asked: Asked
    ) -> None:
        database: Database = app.extensions["sqlalchemy"]
        database.breaker._ask = asked
        customer = Customer(app)
        customer.fill("failure")
        customer.open("/report/timing")
        begun: list[sa.Connection] = []
        with closing(sqlite3.connect(tmp_path / "reporter.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert customer.submit(**values("timing")).status == 503
            sa.event.listen(database.engine, "begin", begun.append)
            assert customer.submit().status == 503
            assert all(each.get_execution_options().get("read_only") for each in begun)
            assert customer.peek("/report/timing").status == 200
            other.execute("ROLLBACK")
        asked.may_answer.set()
        until_closed(database.breaker)
        assert customer.submit(follow=False).status == 303

    def test_whose_turn_does_not_come_goes_on_without(self, app: Flask) -> None:
        """Whoever is inside waits for another process for good, and the file is free."""
        database: Database = app.extensions["sqlalchemy"]
        turn = database._turn
        assert turn
        customer = Customer(app)
        customer.open("/report/failure")
        with taken(turn.inside):
            assert customer.submit(**values("failure"), follow=False).status == 303
        assert not database.breaker.is_open


@contextmanager
def taken(gate: Gate) -> Iterator[None]:
    """Its only place."""
    assert gate.acquire(timeout=1)
    yield
    gate.release()


class Nothing:
    """In place of what must not be touched."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"it was asked for {name}")


def test_alive_needs_neither_database_nor_lock_nor_thread(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even of who sends a cookie."""
    customer = Customer(app)
    customer.fill("failure")
    readiness, database = app.extensions["readiness"], app.extensions["sqlalchemy"]
    app.extensions["sqlalchemy"] = Nothing()
    monkeypatch.setattr(threading.Thread, "start", Nothing())
    with readiness.lock, taken(database._turn.inside):
        assert customer.peek("/healthz").status == 200
    app.extensions["sqlalchemy"] = database


def test_a_redis_that_says_nothing_holds_no_page(tmp_path: Path) -> None:
    """Else each would wait without an end; what it counts is counted by the process meanwhile."""
    with says(None) as silent:
        uri = f"redis://{silent.server}:{silent.port}"
        with an_app(tmp_path, RATELIMIT_ENABLED=True, RATELIMIT_STORAGE_URI=uri) as app:
            assert {Customer(app).peek("/report/failure").status for _ in range(3)} == {200}


def test_a_process_that_is_forked_meanwhile_begins_anew(asked: Asked) -> None:
    breaker = Breaker(asked, 5)
    breaker.open()
    child = os.fork()
    if child == 0:  # without the thread that asks
        os._exit(1 if breaker.is_open else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert breaker.is_open
    until_closed(breaker, answers=False)


def test_no_thread_to_be_had_and_no_log_leave_it_usable(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = Breaker(asked, 5)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fails(RuntimeError("can't start new thread")))
        breaker.open()
    assert not breaker.is_open
    with monkeypatch.context() as patch:
        patch.setattr(patience.log, "error", fails(OSError(28, "No space left on device")))
        breaker.open()
    asked.may_answer.set()
    until_closed(breaker)


def fails(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_who_has_waited_longest_is_let_in_next() -> None:
    gate, order = Gate(1), queue.SimpleQueue[int]()
    assert gate.acquire(0)
    assert not gate.acquire(0)

    def wait(number: int) -> None:
        assert gate.acquire(20)
        order.put(number)
        gate.release()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        until(lambda number=number: len(gate._waiting) > number)
    gate.release()
    assert not gate.acquire(0) or order.qsize() == 5  # nobody passes them
    for thread in threads:
        thread.join(20)
    assert [order.get_nowait() for _ in threads] == list(range(5))


def test_those_who_wait_in_vain_together_give_up_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reporter.database.gate.APART_SECONDS", 0.2)
    gate = Gate(0)
    gone: queue.SimpleQueue[int] = queue.SimpleQueue()

    def waits(number: int, seconds: float) -> None:
        if not gate.acquire(timeout=seconds):
            gone.put(number)

    for number, seconds in enumerate((1.5, 1.4, 1.3)):  # the last one would be the first to go
        threading.Thread(target=waits, args=(number, seconds)).start()
        until(lambda number=number: len(gate._waiting) > number)
    assert [gone.get(timeout=20) for _ in range(3)] == [0, 1, 2]


def test_a_page_that_has_waited_for_many_answers_is_given_a_moment_for_the_next() -> None:
    with of_a_page():
        patience.spend(patience.PAGE_SECONDS + 3)
        assert patience.limit(10) == patience.LEAST_SECONDS


@pytest.mark.parametrize(("error", "answers"), [(ValueError(), True), (NotAnswering(), False)])
def test_an_answer_that_a_page_does_not_like_is_an_answer(
    asked: Asked, error: Exception, answers: bool
) -> None:
    breaker = Breaker(asked, 5)

    def page() -> None:
        with of_a_page(), breaker.passed():
            breaker._moved_at = 0.0
            raise error

    with pytest.raises(type(error)):
        page()
    assert (breaker._moved_at > 0.0) == answers
