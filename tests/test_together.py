"""What several customers send at once is committed as one; each is answered as if by itself."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast
from unittest.mock import DEFAULT, Mock

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from reporter.database import Database, file, group_commit, patience, together
from reporter.database.sqlite import Lent
from reporter.database.statement import Statement
from reporter.database.transaction import Transaction

Write = Callable[[Session], Any]
SECONDS = 20


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "word"
    word: Mapped[str] = mapped_column(primary_key=True)


def writing(word: str) -> Write:
    return lambda session: session.execute(sa.text(f"INSERT INTO word VALUES ('{word}')"))


def adding(word: str) -> Write:
    """By the books of SQLAlchemy."""

    def write(session: Session) -> None:
        session.add(Word(word=word))
        session.flush()

    return write


def by_hand(word: str) -> Write:
    """As `Statement` does."""

    def write(session: Session) -> None:
        ONE_MORE.change(session, {"word": word})

    return write


ONE_MORE = Statement(sa.insert(Word))


class Line:
    """Threads that write, each at the door before the first of them may leave."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "words.db"
        file.create(f"sqlite:///{self.path}")
        self.database = Database(f"sqlite:///{self.path}")
        with self.database.write() as session:
            Base.metadata.create_all(session.connection())
        turn, commits, kept = self.database._turn, self.database._commits, self.database._kept
        assert turn
        assert commits
        assert kept
        self.turn, self.commits, self.kept = turn, commits, kept

    def words(self) -> set[str]:
        """As another process sees them."""
        with closing(sqlite3.connect(self.path)) as connection:
            return {word for (word,) in connection.execute("SELECT word FROM word")}

    def write(
        self,
        *writes: Write,
        last: Write | None = None,
        then: Callable[[Future[None]], None] | None = None,
    ) -> list[Future[None]]:
        """Each in a thread of its own, in this order; the *last* shares nothing. *then* is done
        by each of these threads with what became of it."""
        first, *others = writes
        with self.held(first) as leads, ThreadPoolExecutor(len(writes)) as threads:
            told = self.told = [leads]
            for number, each in enumerate(others, 1):
                told.append(threads.submit(self._write, each))
                self.until_waiting(number)
            if last:
                told.append(threads.submit(self._write, last, together=False))
                self.until_waiting(len(writes))
            if then:
                for future in told:
                    future.add_done_callback(then)
            self.may_leave.set()
        return told

    def _write(self, write: Write, *, together: bool = True) -> None:
        if together:
            self.database.write_together(write)
        else:
            with self.database.write() as session:
                write(session)

    @contextmanager
    def held(self, first: Write) -> Iterator[Future[None]]:
        """Who is inside, and does *first* once they `may_leave`."""
        entered, self.may_leave = threading.Event(), threading.Event()

        def hold(session: Session) -> None:
            entered.set()
            assert self.may_leave.wait(SECONDS)
            first(session)

        with ThreadPoolExecutor(1) as threads:
            told = threads.submit(self._write, hold)
            assert entered.wait(SECONDS)
            try:
                yield told
            finally:
                self.may_leave.set()

    def until_waiting(self, number: int) -> None:
        waited = threading.Event()
        for _ in range(SECONDS * 100):
            if len(self.commits._waiting) + len(self.turn.inside._waiting) == number:
                return
            waited.wait(0.01)
        raise AssertionError(f"never {number} at the door")


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(together, "OPEN_SECONDS", SECONDS)  # however busy the machine is
    line = Line(tmp_path)
    yield line
    line.database.close()


@pytest.fixture
def begun(line: Line, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each transaction."""
    counted: list[None] = []
    lend = line.kept.lend

    def counting(engine: sa.Engine) -> Any:
        if not engine.get_execution_options().get("read_only"):
            counted.append(None)
        return lend(engine)

    monkeypatch.setattr(line.kept, "lend", counting)
    return counted


def test_those_who_wait_write_in_the_same_transaction(line: Line, begun: list[None]) -> None:
    told = line.write(*map(writing, "abc"), *map(adding, "def"))
    assert [each.exception() for each in told] == [None] * 6
    assert line.words() == set("abcdef")
    assert len(begun) == 1


def test_a_transaction_has_only_so_many_parts(line: Line, begun: list[None]) -> None:
    words = [str(number) for number in range(2 * together.PARTS + 1)]
    line.write(*map(writing, words))
    assert line.words() == set(words)
    assert len(begun) == 3


def test_a_transaction_stays_open_only_for_so_long(
    line: Line, begun: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "OPEN_SECONDS", 0.0)
    line.write(*map(writing, "abc"))
    assert len(begun) == 3


def test_nobody_is_answered_before_what_they_wrote_is_committed(line: Line) -> None:
    seen: list[set[str]] = []

    def looking(session: Session) -> None:
        """The first has written, and is not committed."""
        seen.append(line.words())
        assert not line.told[0].done()
        writing("b")(session)

    told = line.write(writing("a"), looking)
    assert [each.exception() for each in told] == [None, None]
    assert seen == [set()]
    assert line.words() == {"a", "b"}


@pytest.mark.parametrize("kind", [writing, adding, by_hand])
def test_what_fails_is_undone_alone(
    line: Line, begun: list[None], kind: Callable[[str], Write]
) -> None:
    def twice(session: Session) -> None:
        kind("d")(session)
        kind("a")(session)  # which is there

    def failing(session: Session) -> None:
        kind("b")(session)
        raise ValueError

    told = line.write(kind("a"), failing, twice, kind("c"))
    assert told[0].exception() is None
    assert isinstance(told[1].exception(), ValueError)
    assert isinstance(told[2].exception(), IntegrityError)
    assert told[3].exception() is None
    assert line.words() == {"a", "c"}
    assert len(begun) == 1


@pytest.mark.parametrize("kind", [writing, adding, by_hand])
def test_the_first_one_is_undone_alone_too(
    line: Line, begun: list[None], kind: Callable[[str], Write]
) -> None:
    def failing(session: Session) -> None:
        kind("a")(session)
        raise ValueError

    told = line.write(failing, kind("b"), kind("c"))
    assert isinstance(told[0].exception(), ValueError)
    assert [each.exception() for each in told[1:]] == [None, None]
    assert line.words() == {"b", "c"}
    assert len(begun) == 1


def test_who_finds_something_there_already_finds_it_committed(line: Line) -> None:
    """As the second press of one button, which is answered with what the first has made."""
    seen: list[set[str]] = []

    def look(told: Future[None]) -> None:
        """At once, in its own thread."""
        if isinstance(told.exception(), IntegrityError):
            seen.append(line.words())

    line.write(writing("a"), writing("a"), writing("b"), then=look)
    assert seen == [{"a", "b"}]


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_all_are_told_when_the_disk_is_full(line: Line, is_by_hand: bool) -> None:
    """SQLite undoes the whole transaction then: nobody is told that theirs was kept."""
    with line.database.read() as session:
        pages = session.scalar(sa.text("PRAGMA page_count"))

    def much(session: Session) -> None:
        if is_by_hand:
            cursor = cast(Transaction, session).cursor()
            cursor.execute(f"PRAGMA max_page_count = {pages}")
            cursor.execute("INSERT INTO word VALUES (hex(zeroblob(100000)))")
        else:
            session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
            session.execute(sa.text("INSERT INTO word VALUES (hex(zeroblob(100000)))"))

    told = line.write(writing("a"), writing("a"), much, writing("b"))
    assert isinstance(told[0].exception(), OperationalError)
    assert isinstance(told[1].exception(), OperationalError), "what it found is not there"
    assert told[2].exception() is not None
    assert told[3].exception() is None, "it began anew"
    assert line.words() == {"b"}


def test_all_are_told_whatever_stops_the_commit(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise MemoryError

    lend = line.kept.lend

    def lending(engine: sa.Engine) -> Lent:
        lent = lend(engine)
        if engine.get_execution_options().get("read_only"):
            return lent
        driver = Mock(wraps=lent.driver, in_transaction=True, commit=stop)
        return Lent(cast(sqlite3.Connection, driver), lent.of_pool)

    monkeypatch.setattr(line.kept, "lend", lending)
    told = line.write(writing("a"), writing("b"))
    assert isinstance(told[0].exception(), MemoryError), "who leads"
    assert isinstance(told[1].exception(), OperationalError)
    assert line.words() == set()
    monkeypatch.undo()
    (last,) = line.write(writing("c"))
    assert last.exception() is None
    assert line.words() == {"c"}


def test_nothing_is_committed_of_a_transaction_that_was_undone(line: Line) -> None:
    """Whoever does nothing but commit then would hear of no fault."""
    group = together.Group(line.database.engine, line.kept, lambda error: None)
    lent = group.begin_part()
    group.keep_part()
    lent.driver.rollback()
    group.commit()
    assert isinstance(group.failure(), OperationalError)


def test_who_shares_nothing_waits_for_the_commit_of_the_others(line: Line) -> None:
    seen: list[set[str]] = []
    told = line.write(writing("a"), writing("b"), last=lambda session: seen.append(line.words()))
    assert [each.exception() for each in told] == [None] * 3
    assert seen == [{"a", "b"}]


def test_each_writes_as_its_own_thread_would(line: Line) -> None:
    """Whoever leads: for its request, in its language, with what it can wait."""
    of_thread: ContextVar[str] = ContextVar("of_thread")
    seen: dict[str, str] = {}

    def wanting(word: str) -> Callable[[], Any]:
        def write(session: Session) -> int:
            seen[word] = of_thread.get()
            return len(word)

        def ask() -> int:
            of_thread.set(f"of {word}")
            return line.database.write_together(write)

        return ask

    with line.held(writing("held")), ThreadPoolExecutor(3) as threads:
        told = [threads.submit(wanting(word)) for word in ("a", "bb", "ccc")]
        line.until_waiting(3)
        line.may_leave.set()
        assert [each.result() for each in told] == [1, 2, 3]
    assert seen == {"a": "of a", "bb": "of bb", "ccc": "of ccc"}


def test_where_no_transaction_begins_the_next_one_tries(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "PARTS", 1)
    begin = Mock(wraps=line.commits._begin)
    begin.side_effect = [DEFAULT, OperationalError("BEGIN", None, Exception()), DEFAULT]
    monkeypatch.setattr(line.commits, "_begin", begin)
    told = line.write(*map(writing, "abc"))
    assert told[0].exception() is None
    assert isinstance(told[1].exception(), OperationalError)
    assert told[2].exception() is None
    assert line.words() == {"a", "c"}
    assert begin.call_count == 3, "who comes next is let in by who has failed"


def test_who_is_told_that_nobody_answers_has_written_nothing(line: Line) -> None:
    def ask() -> None:
        with patience.of_a_page():
            line.database.write_together(writing("a"))

    breaker = line.database.breaker
    with line.held(writing("held")), ThreadPoolExecutor(1) as threads:
        told = threads.submit(ask)
        line.until_waiting(1)
        breaker._opened_by = os.getpid()
        assert isinstance(told.exception(SECONDS), patience.NotAnswering)
        breaker.close()
        line.may_leave.set()
    assert line.words() == {"held"}


def test_what_was_begun_is_waited_for(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nobody answers by then: it may be kept."""
    looked = threading.Event()

    def is_in_vain(since: float) -> bool:
        looked.set()
        return True

    def slow(session: Session) -> None:
        monkeypatch.setattr(line.turn, "is_in_vain", is_in_vain)
        assert looked.wait(SECONDS)
        writing("a")(session)

    told = line.write(writing("b"), slow)
    assert [each.exception() for each in told] == [None, None]
    assert line.words() == {"a", "b"}


def test_nobody_waits_for_ever_for_what_was_begun(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_SECONDS", 0.0)
    may_end = threading.Event()

    def hang(session: Session) -> None:
        assert may_end.wait(SECONDS)

    with line.held(writing("held")), ThreadPoolExecutor(1) as threads:
        told = threads.submit(line.database.write_together, hang)
        line.until_waiting(1)
        line.may_leave.set()
        assert isinstance(told.exception(SECONDS), OperationalError)
        may_end.set()


def test_whose_turn_does_not_come_writes_without(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever leads waits for another process for good, and the file is free."""
    entering, may_enter = threading.Event(), threading.Event()

    def enter() -> None:
        entering.set()
        assert may_enter.wait(SECONDS)

    monkeypatch.setattr(line.turn, "_enter", enter)
    with ThreadPoolExecutor(2) as threads:
        leads = threads.submit(line.database.write_together, writing("a"))
        assert entering.wait(SECONDS)
        line.turn.moved_at = 0.0
        told = threads.submit(line.database.write_together, writing("b"))
        assert told.exception(SECONDS) is None
        assert line.words() == {"b"}
        may_enter.set()
    assert leads.exception() is None
    assert line.words() == {"a", "b"}


def test_one_alone_is_committed_at_once(line: Line, begun: list[None]) -> None:
    for word in "ab":
        line.database.write_together(writing(word))
    assert line.words() == {"a", "b"}
    assert len(begun) == 2


def test_a_part_needs_no_room_for_a_file_of_its_own(line: Line) -> None:
    """Where a disk is full, or there are too many open files, an own commit would need none."""
    opened: list[set[str]] = []

    def files() -> Iterator[str]:
        for each in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # it was that of the folder itself
                yield os.readlink(each)

    def much(session: Session) -> None:
        for word in "bcd":
            session.execute(sa.text(f"INSERT INTO word VALUES ('{word}' || hex(zeroblob(100000)))"))
        session.execute(sa.text("UPDATE word SET word = word || '.'"))  # pages that are there
        opened.append({each for each in files() if "etilqs" in each})

    told = line.write(by_hand("a"), much)
    assert [each.exception() for each in told] == [None, None]
    assert opened == [set()]
