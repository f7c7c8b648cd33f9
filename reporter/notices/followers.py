"""Those who said "mine is this": counted, and told of every update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive
from reporter.delivery import outbox
from reporter.delivery.beforehand import Wanted, all_composed
from reporter.formats.phones import international
from reporter.links import follower_hashes, follower_token, hash_token
from reporter.mail.message import ascii_address, mime_id
from reporter.models import MailKind
from reporter.notices import digests
from reporter.notices.mails import Follower, compose_confirmation, compose_notice_update
from reporter.notices.store import to_value
from reporter.web import mailboxes

SHOWN = 50
# Whether a follower is mailed each update, if they left an address.
IS_MAILED = sa.and_(
    models.Follower.confirmed_at.is_not(None), models.Follower.unreachable_at.is_(None)
)


@dataclass(frozen=True)
class Person:
    """Somebody who says "mine is this", and how to reach them. *is_customer*: of a report."""

    name: str
    contact: str
    language: str
    is_customer: bool = False


def follow(session: Session, row: models.Notice, people: Iterable[Person], at: datetime) -> None:
    """Count them in, and name them in the digest for support. Twice is once, however written.

    Updates are mailed to an address once whoever reads its mail has said so. One mail asks them
    to; a customer who has said it of an address before is not asked again. The caller has the
    change made by `beforehand.write`.
    """
    exclusive(session, Lock.NOTICE, row.id)
    new: dict[str, models.Follower] = {}
    for person in people:
        contact = person.contact
        contact = contact if is_email(contact) else international(contact) or contact
        known = sa.select(models.Follower.id).where(_is_of(row, contact))
        if contact not in new and session.scalar(known.limit(1)) is None:
            new[contact] = models.Follower(
                notice_id=row.id,
                name=person.name,
                contact=contact,
                language=person.language,
                token_hash=hash_token(follower_token(row.key, contact)),
                created_at=at,
                confirmed_at=at if person.is_customer and _was_proved(session, contact) else None,
            )
    if not new:
        return
    asked = [each for each in new.values() if is_email(each.contact) and not each.confirmed_at]
    root = _root(session, row.key) if asked else ""
    digest = digests.waiting(session, row.key)
    total = count(session, row.id) + len(new)
    named = [Follower.of(row.key, each) for each in new.values()]
    first, *confirmations = all_composed(
        session,
        [
            digests.wanted(session, to_value(row), named, total, digest, at),
            *(
                Wanted(compose_confirmation, (row.key, root, Follower.of(row.key, each), at))
                for each in asked
            ),
        ],
    )
    message_id = digests.queue(session, row.key, first, digest, at)
    for follower in new.values():
        follower.message_id = message_id
        session.add(follower)
    # Anybody can have one sent to anybody. In the order in which everybody locks several mailboxes.
    named_so = [(mailboxes.mailbox(mail.recipient), mail) for mail in confirmations]
    for mailbox, mail in sorted(named_so, key=lambda each: each[0]):
        outbox.enqueue(
            session,
            mail,
            kind=MailKind.CONFIRMATION,
            reference=row.key,
            due_at=mailboxes.due_at(session, mail.recipient, at, MailKind.CONFIRMATION),
            mailbox=mailbox,
        )
    session.flush()


def _was_proved(session: Session, contact: str) -> bool:
    """Whether the address was confirmed before, of whichever incident."""
    follower = models.Follower
    query = sa.select(follower.id).where(follower.contact == contact, IS_MAILED)
    return session.scalar(query.limit(1)) is not None


def is_mailed(session: Session, row: models.Notice, contact: str) -> bool:
    """Whether they are told of every update: they follow it, and have confirmed it."""
    query = sa.select(models.Follower.id).where(_is_of(row, contact), IS_MAILED)
    return session.scalar(query.limit(1)) is not None


def confirm(follower: models.Follower, at: datetime) -> None:
    """The address is theirs, and they want the updates: also where a mail had come back."""
    follower.confirmed_at = follower.confirmed_at or at
    follower.unreachable_at = None


def mark_unreachable(session: Session, row: models.Notice, recipient: str, at: datetime) -> None:
    """A mail to *recipient* came back: they are mailed no more of this incident."""
    follower = models.Follower
    begins = recipient.rpartition("@")[0] + "@"  # their domain may be written otherwise
    query = sa.select(follower).where(
        follower.notice_id == row.id,
        follower.unreachable_at.is_(None),
        sa.func.lower(follower.contact).startswith(begins.lower(), autoescape=True),
    )
    for each in session.scalars(query):
        if is_email(each.contact) and ascii_address(each.contact).lower() == recipient.lower():
            each.unreachable_at = at


def unreachable(session: Session, notice_id: int) -> list[tuple[str, str]]:
    """Name and address of those whom our mails do not reach, the latest first, as many as a page
    shows."""
    follower = models.Follower
    query = sa.select(follower.name, follower.contact).where(
        follower.notice_id == notice_id, follower.unreachable_at.is_not(None)
    )
    order = (follower.unreachable_at.desc(), follower.id)
    return [(row.name, row.contact) for row in session.execute(query.order_by(*order).limit(SHOWN))]


def unfollow(session: Session, row: models.Notice, contact: str) -> None:
    """Tell them no more."""
    for each in session.scalars(sa.select(models.Follower).where(_is_of(row, contact))):
        session.delete(each)


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
    """Mail the latest entry to every follower whose address is confirmed, and takes our mails;
    how many that is.

    The caller has the change made by `beforehand.write`.
    """
    notice = to_value(row)
    followers = [Follower.of(row.key, each) for each in _mailed(session, row)]
    root = _root(session, row.key)
    wanted = [Wanted(compose_notice_update, (notice, each, root)) for each in followers]
    for mail in all_composed(session, wanted):
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
    query = sa.select(models.Follower).where(models.Follower.notice_id == row.id, IS_MAILED)
    return [each for each in session.scalars(query) if is_email(each.contact)]


def is_email(contact: str) -> bool:
    from email_validator import EmailNotValidError  # slow to load

    try:
        ascii_address(contact)
    except EmailNotValidError:
        return False
    return True
