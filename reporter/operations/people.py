"""What is kept of one person (`operations.traces`): shown whole, or removed everywhere."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from reporter import models
from reporter.database import Database
from reporter.delivery import beforehand
from reporter.models import MailState
from reporter.notices import digests, followers, store
from reporter.operations import traces
from reporter.operations.purge import headers_of
from reporter.operations.retention import ticket_is_sent
from reporter.operations.traces import Traces


def export(session: Session, address: str) -> dict[str, Any]:
    """All that is kept of *address*, as JSON's types; files and mails in base 64."""
    kept = traces.look(session, address)
    reports = list(traces.rows(session, models.Report, kept.reports))
    drafts = [*kept.drafts, *map(traces.details_of, reports)]
    return {
        "address": address,
        "reports": [_report(session, row) for row in reports],
        "drafts": [_draft(session, row) for row in traces.rows(session, models.Draft, drafts)],
        "followed": [_columns(row) for row in traces.followers(session, address)],
        "mails": [_mail(row) for row in traces.rows(session, models.Message, kept.mails)],
    }


def erase(database: Database, address: str) -> dict[str, int]:
    """Remove it; how many of each went, and how many reports wait for their ticket to be sent.

    Those go with the purge that follows it.
    """
    with database.read() as session:
        before = traces.look(session, address)

    def change(session: Session) -> dict[str, int]:
        return _erase(session, address, before, traces.look(session, address, since=before))

    return beforehand.write(database, change)


def _erase(session: Session, address: str, before: Traces, since: Traces) -> dict[str, int]:
    counts = {"reports": 0, "reports that go once their ticket is sent": 0}
    details = []  # that were typed, and not sent
    for row in traces.rows(session, models.Report, [*before.reports, *since.reports]):
        details.append(traces.details_of(row))
        sent = session.scalar(
            sa.select(models.Report.id).where(models.Report.id == row.id, ticket_is_sent())
        )
        if row.notice_id and (notice := session.get(models.Notice, row.notice_id)):
            notice.erased_reports += 1  # what it counts stays
            row.notice_id = None
        if sent is None:
            row.erase_wanted = True
            counts["reports that go once their ticket is sent"] += 1
        else:
            session.delete(row)
            counts["reports"] += 1
    session.flush()
    following = list(traces.followers(session, address))
    named_in = {row.message_id for row in following}
    for notice_id, number in Counter(row.notice_id for row in following).items():
        session.get_one(models.Notice, notice_id).erased_followers += number
    mails = traces.rows(session, models.Message, [*before.mails, *since.mails])
    going: dict[str, list[models.Base]] = {
        "drafts": list(
            traces.rows(session, models.Draft, [*before.drafts, *since.drafts, *details])
        ),
        "followed known incidents": list(following),
        "mails": [row for row in mails if not _waits_with_report(session, row)],
    }
    for name, rows in going.items():
        counts[name] = len(rows)
        for each in rows:
            session.delete(each)
    session.flush()
    for digest in named_in - {None}:
        _forget_words(session, digest)
    return counts


def _waits_with_report(session: Session, row: models.Message) -> bool:
    """Whether it goes with its report, later: a mail that comes after the ticket needs it."""
    report = session.get(models.Report, row.report_id) if row.report_id else None
    return report is not None and report.erase_wanted


def _forget_words(session: Session, message_id: int | None) -> None:
    """Of a digest for support, which names whoever follows: its content, once it was sent; before,
    it names the others."""
    digest = session.get(models.Message, message_id) if message_id else None
    if digest is None:
        return
    if digest.state == MailState.SENT:
        digest.content = headers_of(digest.content)
    elif notice := store.row_of(session, digest.reference):
        total = followers.count(session, notice.id)
        digests.renew(session, notice, total, digest.created_at)


def _draft(session: Session, row: models.Draft) -> dict[str, Any]:
    files = models.Attachment.draft_id == row.id
    return _columns(row) | {"files": _files(session, files)}


def _report(session: Session, row: models.Report) -> dict[str, Any]:
    mails = sa.select(models.Message).where(models.Message.report_id == row.id)
    return _columns(row) | {
        "updates": [_columns(each) for each in row.updates],
        "files": _files(session, models.Attachment.report_id == row.id),
        "mails": [
            _mail(each, without={"content", "whole"})
            for each in session.scalars(mails.options(defer(models.Message.content)))
        ],
    }


def _files(session: Session, of: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    found = sa.select(models.Attachment).where(of).order_by(models.Attachment.id)
    return [_columns(each) for each in session.scalars(found)]


def _mail(row: models.Message, without: Collection[str] = ()) -> dict[str, Any]:
    return _columns(row, without) | {"attempts": [_columns(each) for each in row.attempts]}


def _columns(row: models.Base, without: Collection[str] = ()) -> dict[str, Any]:
    names = [each.key for each in sa.inspect(type(row)).column_attrs if each.key not in without]
    return {name: _plain(getattr(row, name)) for name in names if "token" not in name}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value
