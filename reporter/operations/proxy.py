"""What the service makes of a request that came through the reverse proxy, told to `check` alone.

`check` asks /healthz through BASE_URL with forged headers and a word that only this service can
have signed; without it nothing more is told than that the process answers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app, request

from reporter.links import seal, unseal
from reporter.staff import sign_on

HEADER = "X-Reporter-Check"
PURPOSE = "check"
VALID_FOR = timedelta(minutes=1)
# For documentation (RFC 5737): nobody comes from there.
FORGED_CLIENT = "203.0.113.99"
FORGED_NAME = "nobody@check.invalid"


def probe_headers(staff_header: str) -> dict[str, str]:
    """What `check` sends: its proof, and what a stranger might forge."""
    headers = {HEADER: seal(PURPOSE, "probe"), "X-Forwarded-For": FORGED_CLIENT}
    if staff_header:  # to a WSGI application both are the same header
        headers |= dict.fromkeys((staff_header, staff_header.replace("-", "_")), FORGED_NAME)
    return headers


def answer_probe() -> dict[str, Any]:
    """How this request looks from here; nothing for anybody but `check`."""
    if unseal(PURPOSE, request.headers.get(HEADER, ""), VALID_FOR) != "probe":
        return {}
    peer = sign_on.peer()
    staff_header: str = current_app.config["STAFF_HEADER"]
    return {
        "client_is_forged": request.remote_addr == FORGED_CLIENT,
        "client_is_peer": request.remote_addr == peer,
        "forwarded": request.headers.get("X-Forwarded-For", ""),
        "scheme": request.scheme,
        "host": request.host,
        "staff_is_forged": bool(staff_header)
        and FORGED_NAME in request.headers.get(staff_header, "")
        and sign_on.is_believed(peer, current_app.config["STAFF_HEADER_FROM"]),
    }
