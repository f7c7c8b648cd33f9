"""The enums of states and kinds, and what follows from a kind."""

from __future__ import annotations

from enum import StrEnum


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
    def is_said(self) -> bool:
        """Whether a customer says it from the receipt, which shows it."""
        return self in {UpdateKind.INFO, UpdateKind.WORSE, UpdateKind.BETTER, UpdateKind.SOLVED}

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
    def is_for_support(self) -> bool:
        """Whether the operator sets whom it goes to."""
        return self.is_alarmed or self == MailKind.REMINDER

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


class Quota(StrEnum):
    """What one client, or one account, may have so much of."""

    DRAFTS = "drafts"
    REPORTS = "reports"
    UPDATES = "updates"
    FOLLOWERS = "followers"
    SIGN_INS = "sign_ins"
    WRONG_PASSWORDS = "wrong_passwords"  # of one account
