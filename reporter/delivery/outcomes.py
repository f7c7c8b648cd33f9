"""What came of a mail that was claimed: sent, queued for later, or failed; and whom that wakes.

Delivery is at least once. A crash between a relay's 250 and our commit sends the same bytes, with
the same Message-ID, again; nothing else does while the clocks of the workers' machines agree within
the margin of the lease.

Who records a result must still hold the claim, or the result counts for nothing but the log of
attempts; with one exception. What a relay has accepted is sent, whoever holds the claim by then:
recording it keeps the next holder's crash or deferral from sending it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from reporter.delivery.backoff import backoff_seconds
from reporter.delivery.claims import MESSAGE, RANKS, change
from reporter.delivery.mail import Claimed, LesserForm
from reporter.delivery.outbox import AT_ONCE
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import (
    CLAIMABLE,
    Attempt,
    MailKind,
    MailState,
    Message,
    Outcome,
    Trouble,
)

log = structlog.get_logger(__name__)

THIS: sa.BindParameter[int] = sa.bindparam("this")
KNOWN = (
    sa.select(MESSAGE.c.state, MESSAGE.c.claimed_by, MESSAGE.c.kind, MESSAGE.c.trouble)
    .where(MESSAGE.c.id == THIS)
    .with_for_update()
)
IS_SENT = (
    sa.update(MESSAGE)
    .where(MESSAGE.c.id == THIS)
    .values(
        state=MailState.SENT,
        sent_at=sa.bindparam("now"),
        trouble=None,
        # What is urgent is told though it is sent.
        alarm_from=sa.case((MESSAGE.c.kind == MailKind.SURGE, MESSAGE.c.alarm_from)),
        claimed_by=None,
    )
)
UNBLOCK = (
    sa.update(MESSAGE).where(MESSAGE.c.after_id == THIS, MESSAGE.c.blocked).values(blocked=False)
)
ATTEMPTED = sa.insert(cast(sa.Table, Attempt.__table__))


def record(
    session: Session,
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
    lesser: LesserForm | None = None,
) -> bool:
    """Write down what came of a claim: sent, queued for later, or failed.

    Failed is what every relay refused; with *lesser* it goes on in that form instead. A mail that
    is sent lets those that waited for it be claimed, and those go on at once that waited for the
    end of the same trouble. False, and a warning in the log, when the claim was lost.
    """
    accepted = any(result.outcome == Outcome.ACCEPTED for result in results)
    known = session.execute(KNOWN, {"this": claimed.id}).one_or_none()
    held = known is not None and known.claimed_by == claimed.token
    if known:
        session.execute(ATTEMPTED, [_attempt(claimed, result, now) for result in results])
    if known and accepted and known.state != MailState.SENT:
        session.execute(IS_SENT, {"this": claimed.id, "now": now})
    elif held:
        changes = _not_taken(claimed, results, now, jitter, lesser)
        change(session, Message.id == claimed.id, claimed_by=None, **changes)
    if known and accepted:
        session.execute(UNBLOCK, {"this": claimed.id})
        if known.trouble == Trouble.RELAY or any(result.recovered for result in results):
            wake(session, now)
        elif known.trouble == Trouble.RECIPIENT:
            wake(session, now, claimed.recipient)
    if not held:
        log.warning("lease lost", reference=claimed.reference, kind=claimed.kind, sent=accepted)
    return held


def wake(session: Session, now: datetime, recipient: str | None = None) -> None:
    """Make due what waits for the end of a trouble, as it is over; with *recipient*, of theirs."""
    waits = Message.trouble.in_(list(Trouble)) if recipient is None else _waits_for(recipient)
    change(
        session,
        waits,
        Message.state == MailState.QUEUED,
        Message.claimed_by.is_(None),
        due_at=now,
        trouble=None,
    )


def is_troubled(session: Session) -> bool:
    """Whether a mail waits for the end of a trouble."""
    waits = sa.select(Message.id).where(Message.trouble.is_not(None)).exists()
    return bool(session.scalar(sa.select(waits)))


def advance_one(session: Session, now: datetime) -> None:
    """Make one mail due that waits for the end of a trouble, to find out whether it is over."""
    for rank in RANKS:
        found = session.scalar(
            sa.select(Message.id)
            .where(
                sa.text(CLAIMABLE),
                Message.rank == rank,
                Message.claimed_by.is_(None),
                Message.trouble.is_not(None),
            )
            .order_by(Message.due_at)
            .limit(1)
        )
        if found:
            still = Message.claimed_by.is_(None)
            change(session, Message.id == found, still, due_at=now)
            return


def _waits_for(recipient: str) -> sa.ColumnElement[bool]:
    return sa.and_(Message.trouble == Trouble.RECIPIENT, Message.recipient == recipient)


def _not_taken(
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
    lesser: LesserForm | None,
) -> dict[str, object]:
    """The columns of a mail that no relay has taken."""
    refused = all(result.outcome == Outcome.REFUSED for result in results)
    # A filter's no may be to us as well as to the mail: it is given time, and never final.
    unsure = any(result.about == About.POLICY for result in results)
    later = now + timedelta(seconds=backoff_seconds(claimed.attempt_count, jitter))
    changes: dict[str, object] = {"due_at": later, "trouble": _trouble(results)}
    if refused and lesser:
        changes |= {"form": lesser.form, "content": lesser.mail.content}
        changes |= {"due_at": later if unsure else now, "trouble": None}
    elif refused and not unsure:
        changes |= {"state": MailState.FAILED, "trouble": None}
    if lesser is None and claimed.kind.is_alarmed and any(r.is_permanent for r in results):
        # Somebody has to mend something before it can be sent.
        changes |= {"alarm_from": sa.case((Message.alarm_from.is_not(None), AT_ONCE))}
    return changes


def _trouble(results: Sequence[AttemptResult]) -> Trouble:
    """What a deferred mail waits for to end."""
    about = {result.about for result in results if result.outcome == Outcome.DEFERRED}
    return Trouble.RELAY if about == {About.RELAY} else Trouble.RECIPIENT


def _attempt(claimed: Claimed, result: AttemptResult, now: datetime) -> dict[str, object]:
    return {
        "message_id": claimed.id,
        "attempted_at": now,
        "relay": result.relay,
        "outcome": result.outcome,
        "code": result.code,
        "reply": result.reply,
    }
