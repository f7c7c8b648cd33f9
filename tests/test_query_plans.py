"""What runs per page, per report and per mail looks rows up and reads no history through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import SENT_AT, a_report
from flask import Flask

from reporter.database import Database
from reporter.models import Base
from reporter.notices import store as notices
from reporter.reports import receipts, surge
from reporter.reports.submission import submit

# Small whatever the history: known incidents that are open, and what is bounded by settings.
SMALL = {"notice", "surge", "worker", "alarm"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app()
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    with app.test_request_context():
        yield app


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        if text.lstrip().upper().startswith("SELECT"):
            seen.append((text, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)


def read_through(database: Database, text: str, parameters: Any) -> list[str]:
    """The tables that the engine reads from end to end for a statement."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
            plan = [str(row[-1]) for row in rows]
            return [m[1] for line in plan if (m := re.match(r"SCAN (?!CONSTANT|anon_)(\w+)", line))]
        # Its tables are nearly empty: it is to say what it would do if they were not.
        connection.exec_driver_sql("SET enable_seqscan = off")
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}", parameters)]
        return [m[1] for line in plan if (m := re.search(r"Seq Scan on \"?(\w+)", line))]


def assert_looked_up(database: Database, seen: list[tuple[str, Any]]) -> None:
    assert seen
    for text, parameters in seen:
        through = set(read_through(database, text, parameters)) - SMALL
        assert not through, text


def test_sending_a_report_reads_no_history_through(app: Flask) -> None:
    database: Database = app.extensions["sqlalchemy"]
    for number in range(4):
        submit(f"draft{number}", a_report(email=f"a{number}@example.com"))
    with statements(database) as seen:
        submit("draft", a_report(email="ana@example.com"))
    assert_looked_up(database, seen)


def test_a_receipt_reads_no_history_through_and_asks_as_often_whatever_was_said(
    app: Flask,
) -> None:
    database: Database = app.extensions["sqlalchemy"]
    token = submit("draft", a_report())
    with statements(database) as seen, database.read() as session:
        assert receipts.find(session, token)
        notices.active(session, "email")
    assert_looked_up(database, seen)


def test_judging_a_surge_reads_no_history_through(app: Flask) -> None:
    database: Database = app.extensions["sqlalchemy"]
    for number in range(5):
        submit(f"draft{number}", a_report(email=f"a{number}@example.com"))
    with statements(database) as seen, database.read() as session:
        assert surge.judge(session, "web-hosting", SENT_AT + timedelta(days=2)) is None
        assert surge.judge(session, "web-hosting", SENT_AT) is not None
    assert_looked_up(database, seen)


def test_a_table_that_is_read_through_is_found(app: Flask) -> None:
    """Else the tests above would say nothing."""
    database: Database = app.extensions["sqlalchemy"]
    text = "SELECT id FROM report WHERE CAST(content AS TEXT) = 'x'"
    assert read_through(database, text, ()) == ["report"]
