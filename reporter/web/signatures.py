"""What is signed for a browser: its cookie, and the token of its forms.

As Flask and Flask-WTF sign them, and read by both, with what signs made once for each key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.serializer import Serializer

from reporter.links import new_token

# Room for 256 kB is laid out for each try to compress, which takes longer than all else here and
# makes what is short no shorter.
COMPRESSED_FROM_BYTES = 500
TOKEN = "csrf_token"  # noqa: S105 (the name that Flask-WTF knows it by)


class Signer(URLSafeTimedSerializer):
    """itsdangerous's, that compresses only what is long. It reads what the other has signed."""

    def dump_payload(self, obj: Any) -> bytes:
        plain: bytes = Serializer.dump_payload(self, obj)
        if len(plain) < COMPRESSED_FROM_BYTES:
            return base64_encode(plain)
        return super().dump_payload(obj)


class Cookies(SecureCookieSessionInterface):
    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        return _of_cookies((*app.config["SECRET_KEY_FALLBACKS"], app.config["SECRET_KEY"]))


def csrf_token() -> str:
    """The token of the forms that this request shows, as Flask-WTF's `generate_csrf`."""
    if TOKEN not in g:
        if TOKEN not in session:
            session[TOKEN] = new_token()
        keys = tuple(current_app.config["WTF_CSRF_SECRET_KEY"])
        g.csrf_token = _of_tokens(keys).dumps(session[TOKEN])
    return str(g.csrf_token)


@lru_cache(8)
def _of_cookies(keys: tuple[str, ...]) -> Signer:
    of = SecureCookieSessionInterface
    kind = {"key_derivation": of.key_derivation, "digest_method": of.digest_method}
    return Signer(keys, salt=of.salt, serializer=of.serializer, signer_kwargs=kind)


@lru_cache(8)
def _of_tokens(keys: tuple[str, ...]) -> Signer:
    return Signer(keys, salt="wtf-csrf-token")
