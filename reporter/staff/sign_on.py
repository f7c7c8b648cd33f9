"""Single sign-on: the address of somebody on the list, in a header of the reverse proxy.

Whoever can reach us without the proxy could write that header too, so it is believed only from
the addresses of STAFF_HEADER_FROM: those of the connection itself, whatever is forwarded.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from flask import current_app, request
from sqlalchemy.orm import Session

from reporter.staff import accounts
from reporter.staff.accounts import Member


def is_told() -> bool:
    """Whether the proxy names somebody."""
    return bool(_told())


def find(session: Session) -> Member | None:
    """Whom the proxy names, if they are on the list."""
    email = _told()
    row = accounts.by_email(session, email) if email else None
    return Member(row.id, row.name) if row and row.disabled_at is None else None


def _told() -> str:
    name: str = current_app.config["STAFF_HEADER"]
    if not name or not is_believed(peer(), current_app.config["STAFF_HEADER_FROM"]):
        return ""
    return request.headers.get(name, "").strip()


def peer() -> str:
    """The address of whom we are connected to, also where a proxy tells of another behind it."""
    before = request.environ.get("werkzeug.proxy_fix.orig") or request.environ
    return str(before.get("REMOTE_ADDR") or "")


def is_believed(address: str, networks: list[str]) -> bool:
    """Whether *address* is in one of *networks*."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ip_network(network, strict=False) for network in networks)
