"""The keys that tell a browser's drafts apart, in forms and addresses."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from flask import request


def new_key() -> str:
    """A name for a draft that no other of the browser has."""
    return secrets.token_urlsafe(15)


def posted_key() -> str | None:
    """The key of the draft that the page it was sent from belongs to. A browser without a
    connection makes one itself, so that what it sends twice is one report."""
    return key_in(request.form, "draft_key") if request.method == "POST" else None


def key_in(values: Mapping[str, str], name: str = "draft") -> str | None:
    """What stands there, where it could be a key."""
    return key if re.fullmatch(r"[\w-]{9,60}", key := values.get(name, ""), re.ASCII) else None
