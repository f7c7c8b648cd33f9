"""What runs for every mail or every second uses an index over what waits, at any history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import CONTENT, NOW, claim, record
from statements import statements

from reporter.database import Database
from reporter.delivery import outbox, recovery, releases
from reporter.delivery.alarms import Alarms
from reporter.delivery.smtp import AttemptResult
from reporter.models import Message

SENT, BLOCKED, LATER = 4000, 1000, 1000
ACCEPTED = AttemptResult("relay:25", "accepted", 250, "ok", recovered=True)


@pytest.fixture
def full(database: Database) -> Database:
    """A history, many mails that wait for another, and many that wait for their time."""
    rows = [
        *(_row(number, state="sent") for number in range(SENT)),
        *(_row(number, state="queued", blocked=True) for number in range(SENT, SENT + BLOCKED)),
        *(
            _row(number, state="queued", due_at=NOW + timedelta(days=1))
            for number in range(SENT + BLOCKED, SENT + BLOCKED + LATER)
        ),
    ]
    with database.write() as session:
        session.execute(sa.insert(Message), rows)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    return database


def _row(number: int, **columns: Any) -> dict[str, Any]:
    kind = ("ticket", "acknowledgement", "followup", "news")[number % 4]
    return {
        "kind": kind,
        "reference": f"INC-{number:06}",
        "recipient": f"{number}@example.com",
        "mime_id": f"<{number}@example.com>",
        "content": CONTENT,
        "rank": number % 4,
        "due_at": NOW,
        "created_at": NOW,
        "alarmed_at": None,
        "blocked": False,
    } | columns


def plans(database: Database, asked: list[tuple[str, Any]]) -> list[str]:
    word = "EXPLAIN" if database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    found = []
    with database.engine.connect() as connection:
        for statement, parameters in asked:
            lines = connection.exec_driver_sql(f"{word} {statement}", parameters)
            found.append(f"{statement}\n" + "\n".join(str(line[-1]) for line in lines))
    return found


def scans_the_outbox(plan: str) -> bool:
    """Without an index, as each engine says it."""
    return "Seq Scan on message" in plan or "SCAN message" in plan.replace(
        "SCAN message USING", "SEARCH"
    )


def held(database: Database, act: Callable[[], object], index: str) -> None:
    with statements(database, "SELECT", "UPDATE") as asked:
        act()
    found = plans(database, asked)
    assert not [plan for plan in found if scans_the_outbox(plan)]
    assert any(index in plan for plan in found)


@pytest.mark.parametrize("kind", ["ticket", "followup"])
def test_a_claim_and_its_record_are_priced_by_what_is_due(full: Database, kind: str) -> None:
    with full.write() as session:
        mail = outbox.Mail("support@example.com", "<due@example.com>", CONTENT)
        outbox.enqueue(session, mail, kind=kind, reference="INC-KX7M9Q", due_at=NOW)

    def work() -> None:
        claimed = claim(full)
        assert claimed is not None
        assert record(full, claimed, [ACCEPTED])

    held(full, work, "ix_message_claimable")


def test_a_look_that_finds_nothing_is_priced_by_what_is_due(full: Database) -> None:
    held(full, lambda: claim(full), "ix_message_claimable")


def test_what_wakes_others_is_priced_by_what_waits_for_that(full: Database) -> None:
    def wake() -> None:
        with full.write() as session:
            recovery.wake(session, NOW)
            recovery.wake(session, NOW, "support@example.com")
            recovery.is_troubled(session)

    held(full, wake, "ix_message_troubled")


def test_the_alarm_check_is_priced_by_what_is_late(full: Database) -> None:
    alarms = Alarms([], after_seconds=300)

    def check() -> None:
        alarms.check(full, NOW + timedelta(hours=1))

    held(full, check, "ix_message_alarm_from")


def test_the_look_for_its_end_is_priced_by_what_was_told(full: Database) -> None:
    alarms = Alarms([], after_seconds=300)
    with full.write() as session:
        mail = outbox.Mail("support@example.com", "<due@example.com>", CONTENT)
        outbox.enqueue(session, mail, kind="ticket", reference="INC-KX7M9Q", due_at=NOW)
    alarms.check(full, NOW + timedelta(hours=1))
    held(full, lambda: alarms.check(full, NOW + timedelta(hours=2)), "ix_message_alarmed")


def test_taking_over_from_the_gone_is_priced_by_what_is_held(full: Database) -> None:
    with full.write() as session:
        mail = outbox.Mail("support@example.com", "<due@example.com>", CONTENT)
        outbox.enqueue(session, mail, kind="ticket", reference="INC-KX7M9Q", due_at=NOW)
    claim(full)

    def take_over() -> None:
        with full.write() as session:
            releases.free_gone(session, NOW)

    held(full, take_over, "ix_message_held")
