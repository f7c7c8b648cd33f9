"""Who may send a mail of the outbox, and for how long: claims and leases.

A worker claims a mail for the length of a lease, which may end early (`releases`). Who records a
result must still hold the claim (`outcomes`). What a claim costs is priced by what is due: neither
by what was sent, nor by what waits for later or for another mail.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database import UTCDateTime
from reporter.database.among import among
from reporter.delivery.mail import Claimed
from reporter.models import CLAIMABLE, LAST_RANK, MailKind, MailState, Message

RANKS = range(LAST_RANK + 1)
MESSAGE = cast(sa.Table, Message.__table__)
IN_ORDER_TRIES = 4


def due_ranks(session: Session, now: datetime) -> list[int]:
    """The ranks in which a mail is due, the first ones first."""
    found = session.execute(_first_of_each_rank(), {"now": now})
    return sorted(rank for rank, id_ in found if id_ is not None)


def claim(
    session: Session,
    worker: str,
    now: datetime,
    lease_seconds: float,
    count: int = 1,
) -> list[Claimed]:
    """Take up to *count* mails that are due, by rank, then those that are due longest.

    No two claims get the same mail: until the lease ends nobody else is given it. A lease that ran
    out, as its worker died, makes it due again. A report's follow-ups are taken one by one in their
    order, whoever takes them; one that was tried IN_ORDER_TRIES times holds up no other any more.
    """
    ids: list[int] = []
    for rank in due_ranks(session, now):
        ids += session.scalars(_due_of(rank), {"now": now, "most": count - len(ids)})
        if len(ids) == count:
            break
    if not ids:
        return []
    token = f"{worker}:{secrets.token_hex(8)}"
    until = now + timedelta(seconds=lease_seconds)
    rows = session.connection().execute(TAKE, {"token": token, "until": until, "these": ids}).all()
    claimed = {row.id: Claimed(token, *row) for row in rows}
    return [claimed[id_] for id_ in ids]


# Statements are made once: that takes longer than most of them run.


def _due(rank: int | sa.ColumnElement[int]) -> sa.Select[Any]:
    """Through the partial index, which the text of the condition names (`CLAIMABLE`)."""
    return sa.select(MESSAGE.c.id).where(
        sa.text(CLAIMABLE),
        MESSAGE.c.rank == rank,
        MESSAGE.c.due_at <= sa.bindparam("now", type_=UTCDateTime),
    )


TAKE = (
    sa.update(MESSAGE)
    .where(among(MESSAGE.c.id, "these"))
    .values(
        claimed_by=sa.bindparam("token"),
        due_at=sa.bindparam("until"),
        attempt_count=MESSAGE.c.attempt_count + 1,
    )
    .returning(
        MESSAGE.c.id,
        MESSAGE.c.kind,
        MESSAGE.c.reference,
        MESSAGE.c.recipient,
        MESSAGE.c.content,
        MESSAGE.c.attempt_count,
    )
)


@cache
def _first_of_each_rank() -> sa.Select[Any]:
    # One statement for all of them, as PostgreSQL looks at the index each time that it plans one.
    ranks: sa.CompoundSelect[Any] = sa.union_all(
        *(sa.select(sa.literal_column(str(n)).label("rank")) for n in RANKS)
    )
    each = ranks.subquery("ranks").c.rank
    # With an order, as PostgreSQL may expect more than there is, and read all for any one of them.
    return sa.select(each, _due(each).order_by(MESSAGE.c.due_at).limit(1).scalar_subquery())


EARLIER = MESSAGE.alias("earlier")
# So that a report's follow-ups are sent in their order, by however many workers.
IS_BEHIND_ANOTHER = (
    sa.select(EARLIER.c.id)
    .where(
        MESSAGE.c.kind == MailKind.FOLLOWUP,
        EARLIER.c.reference == MESSAGE.c.reference,
        EARLIER.c.kind == MailKind.FOLLOWUP,
        EARLIER.c.state == MailState.QUEUED,
        EARLIER.c.id < MESSAGE.c.id,
        sa.or_(
            EARLIER.c.claimed_by.is_not(None),
            EARLIER.c.due_at <= sa.bindparam("now", type_=UTCDateTime),
            EARLIER.c.attempt_count < IN_ORDER_TRIES,
        ),
    )
    .exists()
)


@cache
def _due_of(rank: int) -> sa.Select[Any]:
    return (
        (_due(rank).where(~IS_BEHIND_ANOTHER) if rank == MailKind.FOLLOWUP.rank else _due(rank))
        .order_by(MESSAGE.c.due_at, MESSAGE.c.id)
        .limit(sa.bindparam("most"))
        .with_for_update(skip_locked=True, of=MESSAGE)  # SQLite: BEGIN IMMEDIATE excludes
    )
