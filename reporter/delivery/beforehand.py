"""Mails that a change causes, composed before the change takes the lock.

Composing takes far longer than what is written, and whoever writes to SQLite holds up everybody
else who does. So a change is tried without the lock until it asks for mails (`composed`); those are
composed with no transaction open; then the change is made, and finds them. They are the right ones
by what they were made of: values, which are compared. Where somebody else has changed those in the
meantime, the change is undone and made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reporter.database import Database, RehearsalOver
from reporter.delivery.mail import Mail

# A change of one kind asks a few times at most: for a mail, for it with the files that fit, for the
# next one. Beyond that somebody else changes the same again and again.
TRIES = 20
COMPOSED = "composed"

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """A mail to be composed, and of what: frozen values alone, since they are compared."""

    compose: Callable[..., Mail]
    values: tuple[Any, ...]


class _NotComposed(Exception):
    def __init__(self, wanted: list[Wanted]) -> None:
        self.wanted = wanted


class KeepsChanging(SQLAlchemyError):
    """Others change what the mails are made of, faster than they are composed."""


def composed(session: Session, compose: Callable[..., Mail], *values: Any) -> Mail:
    """The mail that *compose* makes of *values*, which are frozen. Within `write` alone."""
    return all_composed(session, [Wanted(compose, values)])[0]


def all_composed(session: Session, wanted: list[Wanted]) -> list[Mail]:
    """As `composed`, of several mails at once, in their order."""
    made: list[tuple[list[Wanted], list[Mail]]] = session.info[COMPOSED]
    for asked, mails in made:
        if asked == wanted:
            return mails
    raise _NotComposed(wanted)


def write(database: Database, change: Callable[[Session], T]) -> T:
    """Make *change* in one transaction that writes, with the mails that it asks for.

    Where there is nothing to change after all, as on a form that has to be shown again, no lock is
    taken. *change* may be called several times, each time with a new session, before what it does
    counts: it changes nothing but by its session. What it raises is raised, and nothing is kept.
    Raises KeepsChanging, see TRIES.
    """
    made: list[tuple[list[Wanted], list[Mail]]] = []
    for attempt in range(TRIES):
        transaction = database.write if attempt else database.rehearse
        try:
            with transaction() as session:
                session.info[COMPOSED] = made
                result = change(session)
                nothing = not (session.new or session.dirty or session.deleted)
            if attempt or nothing:
                return result
        except RehearsalOver:
            pass
        except _NotComposed as missing:
            mails = [each.compose(*each.values) for each in missing.wanted]
            made.append((missing.wanted, mails))
    raise KeepsChanging
