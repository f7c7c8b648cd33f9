"""Secret and signed URLs, and the keys derived for them.

Each purpose has a key of its own, derived from SECRET_KEY, so that a value made for one can
never pass for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from flask import current_app

TOKEN_BYTES = 20  # 160 bits


def new_token() -> str:
    """A random URL-safe token of 160 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """What the database keeps of a token: SHA-256, in hexadecimal.

    A plain hash is enough, as a token has too many bits to be guessed.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def sign(purpose: str, value: str) -> bytes:
    """HMAC-SHA256 of *value* under the key of *purpose*."""
    key: str = current_app.config["SECRET_KEY"]
    derived = hmac.digest(key.encode(), f"reporter:{purpose}".encode(), "sha256")
    return hmac.digest(derived, value.encode(), "sha256")


def receipt_token(draft_id: str) -> str:
    """The receipt's token, which is derived from the draft: sending twice gives the same one."""
    digest = sign("receipt", draft_id)[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def absolute(path: str) -> str:
    """The full URL of *path* under BASE_URL, never under the Host header of a request."""
    base: str = current_app.config["BASE_URL"]
    return base.rstrip("/") + path
