"""Secret and plain URLs, and the keys derived for what is signed.

Each purpose has a key of its own, derived from SECRET_KEY, so that a value made for one can
never pass for another. SECRET_KEY signs; SECRET_KEY_FALLBACKS verify too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.routing import Map, Rule

TOKEN_BYTES = 20  # 160 bits
REPLACEMENTS = 20  # of the link of one receipt


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
    return _sign(current_app.config["SECRET_KEY"], purpose, value)


def signatures(purpose: str, value: str) -> list[bytes]:
    """As `sign`, then as with each former key: what was written down under one is found again."""
    return [_sign(key, purpose, value) for key in signing_keys()]


def _sign(key: str, purpose: str, value: str) -> bytes:
    derived = hmac.digest(key.encode(), f"reporter:{purpose}".encode(), "sha256")
    return hmac.digest(derived, value.encode(), "sha256")


def receipt_token(draft_id: str, kept_hash: str | None = None) -> str:
    """The receipt's token, which is derived from the draft: sending twice gives the same one.

    With *kept_hash*, what the database keeps of it: also after SECRET_KEY was changed, or the
    customer has replaced the link.
    """
    return _kept("receipt", draft_id, kept_hash)[0]


def replaced_receipt_token(draft_id: str, kept_hash: str) -> str | None:
    """The one after it, for a link that came into wrong hands; None after REPLACEMENTS of them."""
    number = _kept("receipt", draft_id, kept_hash)[1] + 1
    if number > REPLACEMENTS:
        return None
    return _token(signing_keys()[0], "receipt", draft_id, number)


def follower_token(key: str, contact: str, kept_hash: str | None = None) -> str:
    """The token of the page of somebody who follows the known incident *key*."""
    return _kept("follower", f"{key} {contact.casefold()}", kept_hash)[0]


def follower_hashes(key: str, contact: str) -> list[str]:
    """What may be kept of that token: made with the key that signs, or with a former one."""
    name = f"{key} {contact.casefold()}"
    return [hash_token(_token(each, "follower", name, 0)) for each in signing_keys()]


def _kept(purpose: str, name: str, kept_hash: str | None) -> tuple[str, int]:
    """The token whose hash is kept, and its number; the first of all where there is none."""
    first = _token(signing_keys()[0], purpose, name, 0), 0
    if kept_hash is None:
        return first
    for number in range(REPLACEMENTS + 1):
        for key in signing_keys():
            token = _token(key, purpose, name, number)
            if hash_token(token) == kept_hash:
                return token, number
    return first


def _token(key: str, purpose: str, name: str, number: int) -> str:
    digest = _sign(key, purpose, f"{name} {number}" if number else name)[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# The pages that mails and commands lead to, by endpoint. Whoever sends mails serves no page.
ADDRESSES = {
    "desk.report": "/desk/<reference>",
    "desk_notices.new": "/desk/notices/new",
    "desk_notices.notice": "/desk/notices/<key>",
    "notices.atom_feed": "/notices.atom",
    "notices.follower": "/notices/f/<token>",
    "notices.notice": "/notices/<key>",
    "notices.stop": "/notices/f/<token>/stop",
    "reports.receipt": "/r/<token>",
    "staff.welcome": "/desk/welcome/<token>",
}
ROUTES = Map([Rule(rule, endpoint=endpoint) for endpoint, rule in ADDRESSES.items()])


def signing_keys() -> list[str]:
    """The one that signs, then those that only verify, newest first."""
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def absolute(path: str) -> str:
    """The full URL of *path* under BASE_URL, never under the Host header of a request."""
    base: str = current_app.config["BASE_URL"]
    return base.rstrip("/") + path


def full_url(endpoint: str, **values: Any) -> str:
    """The full URL of a view under BASE_URL, also outside a request, and where no view is loaded.

    Only of those in ADDRESSES.
    """
    return absolute(ROUTES.bind("").build(endpoint, values))


def desk_url(reference: str) -> str:
    """Where support handles a report: a plain address, which opens nothing without signing in."""
    return full_url("desk.report", reference=reference)


def notice_desk_url(key: str) -> str:
    """Where support tells more of a known incident, and closes it."""
    return full_url("desk_notices.notice", key=key)


def new_notice_url(service: str, since: datetime) -> str:
    """Where support opens a known incident, filled in."""
    moment = f"{since.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    return full_url("desk_notices.new", service=service, since=moment)


def seal(purpose: str, value: Any) -> str:
    """*value* (of JSON's types) as a signed and dated token that anybody can read."""
    return str(_serializer(purpose).dumps(value))


def unseal(purpose: str, token: str, max_age: timedelta) -> Any:
    """What was sealed for this purpose; None when it is forged, of another purpose or expired."""
    try:
        return _serializer(purpose).loads(token, max_age=int(max_age.total_seconds()))
    except BadData:
        return None


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        signing_keys()[::-1],  # the last one signs
        salt=f"reporter:{purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
