"""Every table, and the enums of states and kinds; whoever needs one takes it from here.

Times are UTC; a token is kept as its hash only. States have a CHECK constraint. Kinds grow, and are
the code's: a constraint would rebuild the outbox on SQLite with each new kind of mail.
"""

from reporter.models.base import Base
from reporter.models.counts import Alarm, Beat, HeardCount, HeardOnce, LastDone, Tally
from reporter.models.kinds import (
    LAST_RANK,
    RANKS,
    Author,
    Channel,
    MailForm,
    MailKind,
    MailState,
    Outcome,
    Quota,
    Trouble,
    UpdateKind,
)
from reporter.models.mails import ALARMED, CLAIMABLE, WHOLE, Attempt, Message
from reporter.models.notices import Follower, Notice, Surge
from reporter.models.reports import Attachment, Draft, Report, SearchTerm, Update
from reporter.models.staff import Staff, StaffLink, StaffSession

__all__ = [
    "ALARMED",
    "CLAIMABLE",
    "LAST_RANK",
    "RANKS",
    "WHOLE",
    "Alarm",
    "Attachment",
    "Attempt",
    "Author",
    "Base",
    "Beat",
    "Channel",
    "Draft",
    "Follower",
    "HeardCount",
    "HeardOnce",
    "LastDone",
    "MailForm",
    "MailKind",
    "MailState",
    "Message",
    "Notice",
    "Outcome",
    "Quota",
    "Report",
    "SearchTerm",
    "Staff",
    "StaffLink",
    "StaffSession",
    "Surge",
    "Tally",
    "Trouble",
    "Update",
    "UpdateKind",
]
