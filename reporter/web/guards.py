"""What stands before and behind every page, bare; whoever serves none does not load it."""

from __future__ import annotations

from hashlib import sha256

from flask import current_app, request
from flask_compress import Compress
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect

from reporter.formats.networks import network_of

NOWHERE = "nowhere"
RECEIPTS = 1024  # of a client, that are told apart


def asker() -> str:
    """Whose requests are counted together: one client's for one route, by method; and all of them
    that lead nowhere, whatever their path and method.

    A receipt that looks how it stands is counted by itself: a whole company's ask from one address.
    As by one of RECEIPTS numbers, so that paths that somebody makes up are not as many to remember.
    """
    who = network_of(request.remote_addr or "")
    if request.endpoint == "reports.status":
        number = int.from_bytes(sha256(request.path.encode()).digest()[:8]) % RECEIPTS
        who = f"{who} {number}"
    return who if asked() == NOWHERE else f"{who} {request.method} {request.endpoint}"


def asked() -> str:
    """The route; the limiter looks at nothing that has no name. Files of pages have no limit, but
    those that there are none of."""
    found, named = request.endpoint or NOWHERE, request.view_args or {}
    if found == "static":
        is_there = named.get("filename") in current_app.extensions["assets"]
    else:
        is_there = found != "trouble" or named.get("language") in current_app.config["LANGUAGES"]
    return found if is_there else NOWHERE


csrf = CSRFProtect()
compress = Compress()
limiter = Limiter(key_func=asker, request_identifier=asked, swallow_errors=True)
