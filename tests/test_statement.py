"""Statements that go to the driver as they are mean what SQLAlchemy means by them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SLUGS, values
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Database, RehearsalOver
from reporter.database.statement import Statement
from reporter.database.transaction import Transaction
from reporter.models import MailKind, MailState

AT = datetime(2026, 11, 23, 1, 40, 0, 250, tzinfo=UTC)
INSERT = Statement(sa.insert(models.Message).returning(models.Message.id))
FIND = Statement(sa.select(models.Message.__table__).where(models.Message.id == sa.bindparam("id")))
MOVE = Statement(
    sa.update(models.Message)
    .where(models.Message.id == sa.bindparam("this"))
    .values(due_at=sa.bindparam("at"))
)
DRAFTS = Statement(sa.insert(models.Draft))
STEPS = Statement(sa.select(models.Draft.steps, models.Draft.updated_at).order_by(models.Draft.id))


def a_mail(**columns: Any) -> dict[str, Any]:
    return {
        "kind": MailKind.TICKET,
        "reference": "INC-KX7M9Q",
        "recipient": "support@example.com",
        "mime_id": "<one@example.com>",
        "rank": 3,
        "due_at": AT,
        "created_at": AT,
        "content": b"Subject: \xf1\r\n",
    } | columns


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(models.Message)) or 0


def test_a_row_is_what_sqlalchemy_reads_with_the_defaults_of_its_table(database: Database) -> None:
    with database.write() as session:
        ((row_id,),) = INSERT.rows(session, a_mail())
    with database.read() as session:
        found = FIND.row(session, {"id": row_id})
        assert found == tuple(session.execute(FIND.clause, {"id": row_id}).one())
        mail = session.get_one(models.Message, row_id)
    assert (mail.state, mail.attempt_count, mail.due_at) == (MailState.QUEUED, 0, AT)


def test_it_tells_how_many_rows_it_has_changed(database: Database) -> None:
    with database.write() as session:
        ((row_id,),) = INSERT.rows(session, a_mail())
        assert MOVE.change(session, {"this": row_id, "at": AT}) == 1
        assert MOVE.change(session, {"this": row_id + 1, "at": AT}) == 0


def test_many_rows_go_at_once_and_come_back_as_they_were(database: Database) -> None:
    steps = [{"failure": {"answers": {"summary": [text]}}} for text in ("ñ", "a\x00b")]
    rows = [
        {"id": str(number), "steps": each, "flags": [], "created_at": AT, "updated_at": AT}
        for number, each in enumerate(steps)
    ]
    with database.write() as session:
        DRAFTS.change_many(session, rows)
    with database.read() as session:
        assert STEPS.rows(session, {}) == [(each, AT) for each in steps]


def test_an_error_is_sqlalchemys_and_says_no_value(database: Database) -> None:
    with database.write() as session:
        INSERT.rows(session, a_mail())
    with pytest.raises(IntegrityError) as raised, database.write() as session:
        INSERT.rows(session, a_mail(recipient="somebody@example.com"))
    assert "somebody" not in str(raised.value).partition("[SQL")[2]
    with database.write() as session:  # the connection is well
        INSERT.rows(session, a_mail(mime_id="<two@example.com>"))


def add_as(kind: str, session: Session) -> None:
    mail = a_mail(mime_id=f"<{kind}@example.com>")
    if kind == "statement":
        INSERT.rows(session, mail)
    else:
        session.add(models.Message(**mail))
        session.flush()


def then_fail(session: Session, *kinds: str) -> None:
    for kind in kinds:
        add_as(kind, session)
    raise LookupError


@pytest.mark.parametrize("kinds", [("statement", "object"), ("object", "statement")])
def test_objects_and_these_share_one_transaction(database: Database, kinds: list[str]) -> None:
    """Also where SQLAlchemy comes to a transaction that its driver alone has begun."""
    with pytest.raises(LookupError), database.write() as session:
        then_fail(session, *kinds)
    assert count(database) == 0
    with database.write() as session:
        for kind in kinds:
            add_as(kind, session)
    assert count(database) == 2


def test_what_ends_in_an_error_keeps_nothing_and_holds_no_lock(database: Database) -> None:
    with pytest.raises(LookupError), database.write() as session:
        then_fail(session, "statement")
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Database(url)) as other, other.write() as session:
        add_as("statement", session)
    assert count(database) == 1


def test_a_commit_that_fails_is_an_error_of_sqlalchemys(app: Flask) -> None:
    """As of a disk that is full; here of a rule that is looked at last."""
    database: Database = app.extensions["sqlalchemy"]
    insert = Statement(sa.insert(models.Message))  # of other columns

    def break_a_rule() -> None:
        with database.write() as session:
            cast(Transaction, session).cursor().execute("PRAGMA defer_foreign_keys = ON")
            insert.change(session, a_mail(report_id=999_999))

    with pytest.raises(IntegrityError):
        break_a_rule()
    assert count(database) == 0


def test_what_hears_each_statement_hears_these(database: Database) -> None:
    with database.write() as session:
        ((row_id,),) = INSERT.rows(session, a_mail())
    heard: list[str] = []

    def hear(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
        heard.append(text)

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    with database.read() as session:
        assert FIND.row(session, {"id": row_id})
    sa.event.remove(database.engine, "before_cursor_execute", hear)
    assert len(heard) == 1


def test_none_is_written_in_a_rehearsal(database: Database) -> None:
    with database.rehearse() as session, pytest.raises(RehearsalOver):
        INSERT.rows(session, a_mail())


def test_no_page_of_a_report_asks_the_database_for_more_than_it_needs(app: Flask) -> None:
    """Each statement more keeps everybody waiting who writes."""
    said: list[str] = []
    database: Database = app.extensions["sqlalchemy"]
    sa.event.listen(
        database.engine, "before_cursor_execute", lambda c, cursor, text, *_: said.append(text)
    )
    customer = Customer(app)
    counts = []
    for slug in SLUGS:
        customer.open(f"/report/{slug}")
        said.clear()
        customer.submit(follow=False, **values(slug))
        counts.append(len(said))
    customer.open("/report/review")
    said.clear()
    customer.submit(follow=False)
    assert (counts, len(said)) == ([3, 2, 2, 2], 9)
