"""A report as a value: frozen once made, handed to whatever shows, stores or mails it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from reporter.formats.times import support_zone
from reporter.models import Channel, UpdateKind

Value = str | list[str] | None


class Severity(Enum):
    """How serious it is: the level, and the word that a filter or a person reads."""

    CRITICAL = (1, "critical")
    MAJOR = (2, "major")
    MINOR = (3, "minor")
    QUESTION = (4, "question")

    @property
    def level(self) -> int:
        return self.value[0]

    @property
    def word(self) -> str:
        return self.value[1]

    @property
    def code(self) -> str:
        """As in "1-critical"."""
        return f"{self.level}-{self.word}"

    @classmethod
    def of(cls, impact: str) -> Self:
        """The severity of an answer to `impact`."""
        return next(severity for severity in cls if severity.word == impact)


@dataclass(frozen=True)
class Answer:
    """One question and its answer.

    `value` is for machines and `text` for people; both may be blank. `asked`: whether it came up
    at all. `key`: its key in the block of the ticket, if it stands there. `wanted`: support
    will have to ask for it when it is blank; `important`: in an important incident. `exact`: its
    columns and blanks mean something.
    """

    name: str
    label: str
    value: Value = None
    text: str = ""
    asked: bool = True
    key: str = ""
    wanted: bool = False
    important: bool = False
    exact: bool = False


# Kept reports leave these out, so they are what they are for ever.
USUAL = {each.name: each.default for each in fields(Answer) if each.default is not MISSING}


@dataclass(frozen=True)
class Section:
    """The answers of one page, under its title."""

    title: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Report:
    """What a customer sent. It has no reference until it is kept."""

    language: str
    saved_at: datetime
    started_at: datetime | None  # in the customer's zone
    started_precision: str
    sections: Mapping[str, tuple[Section, ...]]  # by language, as it was asked
    flags: tuple[str, ...] = ()
    channel: Channel = Channel.WEB
    reference: str = ""

    @cached_property
    def answers(self) -> Mapping[str, Value]:
        """Every answer by its key; None for what was left blank or not asked."""
        return {answer.name: answer.value for answer in self.each()}

    @property
    def severity(self) -> Severity:
        return Severity.of(self.text("impact"))

    @property
    def zone(self) -> ZoneInfo:
        """The customer's."""
        return ZoneInfo(self.text("timezone"))

    @property
    def wants_cause(self) -> bool:
        """Whether the customer asked to be told what it was."""
        return self.text("wants_root_cause") == "yes"

    def text(self, key: str) -> str:
        """A single answer's value; empty when there is none."""
        return str(self.answers.get(key) or "")

    def asked_in(self, language: str) -> str:
        """*language*, where it was asked in that; else its own: LANGUAGES may have changed."""
        return language if language in self.sections else self.language

    def each(self, language: str | None = None) -> Iterator[Answer]:
        """The answers one by one, as asked in *language*."""
        for section in self.sections[self.asked_in(language or self.language)]:
            yield from section.answers

    def is_missing(self, answer: Answer) -> bool:
        """Whether support will have to ask for it."""
        wanted = answer.wanted or (answer.important and self.severity.level <= 2)
        return wanted and answer.asked and not answer.value

    def with_answers(self, sections: Mapping[str, tuple[Section, ...]]) -> Self:
        """The same report with the answers of *sections*, by language, in place of its own.

        What was asked in a language that it has not stands in those that it has.
        """
        others = next(iter(sections.values()), ())
        return replace(
            self,
            sections={
                language: _replaced(own, sections.get(language, others))
                for language, own in self.sections.items()
            },
        )

    def with_contact(self, email: str | None, phone: str | None) -> Self:
        """The same report with another address or number of the customer's."""
        mended = {key: v for key, v in (("email", email), ("phone", phone)) if v is not None}
        if not mended:
            return self
        return self.with_answers(
            {
                language: tuple(
                    Section(
                        section.title,
                        tuple(
                            replace(a, value=mended[a.name], text=mended[a.name])
                            for a in section.answers
                            if a.name in mended
                        ),
                    )
                    for section in sections
                )
                for language, sections in self.sections.items()
            }
        )

    def to_json(self) -> dict[str, Any]:
        zone = self.started_at.tzinfo if self.started_at else None
        return {
            "language": self.language,
            "saved_at": self.saved_at.isoformat(),
            "started_at": self.started_at and self.started_at.isoformat(),
            "started_zone": zone.key if isinstance(zone, ZoneInfo) else None,
            "started_precision": self.started_precision,
            "sections": sections_to_json(self.sections),
            "flags": list(self.flags),
            "channel": self.channel,
            "reference": self.reference,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Report:
        content = dict(stored)
        zone = content.pop("started_zone")
        started = content["started_at"]
        if started:
            started = datetime.fromisoformat(started).astimezone(ZoneInfo(zone) if zone else UTC)
        content["started_at"] = started
        content["saved_at"] = datetime.fromisoformat(content["saved_at"])
        content["flags"] = tuple(content["flags"])
        content["channel"] = Channel(content["channel"])
        content["sections"] = sections_from_json(content["sections"])
        return cls(**content)


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
        return f"{self.count} in {self.minutes} min since {self.clock}"

    @property
    def clock(self) -> str:
        """Since when, by support's clock."""
        return f"{self.since.astimezone(support_zone()):%H:%M}"


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


def _replaced(own: tuple[Section, ...], sections: tuple[Section, ...]) -> tuple[Section, ...]:
    newer = {answer.name: answer for section in sections for answer in section.answers}
    return tuple(
        Section(section.title, tuple(newer.get(a.name, a) for a in section.answers))
        for section in own
    )


def sections_to_json(sections: Mapping[str, Sequence[Section]]) -> dict[str, list[Any]]:
    """By language, as `sections_from_json` reads them."""
    return {
        language: [
            {"title": section.title, "answers": [_unusual(answer) for answer in section.answers]}
            for section in each
        ]
        for language, each in sections.items()
    }


def _unusual(answer: Answer) -> dict[str, Any]:
    """What is said of *answer* that is not said of most: half of a report is of questions that were
    not asked."""
    return {key: v for key, v in vars(answer).items() if key not in USUAL or v != USUAL[key]}


def sections_from_json(
    stored: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, tuple[Section, ...]]:
    return {language: _sections(each) for language, each in stored.items()}


def _sections(stored: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    return tuple(
        Section(section["title"], tuple(Answer(**answer) for answer in section["answers"]))
        for section in stored
    )
