"""Who is on this very machine: for pages that are nobody else's."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import request

# What a proxy adds: behind one everybody seems to be on this machine.
FORWARDING = ("Forwarded", "Via", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP")


def is_from_this_machine() -> bool:
    """Whether the request comes from here, by no proxy, and for a name of this machine's own.

    A page elsewhere may have had its name point to loopback.
    """
    original = request.environ.get("werkzeug.proxy_fix.orig", {})
    peer = original.get("REMOTE_ADDR") or request.remote_addr or ""
    host = urlsplit(f"//{request.host}").hostname or ""
    return (
        is_loopback(peer)
        and (host == "localhost" or is_loopback(host))
        and not any(name in request.headers for name in FORWARDING)
        and not any(name.lower().startswith("x-forwarded-") for name, _ in request.headers)
    )


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
