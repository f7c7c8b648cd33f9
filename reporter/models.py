"""Every table on one screen, and the enums of its states and kinds.

Times are UTC; a token is kept as its hash only. States have a CHECK constraint. Kinds grow, and are
the code's: a constraint would rebuild the outbox on SQLite with each new kind of mail.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from reporter.database import UTCDateTime


class Channel(StrEnum):
    """How a report came."""

    WEB = "web"
    PHONE = "phone"


class Author(StrEnum):
    """Who added something to a report."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    SERVICE = "service"  # what we found by ourselves


class UpdateKind(StrEnum):
    """What was added: the first six by a customer, the last by this service, the others by
    support."""

    DETAILS = "details"
    FILES = "files"  # those that did not fit in the mail before
    INFO = "info"
    WORSE = "worse"
    BETTER = "better"
    SOLVED = "solved"
    ACKNOWLEDGE = "acknowledge"
    MESSAGE = "message"
    SOLVE = "solve"
    REOPEN = "reopen"
    LINK_NOTICE = "link_notice"  # by either
    CONTACT = "contact"
    ANSWERED = "answered"  # in the helpdesk or by mail; without a word of it
    UNREACHABLE = "unreachable"  # a mail to the customer came back

    @property
    def is_message(self) -> bool:
        """Whether support tells the customer something with it."""
        return self in {UpdateKind.MESSAGE, UpdateKind.SOLVE, UpdateKind.REOPEN}


class MailKind(StrEnum):
    """What a mail of the outbox is."""

    TICKET = "ticket"
    FOLLOWUP = "followup"
    SURGE = "surge"
    DIGEST = "digest"
    ACKNOWLEDGEMENT = "acknowledgement"
    NEWS = "news"
    NOTICE = "notice"
    REMINDER = "reminder"
    CONFIRMATION = "confirmation"  # asks a follower whether the address is theirs

    @property
    def is_alarmed(self) -> bool:
        """Whether the operator is told that it is late or refused: what support waits for.

        A customer's wrong address is no reason to wake anybody.
        """
        return self in {MailKind.TICKET, MailKind.FOLLOWUP, MailKind.SURGE, MailKind.DIGEST}

    @property
    def is_urgent(self) -> bool:
        """Whether the operator is told of it at once, whatever becomes of the mail."""
        return self == MailKind.SURGE

    @property
    def rank(self) -> int:
        """Where it stands in the queue, lowest first. A ticket's severity (1 to 4) goes on top."""
        return RANKS[self]


RANKS = {
    MailKind.TICKET: 0,  # to 4, by its severity
    MailKind.SURGE: 1,  # as a critical ticket
    MailKind.FOLLOWUP: 5,
    MailKind.REMINDER: 5,
    MailKind.ACKNOWLEDGEMENT: 6,
    MailKind.CONFIRMATION: 6,
    MailKind.NEWS: 7,
    MailKind.NOTICE: 7,
    MailKind.DIGEST: 7,
}
LAST_RANK = max(RANKS.values())


class MailForm(StrEnum):
    """How much of a mail is left: what no relay takes is sent in a lesser form."""

    FULL = "full"
    WITHOUT_FILES = "without_files"
    STUB = "stub"  # no word of a customer's


class Trouble(StrEnum):
    """What a deferred mail waits for to end. One mail that gets through there is proof of it."""

    RELAY = "relay"  # no relay takes mail
    RECIPIENT = "recipient"  # the relays do, and this recipient's server does not


class MailState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"  # a relay has accepted it
    FAILED = "failed"  # every relay has refused it


class Outcome(StrEnum):
    """What came of one try of one mail at one relay."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"


def _kind(enum: type[StrEnum]) -> Enum:
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def _state(enum: type[StrEnum], name: str) -> Enum:
    """As a kind, with a CHECK constraint of that *name*."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of the outbox over the rows of which *where* holds.

    An engine uses it for a query that says the same, with the constants in its text.
    """
    condition = text(where)
    return Index(f"ix_message_{name}", *columns, sqlite_where=condition, postgresql_where=condition)


# What a worker may take once it is due, and what was told as late or refused and is not sent yet
# (a surge is told for its own sake).
CLAIMABLE = "state = 'queued' AND NOT blocked"
ALARMED = "alarmed_at IS NOT NULL AND state <> 'sent' AND kind <> 'surge'"
# What was sent, and has its content still.
WHOLE = "state = 'sent' AND cut_at IS NULL"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    # JSON, never JSONB: a customer may paste a NUL, which JSONB refuses.
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Staff(Base):
    """Somebody of support, who may sign in to the desk."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)  # in small letters
    password_hash: Mapped[str | None]  # scrypt, as Werkzeug writes it
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffSession(Base):
    """A browser that is signed in. Without its row its cookie opens nothing."""

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]  # when something was last done with it
    expires_at: Mapped[datetime]
    browser: Mapped[str]  # in words, as in "Firefox, Linux"
    call_until: Mapped[datetime | None]  # while its person fills the form during calls


class StaffLink(Base):
    """A link that signs in once."""

    __tablename__ = "staff_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    asks_password: Mapped[bool]  # whether a new password is chosen with it
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Quota(StrEnum):
    """What one client, or one account, may have so much of."""

    DRAFTS = "drafts"
    REPORTS = "reports"
    UPDATES = "updates"
    FOLLOWERS = "followers"
    SIGN_INS = "sign_ins"
    WRONG_PASSWORDS = "wrong_passwords"  # of one account


class Tally(Base):
    """How much of something one client has had in one minute. A day later it is gone."""

    __tablename__ = "tally"

    quota: Mapped[Quota] = mapped_column(_kind(Quota), primary_key=True)
    client: Mapped[str] = mapped_column(String(16), primary_key=True)  # keyed, another each day
    minute: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    count: Mapped[int]


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
        Index("ix_report_next_news_at", "next_news_at"),
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
    messages: Mapped[list[Message]] = relationship(
        back_populates="report", order_by="Message.id", passive_deletes=True
    )


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
    author: Mapped[Author] = mapped_column(_state(Author, "author"))
    kind: Mapped[UpdateKind] = mapped_column(_kind(UpdateKind))
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
    tells_position: Mapped[bool]  # a video that may say where it was recorded
    # Whom it came from, keyed, another each day: what one client has unsent has a bound.
    client: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    created_at: Mapped[datetime]
    number: Mapped[int | None]  # of the mail it goes out with: 0 for the ticket
    content: Mapped[bytes] = mapped_column(deferred=True)


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
    kind: Mapped[MailKind] = mapped_column(_kind(MailKind))
    reference: Mapped[str] = mapped_column(index=True)
    recipient: Mapped[str]
    # Of an acknowledgement: its recipient, however spelt, as a keyed hash. Its limits count by it.
    mailbox: Mapped[str | None]
    mime_id: Mapped[str]  # the Message-ID header, fixed when the mail is made
    state: Mapped[MailState] = mapped_column(_state(MailState, "state"), default=MailState.QUEUED)
    form: Mapped[MailForm] = mapped_column(
        _state(MailForm, "form"), default=MailForm.FULL, server_default=MailForm.FULL.value
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
    trouble: Mapped[Trouble | None] = mapped_column(_state(Trouble, "trouble"))
    # From when on it counts as waiting for the alarm; null: never, or told already.
    alarm_from: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    content: Mapped[bytes]
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
    outcome: Mapped[Outcome] = mapped_column(_state(Outcome, "outcome"))
    code: Mapped[int | None]  # SMTP reply code (RFC 5321, section 4.2)
    reply: Mapped[str]
    message: Mapped[Message] = relationship(back_populates="attempts")


class Alarm(Base):
    """A trouble that the operator is told of once, as is its end. The row goes with the trouble."""

    __tablename__ = "alarm"

    key: Mapped[str] = mapped_column(primary_key=True)  # as in "unsent", "surge", "disk"
    since_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # last, when a channel has taken it
    # Whoever tells holds it until then, so that it is told once by however many look.
    telling_until: Mapped[datetime | None]


class Beat(Base):
    """A worker that lives, or lived until a moment ago."""

    __tablename__ = "beat"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime] = mapped_column(index=True)  # by the clock that all workers share
    clock_at: Mapped[datetime]  # what its own machine's clock said then


class HeardOnce(Base):
    """A mail or a call of the helpdesk's hook that changed something, so that it does so once."""

    __tablename__ = "heard_once"

    key: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(index=True)


class HeardCount(Base):
    """How much came in, by what it was taken for."""

    __tablename__ = "heard_count"

    sort: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class LastDone(Base):
    """When something was last done, by whichever process did it."""

    __tablename__ = "last_done"

    name: Mapped[str] = mapped_column(primary_key=True)  # as in "purge"
    done_at: Mapped[datetime]
