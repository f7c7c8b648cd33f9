"""What both engines must do alike, and what only SQLite needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import sqlite_url
from flask import Flask, request
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    StatementError,
)
from sqlalchemy.orm import Session
from waiting import until

from reporter.database import Database, Lock, exclusive, glance
from reporter.database.url import driver_url
from reporter.models import Attempt, Base, Draft, Report

NOW = datetime(2026, 11, 23, 1, 40, 5, 123456, tzinfo=UTC)
MADRID = timezone(timedelta(hours=1))


def draft(id_: str = "a", at: datetime = NOW) -> Draft:
    return Draft(id=id_, steps={}, flags=[], created_at=at, updated_at=at)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Draft)) or 0


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    with database.write() as session:
        session.add(draft(at=NOW.astimezone(MADRID)))
    with database.read() as session:
        stored = session.get_one(Draft, "a").created_at
    assert (stored, stored.tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.write() as session:
        session.add(draft(at=NOW.replace(tzinfo=None)))


def test_times_in_different_zones_compare_as_moments(database: Database) -> None:
    with database.write() as session:
        session.add(draft("early", NOW))
        session.add(draft("late", (NOW + timedelta(minutes=1)).astimezone(MADRID)))
    with database.read() as session:
        later = sa.select(Draft.id).where(Draft.created_at > NOW.astimezone(MADRID))
        assert session.scalars(later).all() == ["late"]


def test_a_customer_may_paste_a_nul(database: Database) -> None:
    with database.write() as session:
        session.add(draft())
        session.get_one(Draft, "a").steps = {"failure": {"summary": "a\x00b \U0001f600"}}
    with database.read() as session:
        steps = session.get_one(Draft, "a").steps
    assert steps == {"failure": {"summary": "a\x00b \U0001f600"}}


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add_all([draft("a"), draft("a")])
    assert count(database) == 0


def test_a_reader_cannot_write(database: Database) -> None:
    """On PostgreSQL the transaction refuses; on SQLite it is only that nobody waits for it."""
    if database.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="read-only"), database.read() as session:
            session.add(draft())


def test_a_reader_does_not_wait_for_a_writer_nor_see_its_work(database: Database) -> None:
    with database.write() as session:
        session.add(draft())
        session.flush()
        assert count(database) == 0
    assert count(database) == 1


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Attempt(message_id=1, attempted_at=NOW, relay="", outcome="", reply=""))


def test_reading_and_then_writing_never_loses_an_update(database: Database) -> None:
    """The pattern that fails with "database is locked" where SQLite begins without a lock."""
    with database.write() as session:
        session.add(draft())

    def add(_: int) -> None:
        with database.write() as session:
            exclusive(session, Lock.DRAFT, "a")
            found = session.get_one(Draft, "a")
            found.steps = {"count": found.steps.get("count", 0) + 1}

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(40)))
    with database.read() as session:
        assert session.get_one(Draft, "a").steps == {"count": 40}


def test_exclusive_sections_of_one_key_follow_one_another(database: Database) -> None:
    inside = threading.Semaphore(1)

    def enter(_: int) -> bool:
        with database.write() as session:
            exclusive(session, Lock.NOTICES)
            session.execute(sa.select(1))  # SQLite begins with the first statement
            alone = inside.acquire(blocking=False)
            time.sleep(0.001)  # others would come in now
            inside.release()
            return alone

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(enter, range(40)))


def test_deleting_a_report_deletes_its_mails(database: Database, queue: Callable[..., int]) -> None:
    with database.write() as session:
        report = Report(
            reference="INC-KX7M9Q",
            token_hash="t",
            draft_id="d",
            content={},
            service="email",
            saved_at=NOW,
        )
        session.add(report)
        session.flush()
        report_id = report.id
    ticket = queue(report_id=report_id)
    queue(report_id=report_id, after_id=ticket)
    with database.write() as session:
        session.delete(session.get_one(Report, report_id))
    with database.read() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM message")) == 0


def test_sqlite_is_set_to_survive_a_power_cut(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "folder"))
    with database.read() as session:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert session.scalar(sa.text(f"PRAGMA {pragma}")) == value
    database.close()


def test_no_file_is_made_by_looking_for_one(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'reporter.db'}")
    with pytest.raises(OperationalError), database.read() as session:
        session.execute(sa.text("SELECT 1"))
    assert list(tmp_path.iterdir()) == []
    database.close()


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_nothing_is_kept_in_a_file_that_is_gone(tmp_path: Path, replaced: bool) -> None:
    database = Database(sqlite_url(tmp_path))
    Base.metadata.create_all(database.engine)
    file = tmp_path / "reporter.db"
    copy = tmp_path / "copy.db"
    copy.write_bytes(file.read_bytes())
    file.unlink()
    if replaced:
        copy.rename(file)
    with (
        pytest.raises(OperationalError, match="was deleted or replaced"),
        database.write() as session,
    ):
        session.add(draft())
    database.close()


def test_nobody_else_may_read_the_file_nor_what_stands_beside_it(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "folder"))
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.execute(sa.text("SELECT 1"))
    files = list((tmp_path / "folder").iterdir())
    assert len(files) >= 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700
    database.close()


def test_migrations_may_have_foreign_keys_off(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path), foreign_keys=False)
    with database.read() as session:
        assert session.scalar(sa.text("PRAGMA foreign_keys")) == 0
    database.close()


def test_a_server_that_says_nothing_is_not_waited_for(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    silent = "SET statement_timeout = 0; SELECT pg_sleep(100)"

    def ask() -> None:
        with monkeypatch.context() as patch, database.read() as session:
            session.scalar(sa.text("SELECT 1"))  # it is connected
            patch.setattr("reporter.database.postgresql.SILENCE_SECONDS", 0.5)
            session.execute(sa.text(silent))

    with pytest.raises(OperationalError, match="not answered"):
        ask()
    with database.read() as session:
        assert session.scalar(sa.text("SELECT 1")) == 1
        limits = [session.scalar(sa.text(f"SHOW {name}_timeout")) for name in ("statement", "lock")]
        assert limits == ["8s", "3s"]
    database.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_urls_get_our_driver(scheme: str) -> None:
    url = driver_url(f"{scheme}://user:word@host/name")
    assert url.render_as_string(hide_password=False) == ("postgresql+psycopg://user:word@host/name")


def test_what_is_no_url_is_an_error() -> None:
    with pytest.raises(ArgumentError):
        driver_url("reporter.db")


class TestAGlance:
    """At what a page can do without."""

    def test_it_is_what_is_there(self, database: Database) -> None:
        one = database.glances.look(lambda session: session.scalar(sa.select(sa.literal(1))))
        assert one == 1

    def test_a_database_that_is_away_is_nothing(self) -> None:
        away = Database("postgresql://127.0.0.1:1/nowhere")
        assert away.glances.look(lambda session: session.scalar(sa.select(1))) is None

    def test_one_that_hangs_is_waited_for_once_and_not_by_those_after_it(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(glance, "PATIENCE_SECONDS", 0.05)
        hangs, asked = threading.Event(), []

        def look(session: Session) -> bool:
            asked.append(session)
            return hangs.wait(20)

        assert database.glances.look(look) is None
        until(lambda: asked)
        assert [database.glances.look(look) for _ in range(2)] == [None] * 2
        assert len(asked) == 1
        hangs.set()
        until(lambda: database.glances.look(lambda session: True))  # the one that hung is done

    def test_a_fault_of_ours_is_not_hidden(self, database: Database) -> None:
        with pytest.raises(ZeroDivisionError):
            database.glances.look(lambda session: 1 // 0)

    def test_it_sees_the_request(self, make_app: Callable[..., Flask]) -> None:
        app = make_app()
        with app.test_request_context("/?lang=en"):
            seen = app.extensions["sqlalchemy"].glances.look(lambda session: request.args["lang"])
        assert seen == "en"
