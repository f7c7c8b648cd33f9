"""What customers write, and what becomes of it: drafts, reports, updates, files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from reporter.models.base import Base, kind_column, state_column
from reporter.models.kinds import Author, UpdateKind
from reporter.models.mails import Message


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
    __table_args__ = (
        Index("ix_report_service_saved_at", "service", "saved_at", "number_in_service", "source"),
        Index("ix_report_solved_at", "solved_at", "seen_at", "severity", "saved_at"),
        Index("ix_report_solved_at_next_news_at", "solved_at", "next_news_at"),
        Index("ix_report_saved_at", "saved_at"),
        Index("ix_report_severity_saved_at", "severity", "saved_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    # The draft's id, which outlives the draft: sending twice finds the first report.
    draft_id: Mapped[str] = mapped_column(unique=True)
    service: Mapped[str]
    saved_at: Mapped[datetime]
    # Whom it came from, as a keyed hash: the client, or by phone the customer.
    source: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    # How many there were on its service by then: counts a time without looking at each of it.
    number_in_service: Mapped[int] = mapped_column(default=0, server_default="0")
    # What the board shows of the content, and finds it by.
    severity: Mapped[int] = mapped_column(default=4, server_default="4")  # 1 to 4
    summary: Mapped[str] = mapped_column(default="", server_default=text("''"))
    customer: Mapped[str] = mapped_column(default="", server_default=text("''"))
    # How to reach the customer, where support has mended what the content says.
    email: Mapped[str | None]
    phone: Mapped[str | None]
    # What became of it; the content above never changes.
    seen_at: Mapped[datetime | None]
    solved_at: Mapped[datetime | None]
    next_news_at: Mapped[datetime | None]
    # The promise that support was reminded of, and the one whose passing was told as an alarm.
    reminded_for: Mapped[datetime | None]
    late_told_for: Mapped[datetime | None]
    # When it is told again that nobody has seen it; null: not told yet.
    unseen_alarm_at: Mapped[datetime | None]
    news_wanted: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When a mail to the customer came back, and what the helpdesk calls its ticket.
    unreachable_at: Mapped[datetime | None]
    helpdesk_number: Mapped[str | None]
    # Whoever sent it asked to be forgotten while its ticket was on its way: it goes after that.
    erase_wanted: Mapped[bool] = mapped_column(default=False, server_default=false())
    notice_id: Mapped[int | None] = mapped_column(
        ForeignKey("notice.id", ondelete="SET NULL"), index=True
    )
    content: Mapped[dict[str, Any]]  # report.Report as JSON
    updates: Mapped[list[Update]] = relationship(order_by="Update.id", passive_deletes=True)
    messages: Mapped[list[Message]] = relationship(order_by="Message.id", passive_deletes=True)


class SearchTerm(Base):
    """What somebody may look for a report by: a word of it, as it is looked for."""

    __tablename__ = "search_term"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy's)

    report_id: Mapped[int] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), primary_key=True
    )
    # Compared by its bytes, so that a beginning of it is found by the index on either database.
    term: Mapped[str] = mapped_column(
        String(80).with_variant(String(80, collation="C"), "postgresql"),
        primary_key=True,
        index=True,
    )


class Update(Base):
    """What came after the report, from the customer or from support."""

    __tablename__ = "update"
    __table_args__ = (Index("ix_update_report_id_id", "report_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("report.id", ondelete="CASCADE"))
    author: Mapped[Author] = mapped_column(state_column(Author, "author"))
    kind: Mapped[UpdateKind] = mapped_column(kind_column(UpdateKind))
    next_news_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    # The follow-up it goes out with, and that mail's number.
    number: Mapped[int | None]
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )
    # {"text": …}; of support also "name", their account's; of details "sections", by language
    content: Mapped[dict[str, Any]]


class Attachment(Base):
    """A customer's file: kept at once, of a draft, then of its report, and sent with what is sent
    next; one that is for the desk is never sent."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_client_created_at", "client", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int | None] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), index=True
    )
    draft_id: Mapped[str | None] = mapped_column(
        ForeignKey("draft.id", ondelete="CASCADE"), index=True
    )
    place: Mapped[int]  # the first, the second… of them
    question: Mapped[str]  # the key of the one that it answers
    name: Mapped[str]  # as the customer's
    filename: Mapped[str]  # as we send it; of a draft, without the reference
    mime_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    original_sha256: Mapped[str]  # of what was uploaded, before anything was taken out
    for_desk: Mapped[bool]
    holds_secret: Mapped[bool]  # as far as can be told
    tells_position: Mapped[bool]  # a video, or a picture as it came, may
    # Whom it came from, keyed, another each day: what one client has unsent has a bound.
    client: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    created_at: Mapped[datetime]
    number: Mapped[int | None]  # of the mail it goes out with: 0 for the ticket
    content: Mapped[bytes] = mapped_column(deferred=True)
