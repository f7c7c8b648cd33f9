"""What came of a mail that was claimed: sent, queued for later, or failed.

Delivery is at least once. A crash between a relay's 250 and our commit sends the same bytes, with
the same Message-ID, again; nothing else does while the clocks of the workers' machines agree within
the margin of the lease. Where mails follow each other fast, a commit is of several: how long the
first of them waits for it is bounded where they are gathered (`conversations`).

Who records a result must still hold the claim, or the result counts for nothing but the log of
attempts; with one exception. What a relay has accepted is sent, whoever holds the claim by then:
recording it keeps the next holder's crash or deferral from sending it once more.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from reporter.database.among import among
from reporter.delivery import recovery
from reporter.delivery.backoff import backoff_seconds
from reporter.delivery.claims import MESSAGE
from reporter.delivery.mail import Claimed, LesserForm
from reporter.delivery.outbox import AT_ONCE
from reporter.delivery.releases import change, release
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import (
    Attempt,
    MailKind,
    MailState,
    Message,
    Outcome,
    Trouble,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tried:
    """One mail that was claimed, and what came of it. Without results it was not tried at all.

    `jitter` spreads what is tried again, and guards nothing. It is drawn once, for however often
    the database is asked.
    """

    claimed: Claimed
    results: tuple[AttemptResult, ...]
    lesser: LesserForm | None = None
    jitter: float = field(default_factory=random.random)

    @property
    def is_accepted(self) -> bool:
        return any(result.outcome == Outcome.ACCEPTED for result in self.results)


def record(session: Session, tried: Sequence[Tried], now: datetime) -> list[bool]:
    """Write down what came of claims: sent, queued for later, or failed.

    Failed is what every relay refused; with a lesser form it goes on in that one instead. What was
    not tried is due at once. A mail that is sent lets those that waited for it be claimed, and
    those go on at once that waited for the end of the same trouble. For each, whether its claim was
    held; else a warning is in the log.
    """
    connection = session.connection()
    found = connection.execute(KNOWN, {"these": [each.claimed.id for each in tried]}).all()
    known: dict[int, Any] = {row.id: row for row in found}
    is_held = [
        each.claimed.id in known and known[each.claimed.id].claimed_by == each.claimed.token
        for each in tried
    ]
    there = [each for each in tried if each.claimed.id in known]
    if attempts := [_attempt(each.claimed, r, now) for each in there for r in each.results]:
        connection.execute(ATTEMPTED, attempts)
    sent = [each for each in there if each.is_accepted]
    if sent:
        these = {"these": [each.claimed.id for each in sent]}
        connection.execute(IS_SENT, these | {"now": now})
        connection.execute(UNBLOCK, these)
    for each, held in zip(tried, is_held, strict=True):
        if held and not each.is_accepted:
            _keep(session, each, now)
        if not held:
            of = {"reference": each.claimed.reference, "kind": each.claimed.kind}
            log.warning("lease lost", **of, sent=each.is_accepted)
    _wake_others(session, sent, {id_: row.trouble for id_, row in known.items()}, now)
    return is_held


# Statements are made once: that takes longer than most of them run.

KNOWN = (
    sa.select(MESSAGE.c.id, MESSAGE.c.claimed_by, MESSAGE.c.trouble)
    .where(among(MESSAGE.c.id, "these"))
    .order_by(MESSAGE.c.id)  # as everybody else who locks several
    .with_for_update()
)
IS_SENT = (
    sa.update(MESSAGE)
    .where(among(MESSAGE.c.id, "these"), MESSAGE.c.state != MailState.SENT)
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
    sa.update(MESSAGE)
    .where(among(MESSAGE.c.after_id, "these"), MESSAGE.c.blocked)
    .values(blocked=False)
)
ATTEMPTED = sa.insert(cast(sa.Table, Attempt.__table__))


def _keep(session: Session, tried: Tried, now: datetime) -> None:
    """A mail that no relay has taken."""
    if not tried.results:
        release(session, tried.claimed, now, was_tried=False)
        return
    changes = _not_taken(tried, now)
    change(session, Message.id == tried.claimed.id, claimed_by=None, **changes)


def _wake_others(
    session: Session, sent: Sequence[Tried], trouble: Mapping[int, Trouble | None], now: datetime
) -> None:
    recovered = any(result.recovered for each in sent for result in each.results)
    if recovered or any(trouble[each.claimed.id] == Trouble.RELAY for each in sent):
        recovery.wake(session, now)
        return
    again = {e.claimed.recipient for e in sent if trouble[e.claimed.id] == Trouble.RECIPIENT}
    for recipient in sorted(again):
        recovery.wake(session, now, recipient)


def _not_taken(tried: Tried, now: datetime) -> dict[str, object]:
    """Its columns."""
    claimed, results, lesser = tried.claimed, tried.results, tried.lesser
    refused = all(result.outcome == Outcome.REFUSED for result in results)
    # A filter's no may be to us as well as to the mail: it is given time, and never final.
    unsure = any(result.about == About.POLICY for result in results)
    later = now + timedelta(seconds=backoff_seconds(claimed.attempt_count, tried.jitter))
    changes: dict[str, object] = {"due_at": later, "trouble": _trouble(results)}
    if refused and lesser:
        whole = sa.func.coalesce(Message.whole, Message.content)
        changes |= {"form": lesser.form, "content": lesser.mail.content, "whole": whole}
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
