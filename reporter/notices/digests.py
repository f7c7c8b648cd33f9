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
from reporter.composing import Mail, finish, mime_id, new_message
from reporter.notices.links import notice_desk_url
from reporter.queueing import enqueue

DIGEST = "digest"  # the kind of its mail
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
    mail = _compose(row, [*named, follower], total, identity, at)
    if waiting is None:
        waiting = enqueue(session, DIGEST, row.key, mail, at + DIGEST_AFTER)
    else:
        waiting.content = mail.content
    follower.message_id = waiting.id


def tell_end(session: Session, row: models.Notice, total: int, at: datetime) -> None:
    """Have the digest that waits, if any, say that the incident is over."""
    waiting = _waiting(session, row)
    if waiting:
        waiting.content = _compose(
            row, _named(session, waiting), total, waiting.mime_id, at
        ).content


def _waiting(session: Session, row: models.Notice) -> models.Message | None:
    """The one that no relay has seen yet, locked."""
    message = models.Message
    return session.scalar(
        sa.select(message)
        .where(
            message.kind == DIGEST,
            message.reference == row.key,
            message.state == "queued",
            message.attempt_count == 0,
        )
        .with_for_update()
    )


def _named(session: Session, digest: models.Message) -> Sequence[models.Follower]:
    query = sa.select(models.Follower).where(models.Follower.message_id == digest.id)
    return session.scalars(query.order_by(models.Follower.id)).all()


def _compose(
    row: models.Notice,
    new: Sequence[models.Follower],
    total: int,
    identity: str,
    at: datetime,
) -> Mail:
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
