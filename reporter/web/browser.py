"""What we keep in a browser: one signed cookie of ids and choices, never an answer.

A cookie that outgrows 4 KB is dropped in silence by browsers, so whatever is kept has a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from flask import current_app, request, session

from reporter.links import hash_token, new_token

# Drafts of one browser; the oldest of more are left, and none is left that somebody just began.
DRAFTS_AT_MOST = 8


class Key(StrEnum):
    """The names of all that is kept."""

    LANGUAGE = "lang"
    BROWSER = "browser"
    DRAFTS = "drafts"
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

    def sent_no_cookie(self) -> bool:
        """Whether it sent none: it is here for the first time, or keeps none."""
        return current_app.config["SESSION_COOKIE_NAME"] not in request.cookies

    def draft_id(self, key: str) -> str:
        """The id of its draft of that *key*.

        A key is a name within one browser: a draft is found with the secret of its cookie besides,
        so that a key that somebody else knows, or has made, opens nothing.
        """
        if Key.BROWSER not in session:
            session[Key.BROWSER] = new_token()
        return hash_token(f"{session[Key.BROWSER]}.{key}")

    @property
    def drafts(self) -> list[str]:
        """The keys of what it fills; pages whose address names none belong to the first."""
        return list(session.get(Key.DRAFTS, []))

    def remember_draft(self, key: str, *, first: bool) -> None:
        """That the draft of that *key* was begun."""
        known = self.drafts
        if key not in known:
            known = [key, *known] if first else [*known, key]
            session[Key.DRAFTS] = [*known[:1], *known[1:][1 - DRAFTS_AT_MOST :]]
            # For longer than a draft is kept, from now on; each answer need not bring it anew.
            session.permanent = True

    def leave_drafts(self) -> None:
        """Begin afresh: what was typed is kept, and nobody has its secret."""
        session.pop(Key.DRAFTS, None)
        session.pop(Key.BROWSER, None)

    def forget(self) -> None:
        """All that it keeps, but for the language."""
        language = self.language
        session.clear()
        if language:
            self.language = language

    @property
    def prefill(self) -> Mapping[str, str]:
        """What a link from elsewhere fills in."""
        found: Mapping[str, str] = session.get(Key.PREFILL, {})
        return found

    @prefill.setter
    def prefill(self, prefill: Mapping[str, str]) -> None:
        if prefill != self.prefill:  # a cookie is signed and sent only when it is another
            session[Key.PREFILL] = dict(prefill)

    def begin_call(self) -> None:
        """Leave all drafts for another caller's."""
        self.leave_drafts()
        session[Key.NEW_CALL] = True

    def take_new_call(self) -> bool:
        """Whether a call has just begun. Said once."""
        return bool(session.pop(Key.NEW_CALL, False))
