"""Where a person is found: the reports, drafts, mails and followed incidents that are theirs.

A person is an email address, as they wrote it but for its case. Reports are read one by one: it is
asked for rarely, and an index of addresses would be one more place to forget. That takes a while
where there are many, and nobody who writes waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.formats.addresses import readable
from reporter.mail.message import ascii_address
from reporter.report import Report

AT_ONCE = 200
# What was written between two looks may bear a time of another machine.
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class Traces:
    """The keys of what is kept of one person, and of what was looked through for it."""

    reports: list[int]
    drafts: list[str]
    mails: list[int]
    at: datetime


def look(session: Session, address: str, since: Traces | None = None) -> Traces:
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
    return Traces(
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


def rows(session: Session, table: Any, keys: Iterable[int | str]) -> Iterator[Any]:
    """Those of *keys* that are there still."""
    for key in dict.fromkeys(keys):
        if row := session.get(table, key):
            yield row


def followers(session: Session, address: str) -> Iterator[models.Follower]:
    """What they follow."""
    same = sa.func.lower(models.Follower.contact).in_(_spelt(address))
    yield from session.scalars(sa.select(models.Follower).where(same))


def details_of(row: models.Report) -> str:
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
