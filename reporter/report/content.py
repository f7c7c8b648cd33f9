"""A report: frozen once made, handed to whatever shows, stores or mails it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from reporter.models import Channel
from reporter.report.answers import (
    Answer,
    Section,
    Severity,
    Value,
    sections_from_json,
    sections_to_json,
)


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

    @cached_property
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

    def each(self, language: str | None = None) -> Sequence[Answer]:
        """The answers one by one, as asked in *language*."""
        sections = self.sections[self.asked_in(language or self.language)]
        return [answer for section in sections for answer in section.answers]

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
                            a._replace(value=mended[a.name], text=mended[a.name])
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


def _replaced(own: tuple[Section, ...], sections: tuple[Section, ...]) -> tuple[Section, ...]:
    newer = {answer.name: answer for section in sections for answer in section.answers}
    return tuple(
        Section(section.title, tuple(newer.get(a.name, a) for a in section.answers))
        for section in own
    )
