"""What is kept of one person: shown whole, or removed everywhere.

A person is an email address, as they wrote it but for its case. Reports are read one by one: it is
asked for rarely, and an index of addresses would be one more place to forget.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from reporter import models
from reporter.models import MailState
from reporter.operations.purge import headers_of, ticket_is_sent
from reporter.report import Report

AT_ONCE = 200


def export(session: Session, address: str) -> dict[str, Any]:
    """All that is kept of *address*, as JSON's types; files and mails in base 64."""
    return {
        "address": address,
        "reports": [_report(session, row) for row in _reports(session, address)],
        "drafts": [_columns(row) for row in _drafts(session, address)],
        "followed": [_columns(row) for row in _followers(session, address)],
        "mails": [_columns(row) for row in _mails(session, address)],
    }


def erase(session: Session, address: str) -> dict[str, int]:
    """Remove it; how many of each went, and how many reports wait for their ticket to be sent.

    Those go with the purge that follows it.
    """
    counts = {"reports": 0, "reports that go once their ticket is sent": 0}
    for row in list(_reports(session, address)):
        sent = session.scalar(
            sa.select(models.Report.id).where(models.Report.id == row.id, ticket_is_sent())
        )
        if sent is None:
            row.erase_wanted = True
            counts["reports that go once their ticket is sent"] += 1
        else:
            session.delete(row)
            counts["reports"] += 1
    session.flush()
    followers = list(_followers(session, address))
    for digest in {row.message_id for row in followers} - {None}:
        _forget_words(session, digest)
    going: dict[str, list[models.Base]] = {
        "drafts": list(_drafts(session, address)),
        "followed known incidents": list(followers),
        "mails": [row for row in _mails(session, address) if not _waits_with_report(row)],
    }
    for name, rows in going.items():
        counts[name] = len(rows)
        for each in rows:
            session.delete(each)
    return counts


def _reports(session: Session, address: str) -> Iterator[models.Report]:
    query = sa.select(models.Report).order_by(models.Report.id)
    for row in session.scalars(query.execution_options(yield_per=AT_ONCE)):
        typed = Report.from_json(row.content).text("email")
        if _is_same(typed, address) or _is_same(row.email, address):  # as support has mended it
            yield row


def _drafts(session: Session, address: str) -> Iterator[models.Draft]:
    for row in session.scalars(sa.select(models.Draft).execution_options(yield_per=AT_ONCE)):
        answers = [step.get("answers", {}) for step in row.steps.values() if isinstance(step, dict)]
        if any(_is_same(v, address) for each in answers for v in each.get("email", [])):
            yield row


def _followers(session: Session, address: str) -> Iterator[models.Follower]:
    same = sa.func.lower(models.Follower.contact) == address.lower()
    yield from session.scalars(sa.select(models.Follower).where(same))


def _mails(session: Session, address: str) -> Iterator[models.Message]:
    same = sa.func.lower(models.Message.recipient) == address.lower()
    yield from session.scalars(sa.select(models.Message).where(same))


def _waits_with_report(row: models.Message) -> bool:
    """Whether it goes with its report, later: a mail that comes after the ticket needs it."""
    return row.report is not None and row.report.erase_wanted


def _forget_words(session: Session, message_id: int | None) -> None:
    """Of a digest for support, which names whoever follows: its content, once it was sent."""
    digest = session.get(models.Message, message_id) if message_id else None
    if digest and digest.state == MailState.SENT:
        digest.content = headers_of(digest.content)


def _report(session: Session, row: models.Report) -> dict[str, Any]:
    files = sa.select(models.Attachment).where(models.Attachment.report_id == row.id)
    mails = sa.select(models.Message).where(models.Message.report_id == row.id)
    return _columns(row) | {
        "updates": [_columns(each) for each in row.updates],
        "files": [_columns(each) for each in session.scalars(files)],
        "mails": [
            _columns(each, without="content")
            for each in session.scalars(mails.options(defer(models.Message.content)))
        ],
    }


def _columns(row: models.Base, without: str = "") -> dict[str, Any]:
    names = [each.key for each in sa.inspect(type(row)).column_attrs if each.key != without]
    return {name: _plain(getattr(row, name)) for name in names if "token" not in name}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _is_same(one: object, other: str) -> bool:
    return str(one).strip().casefold() == other.strip().casefold()
