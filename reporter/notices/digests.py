"""Digests for support: who said of late that a known incident is theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.delivery import outbox
from reporter.delivery.beforehand import Wanted, composed
from reporter.models import MailKind
from reporter.notices.mails import Follower, compose_digest, digest_mime_id
from reporter.notices.notice import Notice
from reporter.notices.store import to_value

# Support hears of new followers this long after the first of them.
DIGEST_AFTER = timedelta(minutes=10)


def waiting(session: Session, key: str) -> models.Message | None:
    """The digest that was not sent yet, if there is one: it names who comes now too."""
    return outbox.untried(session, MailKind.DIGEST, reference=key)


def wanted(
    session: Session,
    notice: Notice,
    new: list[Follower],
    total: int,
    digest: models.Message | None,
    at: datetime,
) -> Wanted:
    """The digest of those whom *digest* names already, and those who are *new* of *total*."""
    named = _named(session, notice.key, digest) if digest else []
    identity = digest.mime_id if digest else digest_mime_id(notice.key, at)
    return Wanted(compose_digest, (notice, [*named, *new], total, identity, at))


def queue(
    session: Session, key: str, mail: outbox.Mail, digest: models.Message | None, at: datetime
) -> int:
    """Put *mail* in the place of *digest*, or behind what waits; its message's id."""
    if digest:
        outbox.replace(digest, mail)
        return digest.id
    due_at = at + DIGEST_AFTER
    return outbox.enqueue(session, mail, kind=MailKind.DIGEST, reference=key, due_at=due_at)


def renew(session: Session, row: models.Notice, total: int, at: datetime) -> None:
    """Have the digest that waits, if any, say what is true now: that the incident is over, or who
    follows it still."""
    if digest := waiting(session, row.key):
        asked = wanted(session, to_value(row), [], total, digest, at)
        outbox.replace(digest, composed(session, asked.compose, *asked.values))


def _named(session: Session, key: str, digest: models.Message) -> list[Follower]:
    query = sa.select(models.Follower).where(models.Follower.message_id == digest.id)
    return [Follower.of(key, each) for each in session.scalars(query.order_by(models.Follower.id))]
