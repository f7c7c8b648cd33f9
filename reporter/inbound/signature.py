"""How the helpdesk proves that it is it: a bearer's secret, or a signature of the body. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"


def is_proven(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """By `Authorization: Bearer`, or as Standard Webhooks has it (webhook-signature, v1)."""
    headers = {name.lower(): value for name, value in headers.items()}
    scheme, _space, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), secret.encode())
    return _is_signed(secret, headers, body, now)


def sign(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The signature of version 1, as in "v1,K5oZfz…" (standardwebhooks.com)."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode()


def _is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    expected = sign(secret, webhook_id, timestamp, body).encode()
    given = headers.get("webhook-signature", "").split()[:10]
    return any(hmac.compare_digest(each.encode(), expected) for each in given)


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
