"""Whether a customer is mailed when support has news: of their report, and of the known incident
that it was linked to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from reporter import models
from reporter.models import Author, UpdateKind
from reporter.notices import followers
from reporter.notices.telling import Person, follow
from reporter.reports import store


def want_news(session: Session, row: models.Report, wanted: bool, at: datetime) -> None:
    """Mail the customer from now on, or no longer."""
    row.news_wanted = wanted
    follow_notice(session, row, at)
    notice = session.get(models.Notice, row.notice_id) if row.notice_id else None
    if notice and not wanted:
        followers.unfollow(session, notice, store.to_value(session, row).text("email"))


def say_mine(
    session: Session, row: models.Report, notice: models.Notice, news: bool, at: datetime
) -> None:
    """The customer says that it is this known incident; with *news*, to be mailed of it.

    It is kept for the desk, and no mail to support tells it. Nothing changes when the report is
    linked already, or the incident is over or of another service. The caller has the report's
    lock.
    """
    if row.notice_id or notice.closed_at or row.service not in notice.services:
        return
    row.notice_id = notice.id
    link = {"text": notice.key}
    store.add_update(session, row, Author.CUSTOMER, UpdateKind.LINK_NOTICE, link, at)
    row.news_wanted = row.news_wanted or news
    follow_notice(session, row, at)


def follow_notice(session: Session, row: models.Report, at: datetime) -> None:
    """Count a customer who wants news in with those who are told of the linked incident.

    Here and above the caller has the change made by `beforehand.write`.
    """
    notice = session.get(models.Notice, row.notice_id) if row.notice_id else None
    if notice:
        follow_together(session, [row], notice, at)


def follow_together(
    session: Session, rows: Iterable[models.Report], notice: models.Notice, at: datetime
) -> None:
    """As `follow_notice`, of all the reports that were linked in one press."""
    if notice.closed_at is None:
        wanting = [store.to_value(session, row) for row in rows if row.news_wanted]
        people = [
            Person(each.text("name"), each.text("email"), each.language, is_customer=True)
            for each in wanting
        ]
        follow(session, notice, people, at)
