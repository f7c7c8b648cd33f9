"""A known incident as a value, and what was told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app

from reporter.formats.text import is_blank

Text = Mapping[str, str]  # by language


@dataclass(frozen=True)
class Entry:
    """What was told, when, and when more will be. `text` has at least support's language."""

    at: datetime
    text: Text
    next_news_at: datetime | None

    def words(self, language: str) -> str:
        """In *language* if it was written in it, else in support's; empty if in none."""
        return self.text.get(self.language(language), "")

    def language(self, wanted: str) -> str:
        """The language `words` answers in."""
        support: str = current_app.config["SUPPORT_LOCALE"]
        languages = (wanted, support, *self.text)
        return next((each for each in languages if not is_blank(self.text.get(each, ""))), wanted)


@dataclass(frozen=True)
class Notice:
    """A known incident. `entries` are oldest first, and there is always one.

    `id`: the row's, which a change that is made again gives another.
    """

    id: int = field(compare=False)
    key: str
    services: tuple[str, ...]
    started_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    entries: tuple[Entry, ...]

    @property
    def latest(self) -> Entry:
        return self.entries[-1]
