"""Those who said "mine is this": who they are, and which of them are told of every update."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.links import follower_hashes, hash_token
from reporter.mail.message import ascii_address

SHOWN = 50
# Whether a follower is mailed each update, if they left an address.
IS_MAILED = sa.and_(
    models.Follower.confirmed_at.is_not(None), models.Follower.unreachable_at.is_(None)
)


def was_proved(session: Session, contact: str) -> bool:
    """Whether the address was confirmed before, of whichever incident."""
    follower = models.Follower
    query = sa.select(follower.id).where(follower.contact == contact, IS_MAILED)
    return session.scalar(query.limit(1)) is not None


def is_mailed(session: Session, row: models.Notice, contact: str) -> bool:
    """Whether they are told of every update: they follow it, and have confirmed it."""
    query = sa.select(models.Follower.id).where(is_of(row, contact), IS_MAILED)
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
    for each in session.scalars(sa.select(models.Follower).where(is_of(row, contact))):
        session.delete(each)


def is_of(row: models.Notice, contact: str) -> sa.ColumnElement[bool]:
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
    """With those who were erased since."""
    query = sa.select(sa.func.count()).where(models.Follower.notice_id == notice_id)
    notice = session.get(models.Notice, notice_id)
    return (session.scalar(query) or 0) + (notice.erased_followers if notice else 0)


def languages(session: Session, row: models.Notice) -> Counter[str]:
    """How many of those who are mailed read each language."""
    return Counter(each.language for each in mailed(session, row))


def mailed(session: Session, row: models.Notice) -> list[models.Follower]:
    query = sa.select(models.Follower).where(models.Follower.notice_id == row.id, IS_MAILED)
    return [each for each in session.scalars(query) if is_email(each.contact)]


def is_email(contact: str) -> bool:
    from email_validator import EmailNotValidError  # slow to load

    try:
        ascii_address(contact)
    except EmailNotValidError:
        return False
    return True
