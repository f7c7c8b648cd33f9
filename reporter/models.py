"""Every table on one screen. Times are UTC; a token is kept as its hash only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from reporter.database import UTCDateTime


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # JSON, never JSONB: a customer may paste a NUL, which JSONB refuses.
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Draft(Base):
    """What somebody has typed so far: raw submitted strings, by step and key."""

    __tablename__ = "draft"

    id: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of the token in the cookie
    # {slug: {"answers": {key: [str, …]}, "answered_at": ISO 8601 or null}}; null: not valid yet
    steps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Report(Base):
    """What was sent, frozen: later edits of the form do not change what was asked."""

    __tablename__ = "report"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    # The draft's id, which outlives the draft: sending twice finds the first report.
    draft_id: Mapped[str] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]]  # reports.report.Report as JSON
    service: Mapped[str] = mapped_column(index=True)
    saved_at: Mapped[datetime] = mapped_column(index=True)
    messages: Mapped[list[Message]] = relationship(
        back_populates="report", order_by="Message.id", passive_deletes=True
    )


class Message(Base):
    """The outbox: one mail to one recipient, as the bytes that will be sent."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("mime_id"),
        Index("ix_message_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int | None] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]  # ticket, acknowledgement
    reference: Mapped[str] = mapped_column(index=True)
    recipient: Mapped[str] = mapped_column(index=True)
    mime_id: Mapped[str]  # the Message-ID header, fixed when the mail is made
    content: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="queued")  # queued, sent, failed
    # Not before this one was sent.
    after_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    due_at: Mapped[datetime]  # while claimed, the end of the lease
    claimed_by: Mapped[str | None]
    attempt_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    report: Mapped[Report | None] = relationship(back_populates="messages")
    attempts: Mapped[list[Attempt]] = relationship(
        back_populates="message", order_by="Attempt.id", passive_deletes=True
    )


class Attempt(Base):
    """One try of one mail at one relay, and what the relay answered."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), index=True
    )
    attempted_at: Mapped[datetime]
    relay: Mapped[str]  # host:port
    outcome: Mapped[str]  # accepted, deferred, refused
    code: Mapped[int | None]  # SMTP reply code (RFC 5321, section 4.2)
    reply: Mapped[str]
    message: Mapped[Message] = relationship(back_populates="attempts")
