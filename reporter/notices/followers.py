"""Those who said "mine is this": counted, and told of every update."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from email.parser import BytesHeaderParser

import sqlalchemy as sa
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.phones import international
from reporter.links import follower_hashes, follower_token, full_url, hash_token
from reporter.mail.message import (
    AUTO_GENERATED,
    AUTO_REPLIED,
    ascii_address,
    finish,
    mime_id,
    new_message,
    support,
)
from reporter.models import MailKind
from reporter.notices import digests
from reporter.notices.store import Notice, to_value


def follow(
    session: Session,
    row: models.Notice,
    name: str,
    contact: str,
    language: str,
    at: datetime,
    *,
    is_confirmed: bool = False,
) -> models.Follower:
    """Count somebody in. Twice is once, however written.

    Updates are mailed to an address once whoever reads its mail has said so; a mail asks them to,
    unless it *is_confirmed* by what they did before.
    """
    contact = contact if is_email(contact) else international(contact) or contact
    exclusive(session, Lock.NOTICE, row.id)
    token = follower_token(row.key, contact)
    follower = session.scalar(sa.select(models.Follower).where(_is_of(row, contact)))
    if follower is None:
        follower = models.Follower(
            notice_id=row.id,
            name=name,
            contact=contact,
            language=language,
            token_hash=hash_token(token),
            created_at=at,
        )
        session.add(follower)
        session.flush()
        digests.name(session, row, follower, count(session, row.id), at)
        if is_email(contact) and not is_confirmed:
            mail = compose_confirmation(row.key, _root(session, row.key), follower, at)
            kind = MailKind.CONFIRMATION
            outbox.enqueue(session, mail, kind=kind, reference=row.key, due_at=at)
    if is_confirmed:
        confirm(follower, at)
    return follower


def confirm(follower: models.Follower, at: datetime) -> None:
    """The address is theirs, and they want the updates."""
    follower.confirmed_at = follower.confirmed_at or at


def unfollow(session: Session, row: models.Notice, contact: str) -> None:
    """Tell them no more."""
    session.execute(sa.delete(models.Follower).where(_is_of(row, contact)))


def _is_of(row: models.Notice, contact: str) -> sa.ColumnElement[bool]:
    """Whose *contact* it is, however written, and whichever key made their token."""
    follower = models.Follower
    return sa.or_(
        follower.token_hash.in_(follower_hashes(row.key, contact)),
        sa.and_(follower.notice_id == row.id, follower.contact == contact),
    )


def find(session: Session, token: str) -> models.Follower | None:
    query = sa.select(models.Follower).where(models.Follower.token_hash == hash_token(token))
    return session.scalar(query)


def count(session: Session, notice_id: int) -> int:
    query = sa.select(sa.func.count()).where(models.Follower.notice_id == notice_id)
    return session.scalar(query) or 0


def languages(session: Session, row: models.Notice) -> Counter[str]:
    """How many of those who are mailed read each language."""
    return Counter(each.language for each in _mailed(session, row))


def tell(session: Session, row: models.Notice, at: datetime) -> int:
    """Mail the latest entry to every follower whose address is confirmed; how many that is."""
    notice = to_value(row)
    followers = _mailed(session, row)
    root = _root(session, row.key)
    for follower in followers:
        mail = compose_notice_update(notice, follower, root)
        outbox.enqueue(session, mail, kind=MailKind.NOTICE, reference=row.key, due_at=at)
    if row.closed_at:
        digests.tell_end(session, row, count(session, row.id), at)
    return len(followers)


def _root(session: Session, key: str) -> str:
    """What all mails of one incident refer to, and so are one conversation; no mail has it. It is
    read from the first of them, as another SECRET_KEY may have made it."""
    content = session.scalar(
        sa.select(models.Message.content)
        .where(
            models.Message.reference == key,
            models.Message.kind.in_((MailKind.CONFIRMATION, MailKind.NOTICE)),
        )
        .order_by(models.Message.id)
        .limit(1)
    )
    named = BytesHeaderParser().parsebytes(content or b"")["References"]
    return "".join(named.split()) if named else mime_id(key, "0")


def _mailed(session: Session, row: models.Notice) -> list[models.Follower]:
    query = sa.select(models.Follower).where(
        models.Follower.notice_id == row.id, models.Follower.confirmed_at.is_not(None)
    )
    return [each for each in session.scalars(query) if is_email(each.contact)]


def is_email(contact: str) -> bool:
    from email_validator import EmailNotValidError  # slow to load

    try:
        ascii_address(contact)
    except EmailNotValidError:
        return False
    return True


def compose_confirmation(key: str, root: str, follower: models.Follower, at: datetime) -> Mail:
    """Asks whether the address is theirs: our words, and no word that a visitor typed."""
    with force_locale(follower.language):
        subject = _("%(key)s: do you want the updates by email?", key=key)
        link = full_url(
            "notices.follower", token=follower_token(key, follower.contact, follower.token_hash)
        )
        text = render_template("email/confirmation.txt", key=key, link=link)
    mail = new_message(
        to=ascii_address(follower.contact),
        reply_to=support(),
        subject=subject,
        # Not named after a follower, whose number another gets who comes when they have gone.
        mime_id=mime_id(key, f"confirmation-{int(at.timestamp() * 1_000_000)}-{follower.id}"),
        date=at,
    )
    mail["References"] = root
    mail.set_content(text, cte="quoted-printable")
    return finish(mail, {"Content-Language": follower.language, **AUTO_REPLIED})


def compose_notice_update(notice: Notice, follower: models.Follower, root: str) -> Mail:
    """An update to one follower: support's words, and no word that a visitor typed. *root*: what
    all that they are mailed of the incident refers to."""
    token = follower_token(notice.key, follower.contact, follower.token_hash)
    with force_locale(follower.language):
        closed = notice.closed_at is not None
        subject = (
            _("%(key)s: the incident is over", key=notice.key)
            if closed
            else _("%(key)s: update on the incident", key=notice.key)
        )
        text = render_template(
            "email/notice.txt",
            notice=notice,
            text=notice.latest.words(follower.language),
            link=full_url("notices.follower", token=token),
        )
    mail = new_message(
        to=ascii_address(follower.contact),
        reply_to=support(),
        subject=subject,
        mime_id=mime_id(notice.key, f"{len(notice.entries)}.{follower.id}"),
        date=notice.latest.at,
    )
    mail["References"] = root
    mail.set_content(text, cte="quoted-printable")
    stop = full_url("notices.stop", token=token)
    headers = {
        "Content-Language": follower.language,
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        **AUTO_GENERATED,
    }
    return finish(mail, headers)
