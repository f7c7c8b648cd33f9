"""What we keep in a browser: one signed cookie of ids and choices, never an answer.

A cookie that outgrows 4 KB is dropped in silence by browsers, so whatever is kept has a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from flask import session


class Key(StrEnum):
    """The names of all that is kept."""

    LANGUAGE = "lang"
    DRAFT = "draft"
    PREFILL = "prefill"
    NEW_CALL = "new_call"


class Browser:
    """The browser that sent this request."""

    @property
    def language(self) -> str | None:
        """As it was chosen on a page."""
        return session.get(Key.LANGUAGE)

    @language.setter
    def language(self, language: str) -> None:
        session[Key.LANGUAGE] = language

    @property
    def draft(self) -> str | None:
        """The secret of the draft it fills."""
        return session.get(Key.DRAFT)

    @draft.setter
    def draft(self, token: str) -> None:
        session[Key.DRAFT] = token
        session.permanent = True

    def leave_draft(self) -> None:
        """Begin afresh: the draft is kept, and nobody has its secret."""
        session.pop(Key.DRAFT, None)

    @property
    def prefill(self) -> Mapping[str, str]:
        """What a link from elsewhere fills in."""
        found: Mapping[str, str] = session.get(Key.PREFILL, {})
        return found

    @prefill.setter
    def prefill(self, prefill: Mapping[str, str]) -> None:
        session[Key.PREFILL] = dict(prefill)

    def begin_call(self) -> None:
        """Leave the draft for another caller's."""
        self.leave_draft()
        session[Key.NEW_CALL] = True

    def take_new_call(self) -> bool:
        """Whether a call has just begun. Said once."""
        return bool(session.pop(Key.NEW_CALL, False))
