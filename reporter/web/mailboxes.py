"""When an acknowledgement, or a mail that asks a follower to confirm, may go out: anybody can have
one sent to any address, so that neither can be made to flood somebody.

Whoever is over a limit is sent theirs later: none is dropped. An acknowledgement is `created_at`
the time that it was planned for, and what was planned counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database import Lock, exclusive
from reporter.database.statement import Statement
from reporter.links import signatures
from reporter.models import MailKind, Message
from reporter.web import bounds

# To one mailbox, and to all together: how many within how long.
OF_ONE = (
    (bounds.TO_A_MAILBOX, bounds.TO_A_MAILBOX_WITHIN),
    (bounds.TO_A_MAILBOX_A_DAY, bounds.TO_A_MAILBOX_A_DAY_WITHIN),
)
OF_ALL = ((bounds.TO_ALL, bounds.TO_ALL_WITHIN),)


# Names of one mail service, in which one mailbox has an address each.
SAME = {
    "googlemail.com": "gmail.com",
    "mac.com": "icloud.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
}


def names_of(recipient: str) -> list[str]:
    """What all spellings of one mailbox share, and nobody reads: a keyed hash, then those with each
    former SECRET_KEY.

    Neither case, nor dots, nor a "+tag", nor another name of the service makes another mailbox.
    """
    local, _at, domain = recipient.lower().rpartition("@")
    spelt = local.partition("+")[0].replace(".", "")
    return [
        each.hex()[:32] for each in signatures("mailbox", f"{spelt}@{SAME.get(domain, domain)}")
    ]


def due_at(
    session: Session,
    names: Sequence[str],
    now: datetime,
    kind: MailKind = MailKind.ACKNOWLEDGEMENT,
) -> datetime:
    """The first moment, from *now*, at which the limits let the mailbox of these *names* have
    another of *kind*; to one mailbox both kinds are counted together.

    Its price is the limits', whatever was sent before.
    """
    exclusive(session, Lock.ACKNOWLEDGEMENT, names[0])
    named = {f"name{number}": name for number, name in enumerate(names)}
    (latest,) = _latest(len(names)).rows(session, {**named, "kind": kind})
    periods = [period for _count, period in OF_ONE + OF_ALL]
    return max(now, *(at + p if at else now for at, p in zip(latest, periods, strict=True)))


def _nth(count: int, whose: sa.ColumnElement[bool]) -> sa.ScalarSelect[datetime]:
    """When the *count*-th latest was planned for, if there are as many."""
    latest = sa.select(Message.created_at).where(whose).order_by(Message.created_at.desc())
    return latest.offset(count - 1).limit(1).scalar_subquery()


@cache
def _latest(names: int) -> Statement:
    """For a mailbox of so many *names*."""
    ours = Message.mailbox.in_([sa.bindparam(f"name{number}") for number in range(names)])
    of_kind = Message.kind == sa.bindparam("kind", type_=Message.kind.type)
    return Statement(
        sa.select(
            *(_nth(count, ours) for count, _ in OF_ONE),
            *(_nth(count, of_kind) for count, _ in OF_ALL),
        )
    )
