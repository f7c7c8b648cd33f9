"""What stands before and behind every page, bare; whoever serves none does not load it."""

from __future__ import annotations

from hashlib import sha256

from flask import request
from flask_compress import Compress
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect

from reporter.formats.networks import network_of


def asker() -> str:
    """Whose requests are counted together: one client's for one route, by method.

    A receipt that looks how it stands is counted by itself: a whole company's ask from one address.
    """
    who = network_of(request.remote_addr or "")
    if request.endpoint == "reports.status":
        who = sha256(request.path.encode()).hexdigest()  # its path is a secret
    return f"{who} {request.method} {request.endpoint}"


csrf = CSRFProtect()
compress = Compress()
limiter = Limiter(key_func=asker, swallow_errors=True)
