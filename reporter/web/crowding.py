"""A client's share of this process's threads: whoever sends slowly takes one for as long as they
like, and a few of them together shall not have all.

A share shrinks as the room fills. The first client may have 256 requests under way, the next 85, 28
and 10, and whoever comes then as many as a browser opens; so twenty of them, who do what they can,
leave some forty threads, where a request that is sent at once is answered in milliseconds.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from flask import Flask

from reporter.formats.networks import network_of
from reporter.web import bounds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger("reporter.web")

WORDS = (
    b"Too many requests at once from your network. Wait a moment and try again.\n"
    b"Demasiadas peticiones a la vez desde su red. Espere un momento y vuelva a intentarlo.\n"
)
HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(WORDS))),
    ("Cache-Control", "no-store"),
    ("Retry-After", "5"),
]


class Crowding:
    """WSGI middleware, outside of everything: nothing of a request over the bound is read.

    *named* gives what a client is called in the log.
    """

    def __init__(self, app: WSGIApplication, named: Callable[[str], str]) -> None:
        self.app = app
        self.named = named
        self.lock = threading.Lock()
        self.under_way: Counter[str] = Counter()
        self.of_all = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = network_of(environ.get("REMOTE_ADDR") or "")
        with self.lock:
            is_let_in = self.under_way[client] < self.share(client)
            if is_let_in:
                self.under_way[client] += 1
                self.of_all += 1
        if not is_let_in:
            log.warning("refused", reason="too many at once", client=self.named(client))
            start_response("429 Too Many Requests", HEADERS)
            return [WORDS]
        try:
            return self.app(environ, start_response)
        finally:
            with self.lock:
                self.of_all -= 1
                self.under_way[client] -= 1
                if not self.under_way[client]:
                    del self.under_way[client]

    def share(self, client: str) -> int:
        """How many it may have under way, with what the others have now."""
        left = bounds.UNDER_WAY - (self.of_all - self.under_way[client])
        return max(bounds.UNDER_WAY_AT_LEAST, left * 2 // 3)


def keep_room(app: Flask) -> None:
    """Have *app* share its threads out among its clients."""

    def named(client: str) -> str:
        with app.app_context():
            return bounds.client_hash(datetime.now(UTC), client)

    app.wsgi_app = Crowding(app.wsgi_app, named)  # type: ignore[method-assign]
