"""What was asked and answered, page by page; and how serious that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple, Self

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


class Answer(NamedTuple):
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

    def filled(self, value: Value, text: str, *, asked: bool) -> Answer:
        """The same question, answered; `_replace` takes four times as long."""
        return Answer(self.name, self.label, value, text, asked, *self[5:])


# Kept reports leave these out, so they are what they are for ever.
USUAL = {"name": None, "label": None, **Answer._field_defaults}


@dataclass(frozen=True)
class Section:
    """The answers of one page, under its title."""

    title: str
    answers: tuple[Answer, ...]

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """Not to be changed."""
        return {"title": self.title, "answers": [_unusual(answer) for answer in self.answers]}


def sections_to_json(sections: Mapping[str, Sequence[Section]]) -> dict[str, list[Any]]:
    """By language, as `sections_from_json` reads them."""
    return {language: [section.as_json for section in each] for language, each in sections.items()}


def _unusual(answer: Answer) -> dict[str, Any]:
    """What is said of *answer* that is not said of most: half of a report is of questions that were
    not asked."""
    return {key: v for (key, usual), v in zip(USUAL.items(), answer, strict=True) if v != usual}


def sections_from_json(
    stored: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, tuple[Section, ...]]:
    return {language: _sections(each) for language, each in stored.items()}


def _sections(stored: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    return tuple(
        Section(section["title"], tuple(Answer(**answer) for answer in section["answers"]))
        for section in stored
    )
