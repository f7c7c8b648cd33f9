"""What comes to a report: updates and files of its customer's, and others like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reporter.formats.support_times import support_zone
from reporter.models import UpdateKind
from reporter.report.content import Report


@dataclass(frozen=True)
class CustomerUpdate:
    """Something the customer added to a report: its kind, its text, and when."""

    kind: UpdateKind
    text: str
    at: datetime


@dataclass(frozen=True)
class Similar:
    """Reports on the same service in a surge: how many, in how many minutes, since when."""

    count: int
    minutes: int
    since: datetime

    def __str__(self) -> str:
        """For programs, in English."""
        since = f"{self.since.astimezone(support_zone()):%H:%M}"
        return f"{self.count} in {self.minutes} min since {since}"


@dataclass(frozen=True)
class Followup:
    """What a follow-up mail adds to its ticket.

    `updates`: what it tells; `earlier`: what was told before; `before`: the report as it was then;
    `solved`: whether it works by now.
    """

    number: int
    updates: Sequence[CustomerUpdate]
    earlier: Sequence[CustomerUpdate]
    before: Report
    solved: bool

    @property
    def only_files(self) -> bool:
        """Whether it has files that left no room for the state in the mail before it."""
        return all(each.kind == UpdateKind.FILES for each in self.updates)

    @property
    def headline(self) -> CustomerUpdate:
        """What it says first: whether it works, else the last that was told."""
        decisive = {UpdateKind.SOLVED, UpdateKind.WORSE}
        own = [each for each in self.updates if each.kind != UpdateKind.FILES]
        said = [each for each in own if each.kind in decisive]
        return (said or own or list(self.updates))[-1]

    def withdrawn(self, report: Report) -> list[str]:
        """The keys of what was answered before, and is not any more."""
        answers = report.answers
        return [key for key, value in self.before.answers.items() if value and not answers[key]]


@dataclass(frozen=True)
class StoredFile:
    """A kept file without its content.

    `number`: of the mail it went with, if any: 0 for the ticket. `for_desk`: never in a mail.
    `holds_secret`, `tells_position`: what to point out of it. `question`: the key of the one that
    it answers.
    """

    id: int
    name: str
    filename: str
    mime_type: str
    size: int
    sha256: str
    number: int | None
    for_desk: bool = False
    holds_secret: bool = False
    tells_position: bool = False
    question: str = "files"

    @property
    def is_sent(self) -> bool:
        """Whether a mail carries it, or tells that it is at the desk."""
        return self.number is not None

    @property
    def is_picture(self) -> bool:
        """Whether every browser shows it."""
        return self.mime_type.startswith("image/")
