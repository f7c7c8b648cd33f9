"""The outbox: mails as bytes, and each try of sending one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    UniqueConstraint,
    event,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from reporter.models.base import Base, kind_column, state_column
from reporter.models.kinds import MailForm, MailKind, MailState, Outcome, Trouble


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of the outbox over the rows of which *where* holds.

    An engine uses it for a query that says the same, with the constants in its text.
    """
    condition = text(where)
    return Index(f"ix_message_{name}", *columns, sqlite_where=condition, info={"where": condition})


# What a worker may take once it is due, and what was told as late or refused and is not sent yet
# (a surge is told for its own sake).
CLAIMABLE = "state = 'queued' AND NOT blocked"
ALARMED = "alarmed_at IS NOT NULL AND state <> 'sent' AND kind <> 'surge'"
# What was sent, and has its content still.
WHOLE = "state = 'sent' AND cut_at IS NULL"


class Message(Base):
    """The outbox: one mail to one recipient, as the bytes that will be sent."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("mime_id"),
        Index("ix_message_mailbox_created_at", "mailbox", "created_at"),
        Index("ix_message_kind_created_at", "kind", "created_at"),
        Index("ix_message_after_id", "after_id"),
        # Each as large as what waits, and not as what was ever sent.
        _partial("claimable", "rank", "due_at", "id", where=CLAIMABLE),
        _partial("held", "claimed_by", where="claimed_by IS NOT NULL"),
        _partial("unsent", "kind", "created_at", where="state <> 'sent'"),
        _partial("troubled", "trouble", "recipient", where="trouble IS NOT NULL"),
        _partial("alarm_from", "alarm_from", where="alarm_from IS NOT NULL"),
        _partial("whole", "sent_at", where=WHOLE),
        _partial("alarmed", "alarmed_at", where=ALARMED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int | None] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[MailKind] = mapped_column(kind_column(MailKind))
    reference: Mapped[str] = mapped_column(index=True)
    recipient: Mapped[str]
    # Of what anybody can have sent to anybody, as an acknowledgement: its recipient, however spelt,
    # as a keyed hash. Its limits count by it.
    mailbox: Mapped[str | None]
    mime_id: Mapped[str]  # the Message-ID header, fixed when the mail is made
    state: Mapped[MailState] = mapped_column(
        state_column(MailState, "state"), default=MailState.QUEUED
    )
    form: Mapped[MailForm] = mapped_column(
        state_column(MailForm, "form"), default=MailForm.FULL, server_default=MailForm.FULL.value
    )
    rank: Mapped[int] = mapped_column(SmallInteger)  # lowest first, see MailKind.rank
    # Not before this one was sent; and whether that is still to come.
    after_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    blocked: Mapped[bool] = mapped_column(default=False, server_default=false())
    due_at: Mapped[datetime]  # while claimed, the end of the lease
    claimed_by: Mapped[str | None]
    attempt_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    # When all but its headers went, long after it was sent.
    cut_at: Mapped[datetime | None]
    trouble: Mapped[Trouble | None] = mapped_column(state_column(Trouble, "trouble"))
    # From when on it counts as waiting for the alarm; null: never, or told already.
    alarm_from: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    content: Mapped[bytes]
    # In a lesser form: what it was at first, with which an operator's retry begins again.
    whole: Mapped[bytes | None] = mapped_column(deferred=True)
    attempts: Mapped[list[Attempt]] = relationship(
        back_populates="message", order_by="Attempt.id", passive_deletes=True
    )


@event.listens_for(Message.__table__, "before_create")
def _partial_there_too(table: Table, connection: Connection, **_: object) -> None:
    if connection.dialect.name == "postgresql":
        say_where_for_postgresql(table)


def say_where_for_postgresql(table: Table) -> None:
    """To be partial there, too, an index has to name the engine, which loads all that SQLAlchemy
    knows of it: so only where its tables are made."""
    for index in table.indexes:
        if "where" in index.info:
            index.dialect_kwargs["postgresql_where"] = index.info["where"]


class Attempt(Base):
    """One try of one mail at one relay, and what the relay answered."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), index=True
    )
    attempted_at: Mapped[datetime]
    relay: Mapped[str]  # host:port
    outcome: Mapped[Outcome] = mapped_column(state_column(Outcome, "outcome"))
    code: Mapped[int | None]  # SMTP reply code (RFC 5321, section 4.2)
    reply: Mapped[str]
    message: Mapped[Message] = relationship(back_populates="attempts")
