"""What the customer adds to a report, and the follow-up mail that carries it to support.

Updates that come within a minute go out in one mail: the follow-up waits that long, and until a
worker takes it, what comes is composed into it anew. Details are sent at once, with whatever
waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.composing import Mail
from reporter.database import exclusive, get_database
from reporter.delivery import outbox
from reporter.reports.attachments import StoredFile, files_of
from reporter.reports.desk_links import desk_url
from reporter.reports.emails import compose_followup
from reporter.reports.report import Report, Section, sections_from_json
from reporter.reports.submission import TICKET
from reporter.reports.ticket import News

FOLLOWUP = "followup"
JOINED_WITHIN = timedelta(minutes=1)

CUSTOMER = "customer"
DETAILS, INFO, WORSE, BETTER, SOLVED = "details", "info", "worse", "better", "solved"
KINDS = (INFO, WORSE, BETTER, SOLVED)

Sections = Mapping[str, tuple[Section, ...]]


def add_update(report_id: int, kind: str, text: str, at: datetime) -> None:
    """Keep one of KINDS and queue its mail. "solved" ends the incident; "worse" opens it again."""
    with get_database().write() as session:
        row = lock(session, report_id)
        if kind == SOLVED:
            row.solved_at = row.solved_at or at
        elif kind == WORSE:
            row.solved_at = None
        _add(session, row, kind, {"text": text}, at, due_at=at + JOINED_WITHIN)


def add_details(report_id: int, sections: Sections, at: datetime) -> bool:
    """Keep the second stage's answers, and send them with the files that were not sent yet.

    False, and no mail, when nothing is new: so a double click sends one mail.
    """
    with get_database().write() as session:
        row = lock(session, report_id)
        before = current_report(row)
        files = files_of(session, row.id)
        if not _changed(before, before.with_answers(sections)) and all(f.number for f in files):
            return False
        content: dict[str, Any] = {
            "text": "",
            "sections": {
                language: [asdict(section) for section in each]
                for language, each in sections.items()
            },
        }
        _add(session, row, DETAILS, content, at, due_at=at)
        return True


def current_report(row: models.Report, before: int | None = None) -> Report:
    """The report with its details as last sent; with *before*, as sent before that follow-up."""
    report = Report.from_json(row.content)
    details = [
        update
        for update in row.updates
        if update.kind == DETAILS and (before is None or (update.number or 0) < before)
    ]
    if not details:
        return report
    return report.with_answers(sections_from_json(details[-1].content["sections"]))


def lock(session: Session, report_id: int) -> models.Report:
    """The report as it is now. Nobody else changes it until the transaction ends."""
    exclusive(session, f"report {report_id}")
    return session.get_one(models.Report, report_id, populate_existing=True)


def _add(
    session: Session,
    row: models.Report,
    kind: str,
    content: dict[str, Any],
    at: datetime,
    due_at: datetime,
) -> None:
    waiting = _waiting(session, row)
    number = _number_of(row, waiting) if waiting else 1 + max(_numbers(row), default=0)
    update = models.Update(
        author=CUSTOMER, kind=kind, content=content, created_at=at, number=number
    )
    row.updates.append(update)
    session.execute(
        sa.update(models.Attachment)
        .where(models.Attachment.report_id == row.id, models.Attachment.number.is_(None))
        .values(number=number)
    )
    session.flush()
    mail = _compose(session, row, number)
    if waiting is None:
        ticket = next(message for message in row.messages if message.kind == TICKET)
        waiting = outbox.enqueue(
            session,
            kind=FOLLOWUP,
            reference=row.reference,
            recipient=mail.recipient,
            mime_id=mail.mime_id,
            content=mail.content,
            now=due_at,
            report_id=row.id,
            after_id=ticket.id,
        )
        waiting.created_at = at
    else:
        waiting.content = mail.content
        waiting.due_at = min(waiting.due_at, due_at)
    update.message_id = waiting.id


def _waiting(session: Session, row: models.Report) -> models.Message | None:
    """The follow-up that no worker has tried yet, locked against one."""
    message = models.Message
    return session.scalar(
        sa.select(message)
        .where(
            message.report_id == row.id,
            message.kind == FOLLOWUP,
            message.state == "queued",
            message.attempt_count == 0,
        )
        .with_for_update()
    )


def _numbers(row: models.Report) -> list[int]:
    return [update.number for update in row.updates if update.number]


def _number_of(row: models.Report, message: models.Message) -> int:
    return next(u.number for u in row.updates if u.message_id == message.id and u.number)


def _compose(session: Session, row: models.Report, number: int) -> Mail:
    report = current_report(row)
    customers = [update for update in row.updates if update.author == CUSTOMER]
    files = [file for file in files_of(session, row.id) if file.number == number]
    return compose_followup(
        report,
        number,
        news=[_news(update) for update in customers if update.number == number],
        changed=_changed(current_report(row, before=number), report),
        files=[(file, _content(session, file)) for file in files],
        earlier=[_news(update) for update in customers if (update.number or 0) < number],
        desk_url=desk_url(row),
    )


def _content(session: Session, file: StoredFile) -> bytes:
    return session.get_one(models.Attachment, file.id).content


def _news(update: models.Update) -> News:
    return News(update.kind, update.content["text"], update.created_at)


def _changed(before: Report, after: Report) -> set[str]:
    """The keys whose answers differ."""
    earlier = before.answers
    return {key for key, value in after.answers.items() if value != earlier.get(key)}
