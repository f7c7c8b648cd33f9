"""Each index is paid for by whoever saves a report or a mail: each is used by what is run here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from incidents import follow, opened
from provider import Provider, a_picture, upload
from statements import statements
from test_query_plans import ASKED, history, look

from reporter.attachments import keeping
from reporter.attachments.keeping import Allowance
from reporter.attachments.store import Owner
from reporter.database import Database
from reporter.delivery import beats, recovery, releases
from reporter.delivery.alarms import Alarms
from reporter.delivery.repeating import duties_of
from reporter.models import Base, UpdateKind
from reporter.operations import figures
from reporter.reports import updates


def indexes_used(database: Database, text: str, parameters: Any) -> set[str]:
    """Those that the engine goes by for a statement."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
            plan = "\n".join(str(row[-1]) for row in rows)
            return set(re.findall(r"USING (?:COVERING )?INDEX (\w+)", plan))
        found = set()
        # Its tables are nearly empty: it is to say what it would do if they were not.
        for other_way in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f"SET enable_{other_way} = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {text}", parameters).all()
            plan = "\n".join(row[0] for row in rows)
            found |= set(re.findall(r"(?:using|Bitmap Index Scan on) (\w+)", plan))
        return found


def everything_is_done(provider: Provider) -> None:
    """What pages, workers and commands ask of the database, each once or more."""
    database, now = provider.database, provider.now
    token = provider.report()
    for number in range(5):  # which are a surge
        provider.report(f"draft{number}", email=f"cliente{number}@example.com")
    follow(provider, opened(provider, service="email"))
    report_id = provider.receipt(token).report_id
    with provider.app.test_request_context():
        allowance = Allowance(["today", "yesterday"], now - timedelta(days=1), 10**6)
        picture = upload("a.png", a_picture())
        keeping.keep(Owner(report_id, reference="INC"), [picture], allowance=allowance)
        updates.add_update(report_id, UpdateKind.INFO, "Más", now)
    for query in ASKED:
        look(database, query)
    alarms = Alarms([], 0)
    alarms.check(database, now + timedelta(minutes=1))
    alarms.check(database, now + timedelta(minutes=2))
    provider.work()
    with database.write() as session:
        releases.free_gone(session, now)
        recovery.wake(session, now)
        recovery.wake(session, now, "support@example.com")
        recovery.advance_one(session, now)
        beats.beats(session, now)
        figures.unsent(session)
        figures.unseen(session)
    with provider.app.app_context():
        for duty in duties_of(provider.app).complete().repeated:
            duty.act()
    for words in (
        ("outbox", "list"), ("report", "list"), ("purge", "--dry-run"),
        ("person", "erase", "cliente1@example.com"), ("purge",),
    ):  # fmt: skip
        provider.command(*words)


def test_every_index_is_used_by_a_statement_of_ours(on_both_engines: Provider) -> None:
    database = on_both_engines.database
    with statements(database, "SELECT", "WITH", "UPDATE", "DELETE") as seen:
        everything_is_done(on_both_engines)
    used = {name for each in dict(seen).items() for name in indexes_used(database, *each)}
    if database.engine.dialect.name == "postgresql":
        history(database, solved=200)  # two that begin alike are one to it, of a few rows
        with database.write() as session:
            session.execute(sa.text("ANALYZE report"))
        used |= {name for each in dict(seen).items() for name in indexes_used(database, *each)}
    children = [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.ondelete for key in column.foreign_keys)
    ]
    for table, column in children:  # what the engine itself asks when a parent goes
        value = "''" if column.type.python_type is str else "0"
        text = f'SELECT 1 FROM "{table.name}" WHERE "{column.name}" = {value}'
        used |= indexes_used(database, text, ())
    all_there_are = {each.name for table in Base.metadata.tables.values() for each in table.indexes}
    assert all_there_are - used == set()


def test_an_index_that_nothing_uses_is_found(on_both_engines: Provider) -> None:
    """Else the test above would say nothing."""
    database = on_both_engines.database
    with database.write() as session:
        session.execute(sa.text("CREATE INDEX ix_idle ON report (summary)"))
    assert "ix_idle" not in indexes_used(database, "SELECT 1 FROM report WHERE id = 1", ())
    by_summary = "SELECT 1 FROM report WHERE summary = 'x'"
    assert indexes_used(database, by_summary, ()) == {"ix_idle"}
