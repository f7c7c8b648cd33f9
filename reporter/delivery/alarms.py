"""Telling the operator, by another way than mail, that a ticket is late or refused, and its end.

Each mail is told of once, when a channel has taken it; a crash in between may tell twice. What is
one kind of alarm does not wait for another. The text holds no word of a customer, as it leaves
through third parties.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, defer, selectinload

from reporter.database import Database
from reporter.delivery.alarm_words import compose, spoken
from reporter.delivery.channels import tell
from reporter.delivery.clock import SLACK
from reporter.models import ALARMED, Alarm, MailKind, MailState, Message

# Between two alarms of a kind: in an outage they say more at once instead of more often.
PAUSE_SECONDS = 60
# Who tells has so long, and is thought to have died after that.
TELLING = timedelta(seconds=120)
# A database that does not answer for so long is told of.
AWAY = timedelta(seconds=60)
UNSENT, URGENT = "unsent", "urgent"

MESSAGE = cast(sa.Table, Message.__table__)
# Of what has come back meanwhile, or was tried again, nothing was told.
IS_TOLD = (
    sa.update(MESSAGE)
    .where(
        MESSAGE.c.id == sa.bindparam("this"),
        MESSAGE.c.alarm_from == sa.bindparam("seen"),
    )
    .values(alarmed_at=sa.bindparam("now"), alarm_from=None)
)

log = structlog.get_logger(__name__)


class Alarms:
    """Of the outbox. Any channel is enough; without one, the log is the channel."""

    def __init__(self, urls: Sequence[str], after_seconds: float) -> None:
        self.urls = urls
        self.after = timedelta(seconds=after_seconds)
        self.away_since: datetime | None = None
        self.away_told = False

    def watch(self, database: Database, now: datetime) -> None:
        """As `check`, and tell of a database that stays away, which it cannot tell by itself.

        Raises sqlalchemy.exc.DBAPIError while it is.
        """
        try:
            self.check(database, now)
        except SQLAlchemyError:
            self.away_since = self.away_since or now
            if not self.away_told and now - self.away_since >= AWAY:
                text = "A worker cannot use the database: nothing is sent until it is back."
                self.away_told = tell(self.urls, "Incident Reporter: no database", text)
            raise
        if self.away_told:
            away = spoken((now - (self.away_since or now)).total_seconds())
            text = f"The worker uses it again, after {away}. What waited is being sent."
            if not tell(self.urls, "Incident Reporter: the database is back", text):
                return  # it is told later
        self.away_since, self.away_told = None, False

    def check(self, database: Database, now: datetime) -> None:
        """Tell of what is failed, or unsent for too long, and was not told of yet; or of its end.

        When no channel takes it, that is an error in the log, and it is told of again later. It
        costs what is due, whatever waits or was sent.
        """
        with database.read() as session:
            # With an order, as PostgreSQL may expect many, and read all for any one of them.
            first = self._due(now).with_only_columns(Message.id).order_by(Message.alarm_from)
            due = session.scalar(first.limit(1)) is not None
            told = session.scalar(sa.select(Alarm.told_at).where(Alarm.key == UNSENT))
        if due:
            urgent = Message.kind.in_([kind for kind in MailKind if kind.is_urgent])
            self._tell_of(database, URGENT, self._due(now).where(urgent), now)
            self._tell_of(database, UNSENT, self._due(now).where(~urgent), now)
        elif told:
            self._tell_end(database, now)

    def _due(self, now: datetime) -> sa.Select[Message]:
        return sa.select(Message).where(Message.alarm_from <= now - self.after)

    def _tell_of(
        self, database: Database, key: str, due: sa.Select[Message], now: datetime
    ) -> None:
        with database.read() as session:
            if not session.scalar(sa.select(due.exists())):
                return
        if not hold(database, key, now):
            return
        with database.read() as session:  # as whoever held it before us may have left it
            messages = session.scalars(
                due.order_by(Message.id).options(
                    defer(Message.content), selectinload(Message.attempts)
                )
            ).all()
        if not messages:
            with database.write() as session:
                let_go(session, key, now, taken=False)
            return
        log.error(
            "unsent",
            references=sorted({message.reference for message in messages}),
            failed=sum(message.state == MailState.FAILED for message in messages),
        )
        taken = tell(self.urls, *compose(messages, now))
        with database.write() as session:
            if taken:
                told = [{"this": each.id, "seen": each.alarm_from, "now": now} for each in messages]
                session.connection().execute(IS_TOLD, told)
            let_go(session, key, now, taken=taken)

    def _tell_end(self, database: Database, now: datetime) -> None:
        """Once nothing waits any more of what was told."""
        with database.read() as session:
            waits = sa.select(Message.id).where(sa.text(ALARMED))  # in the order of its index
            if session.scalar(waits.order_by(Message.alarmed_at).limit(1)):
                return
        if not hold(database, UNSENT, now, begins=False):
            return
        with database.read() as session:
            since = session.get_one(Alarm, UNSENT).since_at
        log.info("nothing unsent")
        lasted = spoken((now - since).total_seconds())
        text = f"Nothing waits any more of what was told as late or refused. It took {lasted}."
        taken = tell(self.urls, "Incident Reporter: all tickets are sent", text)
        with database.write() as session:
            if taken:
                session.execute(sa.delete(Alarm).where(Alarm.key == UNSENT))
            else:
                let_go(session, UNSENT, now, taken=False)


def hold(database: Database, key: str, now: datetime, *, begins: bool = True) -> bool:
    """Whether it is ours to tell now: nobody else does, and the last time is a while ago. Without
    *begins* only of what was told before, and whose end was not.

    No lock is held meanwhile, as a channel may take its time.
    """
    try:
        with database.write() as session:
            alarm = session.get(Alarm, key, with_for_update=True)
            if alarm is None and not begins:
                return False
            if alarm is None:
                session.add(Alarm(key=key, since_at=now, telling_until=now + TELLING))
                return True
            # What lies further ahead than that is from before the clock was set back.
            if alarm.telling_until and now < alarm.telling_until <= now + TELLING + SLACK:
                return False
            alarm.telling_until = now + TELLING
            return True
    except IntegrityError:  # somebody else was first
        return False


def let_go(session: Session, key: str, now: datetime, *, taken: bool) -> None:
    """What is urgent never waits for what was told before it; the rest, and new tries, do."""
    pause = key != URGENT or not taken
    values: dict[str, object] = {
        "telling_until": now + timedelta(seconds=PAUSE_SECONDS) if pause else None
    }
    if taken:
        values["told_at"] = now
    session.execute(sa.update(Alarm).where(Alarm.key == key).values(values))
