"""The block of `key: value` lines in a ticket, for programs to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app

from reporter.plain import one_line
from reporter.reports.report import WEB, Report, Value

# The kinds of what a customer adds. FILES: those that did not fit in the mail before.
DETAILS, FILES = "details", "files"
INFO, WORSE, BETTER, SOLVED = "info", "worse", "better", "solved"

# The order of the block. Keys that are not named here follow `preferred_channel`.
FIRST_KEYS = (
    "service",
    "affected",
    "summary",
    "started_at",
    "started_precision",
    "pattern",
    "changed",
    "reporter_name",
    "reporter_company",
    "customer_number",
    "reporter_email",
    "reporter_phone",
    "email_affected",
    "preferred_channel",
)


@dataclass(frozen=True)
class News:
    """Something the customer added to a report: its kind, its text, and when."""

    kind: str
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
        return f"{self.count} in {self.minutes} min since {self.clock}"

    @property
    def clock(self) -> str:
        """Since when, by support's clock."""
        return f"{self.since.astimezone(ZoneInfo(current_app.config['TIMEZONE'])):%H:%M}"


@dataclass(frozen=True)
class Followup:
    """What a follow-up mail adds to its ticket.

    `news`: what it tells; `earlier`: what was told before; `before`: the report as it was then;
    `solved`: whether it works by now.
    """

    number: int
    news: Sequence[News]
    earlier: Sequence[News]
    before: Report
    solved: bool

    @property
    def only_files(self) -> bool:
        """Whether it has files that left no room for the state in the mail before it."""
        return all(each.kind == FILES for each in self.news)

    def says_solved(self) -> bool:
        """Whether it works again, by the last that is said of it here."""
        said = [each.kind for each in self.news if each.kind in {SOLVED, WORSE}]
        return said[-1:] == [SOLVED]

    def withdrawn(self, report: Report) -> list[str]:
        """The keys of what was answered before, and is not any more."""
        answers = report.answers
        return [key for key, value in self.before.answers.items() if value and not answers[key]]


def block(
    report: Report, followup: Followup | None = None, similar: Similar | None = None
) -> Iterator[tuple[str, str]]:
    """Keys and values, one line each, in fixed order; what is empty is left out."""
    started = report.started_at
    values = {
        "started_at": started.isoformat(timespec="seconds") if started else "",
        "started_precision": report.started_precision,
        **{a.block: _listed(a.value) for a in report.each() if a.block},
    }
    keys = [*FIRST_KEYS, *(key for key in values if key not in FIRST_KEYS)]
    rows = [
        ("reference", report.reference),
        ("update", str(followup.number if followup else 0)),
        ("state", SOLVED if followup and followup.solved else ""),
        ("news", _listed([each.kind for each in followup.news] if followup else [])),
        ("severity", report.severity.code),
        *((key, values.get(key, "")) for key in keys),
        ("language", report.language),
        ("channel", "" if report.channel == WEB else report.channel),
        ("similar", str(similar or "")),
        ("flags", ", ".join(report.flags)),
        ("withdrawn", _in_words(followup.withdrawn(report) if followup else [])),
        ("missing", _in_words(missing(report))),
    ]
    for key, value in rows:
        line = one_line(value)
        if line:
            yield key, line


def missing(report: Report) -> list[str]:
    """The keys of what support will have to ask."""
    return [answer.name for answer in report.each() if report.is_missing(answer)]


def _in_words(keys: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in keys)


def _listed(value: Value) -> str:
    """A list, or several lines, as one line with commas."""
    parts = value if isinstance(value, list) else (value or "").splitlines()
    return ", ".join(part.strip() for part in parts if part.strip())
