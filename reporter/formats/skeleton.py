"""A page that is the same for everybody but for a few words is rendered once, and filled in then.

What is filled in is escaped, and joined between pieces of which none is looked at again: no word of
a visitor's is ever taken for a place to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping

from flask import current_app

# Of private use (Unicode, section 23.5): in no text of ours, and nothing that is escaped.
OPEN, CLOSE = "\ue000", "\ue001"


class Slot(str):
    """A place to fill in: what stands there while a page is rendered."""

    __slots__ = ()

    def __new__(cls, name: str) -> Slot:
        return super().__new__(cls, f"{OPEN}{name}{CLOSE}")

    def __html__(self) -> str:
        """As it is: what will stand there is escaped when it is known."""
        return str(self)


class Skeleton:
    """A page with places to fill in."""

    def __init__(self, rendered: str) -> None:
        self._pieces = re.split(f"[{OPEN}{CLOSE}]", rendered)
        self._names = self._pieces[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        """The page with *values*, already escaped, in their places; the others stay empty."""
        pieces = self._pieces.copy()
        pieces[1::2] = [values.get(name, "") for name in self._names]
        return "".join(pieces)


def skeleton(key: Hashable, render: Callable[[], str]) -> Skeleton:
    """What *render* gives, the first time that this application asks for it under *key*."""
    known: dict[Hashable, Skeleton] = current_app.extensions.setdefault("skeletons", {})
    found = known.get(key)
    if found is None:
        found = Skeleton(render())
        if not current_app.debug:  # in which templates are edited
            known[key] = found
    return found
