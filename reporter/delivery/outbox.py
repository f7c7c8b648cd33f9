"""The outbox: mails that the database holds until a relay has accepted them.

A mail is queued in the transaction of what caused it, and leaves the queue only by a relay's
acceptance or by the refusal of every relay; nothing is ever dropped. Who takes a mail from it, and
what becomes of it then, is told in `claims` and `outcomes`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database.statement import Statement
from reporter.delivery import waking
from reporter.delivery.mail import Mail as Mail
from reporter.models import Attempt, MailKind, MailState, Message, Outcome

# Of what the operator is told without waiting for it to become late.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
LEAST_SEVERITY = 4
# In the place of a relay, of what came back (RFC 3464).
RETURNED = "returned"
# Statements are made once: that takes longer than they run.
MESSAGE = cast(sa.Table, Message.__table__)
INSERT = Statement(sa.insert(MESSAGE).returning(MESSAGE.c.id))
STATE = Statement(
    sa.select(MESSAGE.c.state)
    .where(MESSAGE.c.id == sa.bindparam("this"))
    .with_for_update(read=True)
)


def enqueue(
    session: Session,
    mail: Mail,
    *,
    kind: MailKind,
    reference: str,
    due_at: datetime,
    severity: int = LEAST_SEVERITY,
    report_id: int | None = None,
    after: int | None = None,
    blocked: bool | None = None,
    mailbox: str | None = None,
    created_at: datetime | None = None,
) -> int:
    """Queue *mail* in the caller's transaction and return the id of its row.

    *severity*, 1 to 4, says which of two tickets goes first. With *after*, the id of a mail, it is
    not sent before that one was; *blocked*: whether it was not, where the caller knows.
    *created_at*: when it was asked for, if not for *due_at*. Raises IntegrityError for a
    Message-ID known already.
    """
    kind = MailKind(kind)
    session.flush()  # what it may refer to
    if blocked is None:
        blocked = after is not None and not _is_sent(session, after)
    row = {
        "kind": kind,
        "reference": reference,
        "recipient": mail.recipient,
        "mailbox": mailbox,
        "mime_id": mail.mime_id,
        "content": mail.content,
        "report_id": report_id,
        "rank": kind.rank + (severity if kind == MailKind.TICKET else 0),
        "after_id": after,
        "blocked": blocked,
        "due_at": due_at,
        "created_at": created_at or due_at,
        "alarm_from": AT_ONCE if kind.is_urgent else due_at if kind.is_alarmed else None,
    }
    ((message_id,),) = INSERT.rows(session, row)
    if not blocked:
        waking.tell(session)
    return int(message_id)


def _is_sent(session: Session, message_id: int) -> bool:
    """As it is now; and whoever sends it meanwhile waits for us, to see who waits for it."""
    ((state,),) = STATE.rows(session, {"this": message_id})
    return bool(state == MailState.SENT)


def untried(session: Session, kind: MailKind, *, reference: str) -> Message | None:
    """The last mail of that kind and reference, locked, if no worker has tried it yet."""
    return session.scalar(
        sa.select(Message)
        .where(
            Message.kind == kind,
            Message.reference == reference,
            Message.state == MailState.QUEUED,
            Message.attempt_count == 0,
        )
        .order_by(Message.id.desc())
        .limit(1)
        .with_for_update()
    )


def replace(message: Message, mail: Mail, *, due_at: datetime | None = None) -> None:
    """Put *mail* in the place of one that is `untried`; with *due_at*, to be sent by then."""
    message.content = mail.content
    message.recipient = mail.recipient
    if due_at:
        message.due_at = min(message.due_at, due_at)


class InHand(Exception):
    """A worker has the mail in hand: what became of it is not written down yet."""


def lock(session: Session, message: Message) -> None:
    """Have *message* as it is now, and stay. Raises InHand."""
    session.refresh(message, ["state", "claimed_by"], with_for_update=True)
    if message.claimed_by:
        raise InHand


def come_back(session: Session, message: Message, reason: str, now: datetime) -> None:
    """A mail that a relay had accepted did not arrive (RFC 3464): it is failed, and told at once.

    The caller has its `lock`. Nothing but a person sends it again (`outbox retry`). What waits for
    it waits on.
    """
    if message.state != MailState.SENT:  # it is on its way once more
        return
    message.state, message.sent_at = MailState.FAILED, None
    message.alarmed_at, message.alarm_from = None, AT_ONCE
    session.add(
        Attempt(
            message_id=message.id,
            attempted_at=now,
            relay=RETURNED,
            outcome=Outcome.REFUSED,
            code=None,
            reply=reason,
        )
    )
