"""Who support is: accounts, and the links with which one signs in for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive
from reporter.links import full_url, hash_token, new_token

LINK_VALID_FOR = timedelta(hours=1)


class Taken(ValueError):
    """Somebody has that name or address already."""


@dataclass(frozen=True)
class Member:
    """Somebody of support, as a page knows them. `session_id`: of the browser, where it has one."""

    id: int
    name: str
    session_id: int | None = None
    in_call: bool = False


def add(session: Session, name: str, email: str, at: datetime) -> models.Staff:
    """Raises Taken."""
    exclusive(session, Lock.STAFF)
    if by_name(session, name) or by_email(session, email):
        raise Taken
    row = models.Staff(name=name, email=email.lower(), created_at=at)
    session.add(row)
    session.flush()
    return row


def by_name(session: Session, name: str) -> models.Staff | None:
    """The one of that name, or of that address."""
    staff = models.Staff
    query = sa.select(staff).where(sa.or_(staff.name == name, staff.email == name.lower()))
    return session.scalar(query.order_by(staff.name != name).limit(1))


def by_email(session: Session, email: str) -> models.Staff | None:
    return session.scalar(sa.select(models.Staff).where(models.Staff.email == email.lower()))


def is_unchanged(session: Session, row: models.Staff) -> bool:
    """Whether they are let in, and with that password, as when *row* was read. They stay so until
    the transaction ends."""
    staff = models.Staff
    query = sa.select(staff.id).where(
        staff.id == row.id,
        staff.password_hash == row.password_hash,
        staff.disabled_at.is_(None),
    )
    return session.scalar(query.with_for_update()) is not None


def everybody(session: Session) -> Sequence[models.Staff]:
    return session.scalars(sa.select(models.Staff).order_by(models.Staff.name)).all()


def disable(session: Session, row: models.Staff, at: datetime) -> None:
    """Nothing signs in as them any more: no password, no session, no link, no header."""
    row.disabled_at = row.disabled_at or at
    end_sessions(session, row)
    _end_links(session, row)


def end_sessions(session: Session, row: models.Staff) -> None:
    session.execute(sa.delete(models.StaffSession).where(models.StaffSession.staff_id == row.id))


def new_link(
    session: Session, row: models.Staff, at: datetime, *, asks_password: bool = True
) -> str:
    """The address of a page that signs in once, within the hour. Earlier links end.

    Somebody who was disabled is let in again by it.
    """
    _end_links(session, row)
    row.disabled_at = None
    token = new_token()
    session.add(
        models.StaffLink(
            staff_id=row.id,
            token_hash=hash_token(token),
            asks_password=asks_password,
            expires_at=at + LINK_VALID_FOR,
        )
    )
    session.flush()
    return full_url("staff.welcome", token=token)


def find_link(
    session: Session, token: str, at: datetime, *, lock: bool = False
) -> models.StaffLink | None:
    """The one-time link of that token, while it is good. With *lock* nobody else uses it."""
    link = models.StaffLink
    query = sa.select(link).where(
        link.token_hash == hash_token(token), link.used_at.is_(None), link.expires_at > at
    )
    return session.scalar(query.with_for_update() if lock else query)


def use_link(
    session: Session, link: models.StaffLink, password_hash: str | None, at: datetime
) -> models.Staff:
    """Use it up. With a new password every session there was ends."""
    row = session.get_one(models.Staff, link.staff_id)
    link.used_at = at
    if password_hash:
        row.password_hash = password_hash
        end_sessions(session, row)
    session.flush()
    return row


def _end_links(session: Session, row: models.Staff) -> None:
    session.execute(sa.delete(models.StaffLink).where(models.StaffLink.staff_id == row.id))
