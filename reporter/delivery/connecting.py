"""Connecting to a host within a time, whatever DNS and the first of its addresses do."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any


class RelayTooSlow(smtplib.SMTPServerDisconnected):
    """The relay was not done in time."""


def connect(
    host: str, port: int, left_seconds: Callable[[], float], patience_seconds: float
) -> socket.socket:
    """Connect to one address after another, each with its part of half of the time that is left.

    Raises OSError: that of the last one.
    """
    addresses = _look_up(host, port, min(left_seconds(), patience_seconds))
    connect_by = time.monotonic() + left_seconds() / 2
    last: OSError = OSError("no address")
    for number, (family, kind, protocol, _name, address) in enumerate(addresses):
        part = (connect_by - time.monotonic()) / (len(addresses) - number)
        try:
            left = left_seconds()
            found = socket.socket(family, kind, protocol)
        except RelayTooSlow:
            raise
        except OSError as error:  # of a family that this machine has not
            last = error
            continue
        try:
            found.settimeout(max(0.05, min(part, left, patience_seconds)))
            found.connect(address)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            found.close()
            last = error
        else:
            return found
    raise last


def _look_up(host: str, port: int, seconds: float) -> list[Any]:
    """The host's addresses. It has its own thread, as nothing else ends a look-up in time."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)
        except UnicodeError:  # a name that DNS cannot hold
            found.append(OSError(f"no host can be called {host!r}"))

    thread = threading.Thread(target=look_up, name="look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise TimeoutError("looking up the relay's address took too long")
    if isinstance(found[0], OSError):
        raise found[0]
    return list(found[0])
