"""The alarm channels are told of what support owes and has not done: a promised time that has
passed, a serious ticket that nobody has seen.

Each is a duty of every worker: what it has told it does not tell again. No word of a customer's is
in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.delivery.alarm_words import LISTED, spoken
from reporter.delivery.alarms import hold, let_go
from reporter.delivery.channels import tell
from reporter.links import absolute, desk_url
from reporter.models import Alarm
from reporter.report import Severity

LATE, UNSEEN = "promises", "unseen"
# How many are taken up at once: the next time takes the next.
AT_ONCE = 50

# A table, the name of one thing in it, and the time that was promised for it.
Promised = tuple[Any, str, datetime]

log = structlog.get_logger(__name__)


def watch_promises() -> None:
    """Tell the alarm channels of a promised time that has passed, once; and when none is late."""
    now = datetime.now(UTC)
    with get_database().read() as session:
        new, any_late = _late(session, now)
        told = session.scalar(sa.select(Alarm.told_at).where(Alarm.key == LATE))
    if new:
        lines = [
            f"{name}: promised {spoken((now - at).total_seconds())} ago" for _, name, at in new
        ]
        title = f"Incident Reporter: updates promised to customers are late ({len(new)})"
        _tell(LATE, title, lines, "/desk?state=late", now, _late_is_told(new))
    elif told and not any_late:
        _tell_end(LATE, "Incident Reporter: no promised update is late any more", now)


def watch_unseen() -> None:
    """Tell them of a serious ticket that nobody has seen, again each time it is twice as old."""
    now = datetime.now(UTC)
    report = models.Report
    unseen = sa.and_(report.seen_at.is_(None), report.solved_at.is_(None))
    due: list[Any] = []
    with get_database().read() as session:
        for word, minutes in current_app.config["SEEN_WITHIN_MINUTES"].items():
            query = (
                sa.select(
                    report.id, report.reference, report.severity, report.service, report.saved_at
                )
                .where(
                    unseen,
                    report.severity == Severity.of(word).level,
                    report.saved_at <= now - timedelta(minutes=minutes),
                    sa.or_(report.unseen_alarm_at.is_(None), report.unseen_alarm_at <= now),
                )
                .order_by(report.saved_at)
                .limit(AT_ONCE)
            )
            due += session.execute(query).all()
        told = session.scalar(sa.select(Alarm.told_at).where(Alarm.key == UNSEEN))
        waits = session.scalar(
            sa.select(sa.exists().where(unseen, report.unseen_alarm_at.is_not(None)))
        )
    if due:
        lines = [
            f"{reference} (SEV{severity}, {service}): not seen for "
            f"{spoken((now - saved_at).total_seconds())}. {desk_url(reference)}"
            for _id, reference, severity, service, saved_at in due
        ]
        count = len(due)
        title = (
            f"Incident Reporter: {due[0][1]} is not seen"
            if count == 1
            else f"Incident Reporter: {count} tickets are not seen"
        )
        again = {row[0]: now + (now - row[4]) for row in due}
        _tell(UNSEEN, title, lines, "/desk?state=unseen", now, _unseen_is_told(again))
    elif told and not waits:
        _tell_end(UNSEEN, "Incident Reporter: every ticket told as not seen is seen", now)


def stands_alone() -> sa.ColumnElement[bool]:
    """Of a report's promise: that no known incident which it is linked to, and which is open, has
    one for that time or before. That is the one to keep, and it is told once for all of them."""
    report, notice = models.Report, models.Notice
    covered = sa.select(notice.id).where(
        notice.id == report.notice_id,
        notice.closed_at.is_(None),
        notice.next_news_at <= report.next_news_at,
    )
    return ~covered.exists()


def _late(session: Session, now: datetime) -> tuple[list[Promised], bool]:
    """The promises that are late and were not told as such, and whether any is late."""
    found: list[Promised] = []
    any_late = False
    for table, name, over, alone in (
        (models.Report, models.Report.reference, models.Report.solved_at, stands_alone()),
        (models.Notice, models.Notice.key, models.Notice.closed_at, sa.true()),
    ):
        late = sa.and_(table.next_news_at <= now, over.is_(None), alone)
        new = (
            sa.select(name, table.next_news_at)
            .where(late, table.late_told_for.is_distinct_from(table.next_news_at))
            .order_by(table.next_news_at)
            .limit(AT_ONCE)
        )
        rows: Any = session.execute(new)
        found += [(table, *row) for row in rows]
        any_late = any_late or bool(session.scalar(sa.select(sa.exists().where(late))))
    return found, any_late


def _tell(
    key: str,
    title: str,
    lines: Sequence[str],
    look: str,
    now: datetime,
    mark: Callable[[Session], None],
) -> None:
    """Tell it, unless another worker does at this moment; *mark* writes down that it was told."""
    database = get_database()
    if not hold(database, key, now):
        return
    more = [f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    text = "\n".join([*lines[:LISTED], *more, f"Look: {absolute(look)}"])
    taken = tell(current_app.config["ALARM_URLS"], title, text)
    log.warning("told", alarm=key, count=len(lines), taken=taken)
    with database.write() as session:
        if taken:
            mark(session)
        let_go(session, key, now, taken=taken)


def _tell_end(key: str, title: str, now: datetime) -> None:
    database = get_database()
    if not hold(database, key, now, begins=False):
        return
    with database.read() as session:
        since = session.get_one(Alarm, key).since_at
    text = f"It took {spoken((now - since).total_seconds())}."
    taken = tell(current_app.config["ALARM_URLS"], title, text)
    with database.write() as session:
        if taken:
            session.execute(sa.delete(Alarm).where(Alarm.key == key))
        else:
            let_go(session, key, now, taken=False)


def _late_is_told(late: Sequence[Promised]) -> Callable[[Session], None]:
    def mark(session: Session) -> None:
        for table, name, promised in late:
            named = table.reference if table is models.Report else table.key
            session.execute(
                sa.update(table)
                .where(named == name, table.next_news_at == promised)
                .values(late_told_for=promised)
            )

    return mark


def _unseen_is_told(again: Mapping[int, datetime]) -> Callable[[Session], None]:
    def mark(session: Session) -> None:
        for report_id, at in again.items():
            session.execute(
                sa.update(models.Report)
                .where(models.Report.id == report_id)
                .values(unseen_alarm_at=at)
            )

    return mark
