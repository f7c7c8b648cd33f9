"""One client has so many requests under way in this process, and no more: whoever sends slowly
takes a thread for as long as they like, and shall not have all of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

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
    """WSGI middleware, outside of everything: nothing of a request over the bound is read."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.under_way: Counter[str] = Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = network_of(environ.get("REMOTE_ADDR") or "")
        with self.lock:
            is_one_too_many = self.under_way[client] >= bounds.UNDER_WAY
            if not is_one_too_many:
                self.under_way[client] += 1
        if is_one_too_many:
            log.warning("refused", reason="too many at once")
            start_response("429 Too Many Requests", HEADERS)
            return [WORDS]
        try:
            return self.app(environ, start_response)
        finally:
            with self.lock:
                self.under_way[client] -= 1
                if not self.under_way[client]:
                    del self.under_way[client]
