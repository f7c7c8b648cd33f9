"""What is signed for a browser: its cookie, and the token of its forms.

As Flask and Flask-WTF sign them, and read by both, with what signs made once for each key.
"""

from __future__ import annotations

import time
from copy import copy
from functools import lru_cache
from hmac import compare_digest
from typing import Any

from flask import Flask, Request, current_app, g, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadData, BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.serializer import Serializer

from reporter.links import new_token

# Room for 256 kB is laid out for each try to compress, which takes longer than all else here and
# makes what is short no shorter.
COMPRESSED_FROM_BYTES = 500
READ_AT_MOST = 1_000  # cookies of a process that are known
TOKEN = "csrf_token"  # noqa: S105 (the name that Flask-WTF knows it by)


class Signer(URLSafeTimedSerializer):
    """itsdangerous's, that compresses only what is long. It reads what the other has signed."""

    def dump_payload(self, obj: Any) -> bytes:
        plain: bytes = Serializer.dump_payload(self, obj)
        if len(plain) < COMPRESSED_FROM_BYTES:
            return base64_encode(plain)
        return super().dump_payload(obj)


class Cookies(SecureCookieSessionInterface):
    """Flask's sessions. A cookie that was read a moment ago, to the letter, is not verified anew:
    a customer sends the same with every page, and a receipt that is open with every look."""

    def __init__(self) -> None:
        self._read: dict[tuple[tuple[str, ...], str], tuple[float, dict[str, Any]]] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        return _of_cookies(_keys(app))

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        lasts = app.permanent_session_lifetime.total_seconds()
        named = _keys(app), cookie
        found = self._read.get(named)
        if found is None:
            try:
                content, at = self.get_signing_serializer(app).loads(
                    cookie, max_age=int(lasts), return_timestamp=True
                )
            except BadSignature:
                return self.session_class()
            if len(self._read) >= READ_AT_MOST:
                self._read.clear()
            found = self._read[named] = at.timestamp(), content
        signed_at, content = found
        if time.time() - signed_at > lasts:
            return self.session_class()
        # What a view adds to is this request's alone.
        return self.session_class({k: copy(each) for k, each in content.items()})


def csrf_token() -> str:
    """The token of the forms that this request shows, as Flask-WTF's `generate_csrf`."""
    if TOKEN not in g:
        if TOKEN not in session:
            session[TOKEN] = new_token()
        keys = tuple(current_app.config["WTF_CSRF_SECRET_KEY"])
        g.csrf_token = _of_tokens(keys).dumps(session[TOKEN])
    return str(g.csrf_token)


def is_our_token(sent: str) -> bool:
    """Whether *sent* is the token of a form that this browser was shown, and not too old, as
    Flask-WTF's `validate_csrf`."""
    config = current_app.config
    try:
        token = _of_tokens(tuple(config["WTF_CSRF_SECRET_KEY"])).loads(
            sent, max_age=config["WTF_CSRF_TIME_LIMIT"]
        )
    except BadData:
        return False
    return TOKEN in session and compare_digest(session[TOKEN], token)


def _keys(app: Flask) -> tuple[str, ...]:
    """The last one signs, as itsdangerous has it."""
    return (*app.config["SECRET_KEY_FALLBACKS"], app.config["SECRET_KEY"])


@lru_cache(8)
def _of_cookies(keys: tuple[str, ...]) -> Signer:
    of = SecureCookieSessionInterface
    return _signer(keys, of.salt, of.key_derivation, of.digest_method, of.serializer)


@lru_cache(8)
def _of_tokens(keys: tuple[str, ...]) -> Signer:
    usual = TimestampSigner
    how, digest = usual.default_key_derivation, usual.default_digest_method
    return _signer(keys, "wtf-csrf-token", how, digest)


def _signer(
    keys: tuple[str, ...], salt: str, how: str, digest: Any, serializer: Any = None
) -> Signer:
    """As itsdangerous makes it, but that it derives its keys from *keys* once, and not with each
    value."""
    made = [TimestampSigner(k, salt, key_derivation=how, digest_method=digest) for k in keys]
    return Signer(
        [each.derive_key() for each in made],
        salt=salt,
        serializer=serializer,
        signer_kwargs={"key_derivation": "none", "digest_method": digest},
    )
