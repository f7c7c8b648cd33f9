"""What the customer adds to a report: news, and the details that help more.

News that comes within a minute goes out in one mail. Details are sent at once, with whatever
waits; those that follow within a minute of their mail wait for the end of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.attachments.store import files_of
from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.models import Author, Quota, UpdateKind
from reporter.report import Section, sections_to_json
from reporter.report.receipt import JOINED_WITHIN
from reporter.reports import store
from reporter.reports.followups import queue
from reporter.web import quotas

KINDS = tuple(kind for kind in UpdateKind if kind.is_said)

Sections = Mapping[str, tuple[Section, ...]]


def add_update(report_id: int, kind: UpdateKind, text: str, at: datetime) -> None:
    """Keep one of KINDS and queue its mail. "solved" ends the incident; "worse" opens it again.

    What says the same as the one before it, within JOINED_WITHIN, is that one sent twice.
    """

    def add(session: Session) -> None:
        row = store.lock(session, report_id)
        if _is_repeated(session, row, kind, text, at):
            return
        quotas.take(session, Quota.UPDATES, at)
        if kind == UpdateKind.SOLVED:
            row.solved_at = row.solved_at or at
        elif kind == UpdateKind.WORSE:
            row.solved_at = None
        _add(session, row, kind, {"text": text}, at, due_at=at + JOINED_WITHIN)

    beforehand.write(get_database(), add)


def add_details(report_id: int, sections: Sections, at: datetime) -> bool:
    """Keep the second stage's answers, and send them with the files that were not sent yet.

    False, and no mail, when nothing is new: so a double click sends one mail.
    """
    content = {"text": "", "sections": sections_to_json(sections)}

    def add(session: Session) -> bool:
        row = store.lock(session, report_id)
        before = store.to_value(session, row)
        is_known = before.with_answers(sections).answers == before.answers
        if is_known and all(file.is_sent for file in files_of(session, row.id)):
            return False
        quotas.take(session, Quota.UPDATES, at)
        due_at = _details_due_at(session, row, at)
        _add(session, row, UpdateKind.DETAILS, content, at, due_at)
        return True

    return beforehand.write(get_database(), add)


def _is_repeated(
    session: Session, row: models.Report, kind: UpdateKind, text: str, at: datetime
) -> bool:
    """Whether the customer's last news said just this, a moment ago."""
    update = models.Update
    last = store.last_update(session, row, update.author == Author.CUSTOMER, update.kind.in_(KINDS))
    if last is None or at - last.created_at >= JOINED_WITHIN:
        return False
    return (last.kind, last.content["text"]) == (kind, text)


def _details_due_at(session: Session, row: models.Report, at: datetime) -> datetime:
    """Now, or a minute after the last mail of details."""
    last = store.last_update(session, row, models.Update.kind == UpdateKind.DETAILS)
    if last is None:
        return at
    sent_at = session.scalar(
        sa.select(models.Message.sent_at).where(models.Message.id == last.message_id)
    )
    return max(at, (sent_at or last.created_at) + JOINED_WITHIN)


def _add(
    session: Session,
    row: models.Report,
    kind: UpdateKind,
    content: dict[str, Any],
    at: datetime,
    due_at: datetime,
) -> None:
    update = store.add_update(session, row, Author.CUSTOMER, kind, content, at)
    queue(session, row, update, due_at)
