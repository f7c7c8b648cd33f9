"""What runs per page, per report and per mail looks rows up and reads no history through."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from factories import SENT_AT, a_report, an_app
from flask import Flask
from statements import statements

from reporter import models, surge
from reporter.database import Database
from reporter.desk import board
from reporter.desk.asked import Asked
from reporter.notices import store as notices
from reporter.reports import receipts
from reporter.reports.submission import submit

# Small whatever the history: known incidents that are open, and what is bounded by settings.
SMALL = {"notice", "surge", "worker", "alarm"}


@pytest.fixture
def app(request_on_both: Flask) -> Flask:
    return request_on_both


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
    with statements(database, "SELECT") as seen:
        submit("draft", a_report(email="ana@example.com"))
    assert_looked_up(database, seen)


def test_a_receipt_reads_no_history_through_and_asks_as_often_whatever_was_said(
    app: Flask,
) -> None:
    database: Database = app.extensions["sqlalchemy"]
    token = submit("draft", a_report())
    with statements(database, "SELECT") as seen, database.read() as session:
        assert receipts.find(session, token)
        notices.active(session, "email")
    assert_looked_up(database, seen)


def test_judging_a_surge_reads_no_history_through(app: Flask) -> None:
    database: Database = app.extensions["sqlalchemy"]
    for number in range(5):
        submit(f"draft{number}", a_report(email=f"a{number}@example.com"))
    with statements(database, "SELECT") as seen, database.read() as session:
        assert surge.judge(session, "web-hosting", SENT_AT + timedelta(days=2)) is None
        assert surge.judge(session, "web-hosting", SENT_AT) is not None
    assert_looked_up(database, seen)


ASKED = [
    {},
    {"page": "2"},
    {"state": "unseen"},
    {"state": "late"},
    {"state": "solved"},
    {"state": "all"},
    {"state": "all", "severity": "1"},
    {"state": "all", "service": "email"},
    {"service": "email", "severity": "1"},
    {"q": "cliente9@example.com"},
    {"q": "INC-K00009"},
]


def history(database: Database, solved: int, unsolved: int = 30) -> None:
    """Reports an hour apart; the solved ones are the older."""
    rows, words = [], []
    for number in range(1, solved + unsolved + 1):
        at = SENT_AT - timedelta(hours=solved + unsolved - number)
        done = at if number <= solved else None
        reference = f"INC-K{number:05}"
        rows.append(
            {"id": number, "reference": reference, "token_hash": reference, "draft_id": reference,
             "service": ("web-hosting", "email")[number % 2], "severity": 1 + number % 4,
             "summary": "502", "customer": "Ana", "saved_at": at, "seen_at": done,
             "solved_at": done, "content": {}}
        )  # fmt: skip
        for term in (reference.removeprefix("INC-").lower(), f"cliente{number}@example.com"):
            words.append({"report_id": number, "term": term})
    with database.write() as session:
        session.execute(sa.delete(models.SearchTerm))
        session.execute(sa.delete(models.Report))
        session.execute(sa.insert(models.Report), rows)
        session.execute(sa.insert(models.SearchTerm), words)


def look(database: Database, query: dict[str, str]) -> int:
    """What the board asks for; how many lines that is."""
    with database.read() as session:
        asked = Asked.of(query, ["web-hosting", "email"])
        found = board.lines(session, asked, SENT_AT)
        board.known(session)
        board.latest(session, ["web-hosting", "email"], SENT_AT)
    return len(found)


# A page of all there is follows an index to its fiftieth: SQLite calls that a scan as well.
ALL_THERE_IS = [{"state": "solved"}, {"state": "all"}]


@pytest.mark.parametrize(
    "query",
    [each for each in ASKED if each not in ALL_THERE_IS],
    ids=lambda query: "&".join(query.values()) or "open",
)
def test_the_board_reads_no_history_through(app: Flask, query: dict[str, str]) -> None:
    database: Database = app.extensions["sqlalchemy"]
    history(database, solved=200)
    with statements(database, "SELECT") as seen:
        look(database, query)
    assert len(seen) == 3
    assert_looked_up(database, seen)


@pytest.mark.parametrize("query", ASKED, ids=lambda query: "&".join(query.values()) or "open")
def test_the_board_costs_the_same_however_much_was_solved(
    tmp_path: Path, query: dict[str, str], record_property: Callable[[str, str], None]
) -> None:
    """Counted in steps of SQLite's own machine, so that it is the same on every other one."""
    with an_app(tmp_path) as app:
        database: Database = app.extensions["sqlalchemy"]
        steps, lines = {}, {}
        for solved in (400, 8_000):
            history(database, solved)
            steps[solved], lines[solved] = _steps(database, query)
    assert lines[400] == lines[8_000]
    assert steps[8_000] <= 1.2 * steps[400] + 100
    if not query:
        table = "\n".join(f"  {count:>7}  with {solved} solved" for solved, count in steps.items())
        record_property("Steps of SQLite for a board of 30 open reports", table)


def test_a_page_of_the_board_is_fifty_however_many_are_open(app: Flask) -> None:
    database: Database = app.extensions["sqlalchemy"]
    history(database, solved=0, unsolved=400)
    for query in ({}, {"page": "3"}, {"state": "all"}):
        assert look(database, query) == board.PAGE + 1  # the last says that there are more


def _steps(database: Database, query: dict[str, str]) -> tuple[int, int]:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with database.read() as session:
        connection: Any = session.connection().connection.driver_connection
        connection.execute("ANALYZE")
    look(database, query)
    with database.read() as session:
        connection = session.connection().connection.driver_connection
        connection.set_progress_handler(step, 10)
        try:
            asked = Asked.of(query, ["web-hosting", "email"])
            lines = len(board.lines(session, asked, SENT_AT))
            board.known(session)
            board.latest(session, ["web-hosting", "email"], SENT_AT)
        finally:
            connection.set_progress_handler(None, 0)
    return count * 10, lines


def test_a_table_that_is_read_through_is_found(app: Flask) -> None:
    """Else the tests above would say nothing."""
    database: Database = app.extensions["sqlalchemy"]
    text = "SELECT id FROM report WHERE CAST(content AS TEXT) = 'x'"
    assert read_through(database, text, ()) == ["report"]
