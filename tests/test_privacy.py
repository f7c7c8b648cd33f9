"""What is kept of a person is written down: every column that could hold it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from chosen_files import PNG, add
from customers import Customer
from incidents import follow, opened
from provider import Provider

from reporter import models
from reporter.models import Base, MailState, Quota
from reporter.operations import purge

PAGE = (Path(__file__).resolve().parent.parent / "docs/privacy.md").read_text(encoding="utf-8")
NAMED = r"`([a-z_]+\.[a-z_0-9]+)`"


def holding_words() -> set[str]:
    """Columns of text, JSON or bytes; what the code alone chooses from a list aside."""
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, (sa.String, sa.JSON, sa.LargeBinary))
        and not isinstance(column.type, sa.Enum)
    }


def test_every_column_that_can_hold_words_is_in_the_table_or_holds_nothing_personal() -> None:
    table, _, rest = PAGE.partition("\nNot about a person:")
    personal = set(re.findall(NAMED, table))
    others = set(re.findall(NAMED, rest.partition("\n## ")[0]))
    assert not personal & others
    assert personal | others == holding_words()


def test_every_row_of_the_table_says_why_and_how_long() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    for row in rows:
        cells = row.strip("| ").split(" | ")
        assert len(cells) == 3
        assert all(cells), row


# Of each row of the table, days after which it goes: the defaults of config.py.
DRAFT_DAYS, SENT_MAIL_DAYS, RETENTION_DAYS, FOR_EVER = 7, 30, 180, 10_000
ENDS = {
    "draft.steps": DRAFT_DAYS,
    "draft.flags": DRAFT_DAYS,
    "report.content": RETENTION_DAYS,
    "report.summary": RETENTION_DAYS,
    "report.customer": RETENTION_DAYS,
    "report.email": RETENTION_DAYS,
    "report.phone": RETENTION_DAYS,
    "report.source": RETENTION_DAYS,
    "search_term.term": RETENTION_DAYS,
    "update.content": RETENTION_DAYS,
    "attachment.content": RETENTION_DAYS,
    "attachment.name": RETENTION_DAYS,
    "attachment.filename": RETENTION_DAYS,
    "attachment.client": RETENTION_DAYS,
    "message.recipient": RETENTION_DAYS,
    "message.content": SENT_MAIL_DAYS,
    "message.whole": SENT_MAIL_DAYS,
    "message.mailbox": RETENTION_DAYS,
    "attempt.reply": RETENTION_DAYS,
    "follower.name": RETENTION_DAYS,
    "follower.contact": RETENTION_DAYS,
    "follower.language": RETENTION_DAYS,
    "notice.entries": RETENTION_DAYS,
    "heard_once.key": RETENTION_DAYS,
    "staff.name": FOR_EVER,
    "staff.email": FOR_EVER,
    "staff.password_hash": FOR_EVER,
    "staff_session.browser": 30,
    "tally.client": 1,
}


def everything(provider: Provider) -> None:
    """Something in each of those columns, of this moment."""
    key = opened(provider)
    follow(provider, key)
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text="Va a peor")
    add(customer, token, ("a.png", PNG), hypothesis="El proxy")
    customer.open(f"/r/{token}/details/review")
    customer.submit()
    desk = provider.desk(token)
    desk.submit(action="contact", email="otra@cliente.example", phone="+34 600 000 001")
    while provider.work():
        pass
    provider.command("notice", "close", key, "--text", "Ya funciona")
    while provider.work():
        pass
    Customer(provider.app).fill("failure")
    now = provider.now
    with provider.database.write() as session:
        session.add(models.HeardOnce(key="answer <1@example.com>", heard_at=now))
        session.add(models.Tally(quota=Quota.DRAFTS, client="c", minute=now, count=1))
        session.execute(sa.update(models.Report).values(source="s"))  # made by no request here
        session.execute(sa.update(models.Staff).values(password_hash="h"))  # nor signed in by one
        sent = {"state": MailState.SENT, "sent_at": now, "whole": b"refused"}  # by no relay here
        session.execute(sa.update(models.Message).values(sent))


def rows(provider: Provider, column: str) -> int:
    """How many hold something there; of what a mail held, all of it and not its headers alone."""
    table, _, name = column.partition(".")
    found = Base.metadata.tables[table].columns[name]
    condition: sa.ColumnElement[bool] = sa.func.length(found) > 0
    if column == "message.content":
        condition = models.Message.cut_at.is_(None)
    counted = sa.select(sa.func.count()).select_from(found.table).where(condition)
    with provider.database.read() as session:
        return session.scalar(counted) or 0


@pytest.mark.settings(RATELIMIT_ENABLED=True)
def test_purge_executes_every_row_of_the_table(provider: Provider) -> None:
    """Each is there a moment before its end, and gone a moment after it."""
    table, _, _ = PAGE.partition("\nNot about a person:")
    assert set(ENDS) == set(re.findall(NAMED, table))
    everything(provider)
    first = {column: rows(provider, column) for column in ENDS}
    assert 0 not in first.values(), first
    moment = timedelta(hours=1)  # a mail may be due later than it was made
    for days in sorted(set(ENDS.values()) - {FOR_EVER}):
        for now, is_over in ((timedelta(days) - moment, False), (timedelta(days) + moment, True)):
            list(purge.purge(provider.database, provider.app.config, provider.now + now))
            for column, end in ENDS.items():
                left = rows(provider, column)
                is_gone = end < days or (end == days and is_over)
                assert (left == 0) if is_gone else (left > 0), (column, days, is_over)
