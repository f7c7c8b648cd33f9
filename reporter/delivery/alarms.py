"""Telling the operator, by another way than mail, that a ticket is late or refused.

Each mail is told of once, when a channel has taken it; a crash, or several workers on SQLite,
may tell twice. The text holds no word of a customer, as it leaves through third parties.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import defer, selectinload

from reporter.database import Database, Lock, exclusive
from reporter.models import MailState, Message

# Between two alarms of one worker: in an outage they say more at once instead of more often.
PAUSE_SECONDS = 60
LISTED = 20

log = structlog.get_logger(__name__)


class Alarms:
    """Apprise channels, any of which is enough; without one, the log is the channel."""

    def __init__(self, urls: Sequence[str], after_seconds: float) -> None:
        self.urls = urls
        self.after = timedelta(seconds=after_seconds)
        self.quiet_until: datetime | None = None

    def check(self, database: Database, now: datetime) -> None:
        """Tell of what is failed, or unsent for too long, and was not told of yet.

        When no channel takes it, that is an error in the log, and it is told of again later.
        """
        if self.quiet_until and now < self.quiet_until:
            return
        with database.read() as session:
            if session.scalar(sa.select(self._due(now).exists())) is not True:
                return
            # On PostgreSQL one worker tells while the others wait, then find nothing left.
            exclusive(session, Lock.ALARMS)
            messages = session.scalars(
                self._due(now)
                .order_by(Message.id)
                .options(defer(Message.content), selectinload(Message.attempts))
            ).all()
            if not messages:
                return
            log.error(
                "unsent",
                references=sorted({message.reference for message in messages}),
                failed=sum(message.state == MailState.FAILED for message in messages),
            )
            self.quiet_until = now + timedelta(seconds=PAUSE_SECONDS)
            if not self._tell(*compose(messages, now)):
                return
            with database.write() as writing:
                ids = [message.id for message in messages]
                writing.execute(
                    sa.update(Message)
                    .where(Message.id.in_(ids))
                    .values(alarmed_at=now, alarm_from=None)
                )

    def _due(self, now: datetime) -> sa.Select[Message]:
        return sa.select(Message).where(Message.alarm_from <= now - self.after)

    def _tell(self, title: str, text: str) -> bool:
        if not self.urls:
            return True
        taken = [_notify(url, title, text) for url in self.urls]
        for number, was_taken in enumerate(taken, 1):
            if not was_taken:  # named by number, as a URL holds secrets
                log.error("alarm not taken", channel=number)
        return any(taken)


def _notify(url: str, title: str, text: str) -> bool:
    """Whether the channel took it. An alarm never stops the mails, whatever a channel does."""
    import apprise  # seldom needed, and slow to load

    try:
        channel = apprise.Apprise()
        return bool(channel.add(url) and channel.notify(title=title, body=text))
    except Exception as error:
        log.error("alarm channel broken", error=type(error).__name__)
        return False


def compose(messages: Sequence[Message], now: datetime) -> tuple[str, str]:
    """Title and text of one alarm for all of *messages*."""
    references = sorted({message.reference for message in messages})
    if all(message.kind.is_urgent for message in messages):
        title = f"Incident Reporter: {', '.join(references)}"
    elif len(references) == 1:
        title = f"Incident Reporter: {references[0]} is not sent"
    else:
        title = f"Incident Reporter: {len(references)} tickets are not sent"
    lines = [_line(message, now) for message in messages[:LISTED]]
    if len(messages) > LISTED:
        lines.append(f"and {len(messages) - LISTED} more: reporter outbox list")
    return title, "\n".join(lines)


def _line(message: Message, now: datetime) -> str:
    if message.kind.is_urgent:
        return f"{message.reference}: a mail of its own tells support more"
    age = spoken((now - message.created_at).total_seconds())
    state = "refused by every relay" if message.state == MailState.FAILED else "still waiting"
    last = "never tried"
    if message.attempts:
        attempt = message.attempts[-1]
        last = f"last answer of {attempt.relay}: {attempt.code or 'none'}"
    look = f"reporter outbox show {message.reference}"
    return f"{message.reference} ({message.kind}): {state} after {age}; {last}. Look: {look}"


def spoken(seconds: float) -> str:
    """A duration as a person says it, rounded down: "45 s", "7 min", "3 h", "2 d"."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"
