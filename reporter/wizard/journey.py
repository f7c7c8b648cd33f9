"""The order of steps, and where somebody may go next. Pure: it knows no form and no store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Journey:
    """An ordered set of steps, and those that are answered; REVIEW stands after the last."""

    slugs: Sequence[str]
    completed: Collection[str] = ()

    REVIEW = "review"

    def first_open(self) -> str:
        """The first step not answered yet, or REVIEW."""
        return next((slug for slug in self.slugs if slug not in self.completed), self.REVIEW)

    def can_visit(self, slug: str) -> bool:
        """Whether every step before *slug* is answered."""
        return self._position(slug) <= self._position(self.first_open())

    def after(self, slug: str) -> str:
        """Where to go from *slug*: the next step, or REVIEW."""
        position = self._position(slug) + 1
        return self.slugs[position] if position < len(self.slugs) else self.REVIEW

    def before(self, slug: str) -> str | None:
        """The step before *slug*, or None for the first."""
        position = self._position(slug)
        return self.slugs[position - 1] if position else None

    def number(self, slug: str) -> int:
        """The place of a step, from 1."""
        return self._position(slug) + 1

    def _position(self, slug: str) -> int:
        return len(self.slugs) if slug == self.REVIEW else list(self.slugs).index(slug)
