"""Those who say "mine is this" are counted in and asked for their address; those who confirmed it
are told of every update."""

from __future__ import annotations

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
from reporter.links import follower_token, hash_token
from reporter.mail.message import mime_id
from reporter.models import MailKind
from reporter.notices import digests, followers
from reporter.notices.mails import Follower, compose_confirmation, compose_notice_update
from reporter.notices.store import to_value
from reporter.web import mailboxes


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
        contact = contact if followers.is_email(contact) else international(contact) or contact
        known = sa.select(models.Follower.id).where(followers.is_of(row, contact))
        if contact not in new and session.scalar(known.limit(1)) is None:
            new[contact] = models.Follower(
                notice_id=row.id,
                name=person.name,
                contact=contact,
                language=person.language,
                token_hash=hash_token(follower_token(row.key, contact)),
                created_at=at,
                confirmed_at=at
                if person.is_customer and followers.was_proved(session, contact)
                else None,
            )
    if not new:
        return
    asked = [
        each for each in new.values() if followers.is_email(each.contact) and not each.confirmed_at
    ]
    root = _root(session, row.key) if asked else ""
    digest = digests.waiting(session, row.key)
    total = followers.count(session, row.id) + len(new)
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
    named_so = [(mailboxes.names_of(mail.recipient), mail) for mail in confirmations]
    for mailbox, mail in sorted(named_so, key=lambda each: each[0]):
        outbox.enqueue(
            session,
            mail,
            kind=MailKind.CONFIRMATION,
            reference=row.key,
            due_at=mailboxes.due_at(session, mailbox, at, MailKind.CONFIRMATION),
            mailbox=mailbox[0],
        )
    session.flush()


def tell(session: Session, row: models.Notice, at: datetime) -> int:
    """Mail the latest entry to every follower whose address is confirmed, and takes our mails;
    how many that is.

    The caller has the change made by `beforehand.write`.
    """
    notice = to_value(row)
    told = [Follower.of(row.key, each) for each in followers.mailed(session, row)]
    root = _root(session, row.key)
    wanted = [Wanted(compose_notice_update, (notice, each, root)) for each in told]
    for mail in all_composed(session, wanted):
        outbox.enqueue(session, mail, kind=MailKind.NOTICE, reference=row.key, due_at=at)
    if row.closed_at:
        digests.renew(session, row, followers.count(session, row.id), at)
    return len(told)


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
