"""Known incidents, who follows them, and times in which many report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reporter.models.base import Base


class Notice(Base):
    """A known incident, as told to customers."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # as in "N-7M9Q"
    services: Mapped[list[Any]]
    # [{"at": ISO 8601, "text": {language: text}, "next_news_at": ISO 8601 or null}, …]
    entries: Mapped[list[Any]]
    started_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    next_news_at: Mapped[datetime | None]
    reminded_for: Mapped[datetime | None]
    late_told_for: Mapped[datetime | None]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    # Of its counts, those that were erased since: reports that were linked, and followers.
    erased_reports: Mapped[int] = mapped_column(default=0)
    erased_followers: Mapped[int] = mapped_column(default=0)
    # Whoever asked for the cause of a report that is linked to it was mailed it.
    causes_told_at: Mapped[datetime | None]


class Follower(Base):
    """Somebody who said "mine is this" of a known incident."""

    __tablename__ = "follower"
    __table_args__ = (UniqueConstraint("notice_id", "contact"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"))
    name: Mapped[str]
    contact: Mapped[str]  # an email address or a phone number
    language: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    # When they said that the address is theirs. Until then they are counted, and not mailed.
    confirmed_at: Mapped[datetime | None]
    # When a mail to them came back. They are mailed no more, until they confirm anew.
    unreachable_at: Mapped[datetime | None]
    # The digest for support that names them.
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("message.id", ondelete="SET NULL"), index=True
    )


class Surge(Base):
    """A time in which reports on one service arrived faster than is normal for it."""

    __tablename__ = "surge"

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]  # the first report of it
    last_at: Mapped[datetime]  # the latest one
    normal: Mapped[float]  # how many an hour its service usually has
