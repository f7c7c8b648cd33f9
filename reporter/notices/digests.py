"""Digests for support: who said of late that a known incident is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.links import notice_desk_url
from reporter.mail.message import finish, mime_id, new_message
from reporter.models import MailKind

# Support hears of new followers this long after the first of them.
DIGEST_AFTER = timedelta(minutes=10)


def name(
    session: Session, row: models.Notice, follower: models.Follower, total: int, at: datetime
) -> None:
    """Name *follower*, one of *total*, in the digest that waits, or in a new one."""
    waiting = _waiting(session, row)
    named: Sequence[models.Follower] = ()
    # Not named after a follower, whose number another gets who comes when they have gone.
    identity = mime_id(row.key, f"digest-{int(at.timestamp() * 1_000_000)}")
    if waiting:
        named = _named(session, waiting)
        identity = waiting.mime_id
    mail = compose_digest(row, [*named, follower], total, identity, at)
    if waiting is None:
        waiting = outbox.enqueue(
            session, mail, kind=MailKind.DIGEST, reference=row.key, due_at=at + DIGEST_AFTER
        )
    else:
        outbox.replace(waiting, mail)
    follower.message_id = waiting.id


def tell_end(session: Session, row: models.Notice, total: int, at: datetime) -> None:
    """Have the digest that waits, if any, say that the incident is over."""
    waiting = _waiting(session, row)
    if waiting:
        named = _named(session, waiting)
        outbox.replace(waiting, compose_digest(row, named, total, waiting.mime_id, at))


def _waiting(session: Session, row: models.Notice) -> models.Message | None:
    return outbox.untried(session, MailKind.DIGEST, reference=row.key)


def _named(session: Session, digest: models.Message) -> Sequence[models.Follower]:
    query = sa.select(models.Follower).where(models.Follower.message_id == digest.id)
    return session.scalars(query.order_by(models.Follower.id)).all()


def compose_digest(
    row: models.Notice,
    new: Sequence[models.Follower],
    total: int,
    identity: str,
    at: datetime,
) -> Mail:
    """Names who is *new* of *total* followers, to support."""
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    with force_locale(language):
        subject = _(
            "%(key)s: customers who say theirs is this one: %(total)s", key=row.key, total=total
        )
        text = render_template(
            "email/digest.txt",
            key=row.key,
            new=new,
            total=total,
            services=row.services,
            over=row.closed_at is not None,
            link=notice_desk_url(row.key),
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=subject,
        mime_id=identity,
        date=at,
    )
    mail.set_content(text, cte="quoted-printable")
    return finish(mail, {"Content-Language": language})
