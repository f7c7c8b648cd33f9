"""What somebody has typed so far, as a value: raw strings, valid or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reporter.wizard.rules import rules

# "Just now" is taken for as long as this.
JUST_NOW = timedelta(hours=1)

Raw = Mapping[str, list[str]]  # submitted strings by key


@dataclass(frozen=True)
class StoredStep:
    """A step as it was last submitted; `answered_at` is None while it does not validate. `rules`:
    what it was checked by, see `rules.rules`."""

    raw: Raw
    answered_at: datetime | None
    rules: str = ""

    def is_valid(self) -> bool:
        """Whether it is known to be, without checking it again: no time makes it invalid."""
        return self.answered_at is not None and self.rules == rules()

    def is_stale(self, at: datetime) -> bool:
        """Whether it says "just now" of a time that was long before *at*."""
        said = self.raw.get("started") == ["just_now"] and self.answered_at
        return bool(said and at - said > JUST_NOW)


@dataclass(frozen=True)
class Draft:
    """A draft as it is stored. `id` is the hash of a secret."""

    id: str
    created_at: datetime
    steps: Mapping[str, StoredStep] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    updated_at: datetime | None = None

    def completed(self, at: datetime | None = None) -> set[str]:
        """The steps that are answered, and with *at* not stale then."""
        return {
            slug
            for slug, step in self.steps.items()
            if step.answered_at and not (at and step.is_stale(at))
        }
