"""What is kept of one person: shown whole, or removed everywhere.

A person is an email address, as they wrote it but for its case. Reports are read one by one: it is
asked for rarely, and an index of addresses would be one more place to forget. That takes a while
where there are many, and nobody who writes waits for it.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from reporter import models
from reporter.database import Database
from reporter.delivery import beforehand
from reporter.formats.addresses import readable
from reporter.mail.message import ascii_address
from reporter.models import MailState
from reporter.notices import digests, followers, store
from reporter.operations.purge import headers_of, ticket_is_sent
from reporter.report import Report

AT_ONCE = 200
# What was written between two looks may bear a time of another machine.
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class Kept:
    """The keys of what is kept of one person, and of what was looked through for it."""

    reports: list[int]
    drafts: list[str]
    mails: list[int]
    at: datetime


def export(session: Session, address: str) -> dict[str, Any]:
    """All that is kept of *address*, as JSON's types; files and mails in base 64."""
    kept = _look(session, address)
    reports = list(_rows(session, models.Report, kept.reports))
    drafts = [*kept.drafts, *map(_details_of, reports)]
    return {
        "address": address,
        "reports": [_report(session, row) for row in reports],
        "drafts": [_columns(row) for row in _rows(session, models.Draft, drafts)],
        "followed": [_columns(row) for row in _followers(session, address)],
        "mails": [_columns(row) for row in _rows(session, models.Message, kept.mails)],
    }


def erase(database: Database, address: str) -> dict[str, int]:
    """Remove it; how many of each went, and how many reports wait for their ticket to be sent.

    Those go with the purge that follows it.
    """
    with database.read() as session:
        before = _look(session, address)

    def change(session: Session) -> dict[str, int]:
        return _erase(session, address, before, _look(session, address, since=before))

    return beforehand.write(database, change)


def _erase(session: Session, address: str, before: Kept, since: Kept) -> dict[str, int]:
    counts = {"reports": 0, "reports that go once their ticket is sent": 0}
    details = []  # that were typed, and not sent
    for row in _rows(session, models.Report, [*before.reports, *since.reports]):
        details.append(_details_of(row))
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
    following = list(_followers(session, address))
    named_in = {row.message_id for row in following}
    for notice_id, number in Counter(row.notice_id for row in following).items():
        session.get_one(models.Notice, notice_id).erased_followers += number
    mails = _rows(session, models.Message, [*before.mails, *since.mails])
    going: dict[str, list[models.Base]] = {
        "drafts": list(_rows(session, models.Draft, [*before.drafts, *since.drafts, *details])),
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


def _look(session: Session, address: str, since: Kept | None = None) -> Kept:
    """What there is of *address*; of what has come *since* an earlier look, where there was one.

    The database is not asked for an order: it would go by that, and through all that is older.
    """
    now = datetime.now(UTC)
    report, draft, message = models.Report, models.Draft, models.Message
    reports = sa.select(report.id, report.content, report.email)
    drafts = sa.select(draft.id, draft.steps)
    mails = sa.select(message.id).where(sa.func.lower(message.recipient).in_(_spelt(address)))
    if since:
        lately = since.at - CLOCKS_APART
        reports = reports.where(report.saved_at >= lately)
        drafts = drafts.where(draft.updated_at >= lately)
        mails = mails.where(message.created_at >= lately)
    return Kept(
        reports=sorted(
            key
            for key, content, mended in _each(session, reports)
            if _is_same(Report.from_json(content).text("email"), address)
            or _is_same(mended, address)  # by support
        ),
        drafts=[key for key, steps in _each(session, drafts) if _names(steps, address)],
        mails=sorted(session.scalars(mails)),
        at=now,
    )


def _each(session: Session, query: sa.Select[Any]) -> Iterator[Any]:
    return iter(session.execute(query.execution_options(yield_per=AT_ONCE)))


def _names(steps: Mapping[str, Any], address: str) -> bool:
    """Whether a draft has that address in it."""
    answers = [step.get("answers", {}) for step in steps.values() if isinstance(step, dict)]
    return any(_is_same(v, address) for each in answers for v in each.get("email", []))


def _rows(session: Session, table: Any, keys: Iterable[int | str]) -> Iterator[Any]:
    """Those of them that are there still."""
    for key in dict.fromkeys(keys):
        if row := session.get(table, key):
            yield row


def _followers(session: Session, address: str) -> Iterator[models.Follower]:
    same = sa.func.lower(models.Follower.contact).in_(_spelt(address))
    yield from session.scalars(sa.select(models.Follower).where(same))


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


def _details_of(row: models.Report) -> str:
    """The id of the draft of its second stage."""
    return f"details-{row.draft_id}"


def _spelt(address: str) -> set[str]:
    """As it may be written down: its domain as people read it, or as mails have it (IDNA 2008)."""
    found = {address.strip().lower(), readable(address.strip().lower())}
    with suppress(ValueError):
        found.add(ascii_address(address.strip()).lower())
    return found


def _is_same(one: object, other: str) -> bool:
    return str(one).strip().lower() in _spelt(other)
