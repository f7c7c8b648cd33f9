"""Who is on this very machine: for pages that are nobody else's."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import request

# What a proxy adds, as each names it (CF-Connecting-IP, X-Envoy-…, Surrogate-Capability), besides
# Via, Forwarded and what ends with -IP: behind one everybody seems to be on this machine.
OF_PROXIES = ("x-", "cf-", "cdn-", "fastly-", "surrogate-")
OF_WHO_WATCHES = "x-prometheus-"  # and no browser sends an X- of its own
# nginx speaks it to what is behind it, where nothing else is set, and who watches does not.
HTTP_1_0 = ("HTTP/1.0", "HTTP/1")


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
        and not any(_is_of_a_proxy(name.lower()) for name, _ in request.headers)
        and request.environ.get("SERVER_PROTOCOL") not in HTTP_1_0
    )


def _is_of_a_proxy(header: str) -> bool:
    known = header == "via" or "forward" in header or header.endswith("-ip")
    return known or (header.startswith(OF_PROXIES) and not header.startswith(OF_WHO_WATCHES))


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
