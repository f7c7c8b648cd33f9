"""A client's share of this process's threads: whoever sends slowly, or is slow to read a long
answer, takes one for as long as they like, and a few of them together shall not have all.

A share shrinks as the room fills. The first client may have 256 requests under way, the next 85, 28
and 10, and whoever comes then as many as a browser opens; so twenty of them, who do what they can,
leave some forty threads, where a request that is sent at once is answered in milliseconds.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from reporter.formats.networks import network_of
from reporter.logs import Refusals
from reporter.web import bounds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORDS = (
    b"Too many requests at once from your network. Wait a moment and try again.\n"
    b"Demasiadas peticiones a la vez desde su red. Espere un momento y vuelva a intentarlo.\n"
)
STATUS = "429 Too Many Requests"
HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(WORDS))),
    ("Cache-Control", "no-store"),
    ("Retry-After", "5"),
]


class Crowding:
    """WSGI middleware, outside of everything: nothing of a request over the bound is read.

    *tell* is told of a client that was refused.
    """

    def __init__(self, app: WSGIApplication, tell: Callable[[str], object]) -> None:
        self.app = app
        self.tell = tell
        self.lock = threading.RLock()  # what is forgotten leaves, also while we count
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
            self.tell(client)
            start_response(STATUS, HEADERS)
            return [WORDS]
        try:
            answer = self.app(environ, start_response)
        except BaseException:
            self._leave(client)
            raise
        if isinstance(answer, list):  # the server has all of it, and needs this thread no longer
            self._leave(client)
            return answer
        return BeingRead(answer, partial(self._leave, client))

    def _leave(self, client: str) -> None:
        with self.lock:
            self.of_all -= 1
            self.under_way[client] -= 1
            if not self.under_way[client]:
                del self.under_way[client]

    def share(self, client: str) -> int:
        """How many it may have under way, with what the others have now."""
        left = bounds.UNDER_WAY - (self.of_all - self.under_way[client])
        return max(bounds.UNDER_WAY_AT_LEAST, left * 2 // 3)


class BeingRead:
    """An answer that holds its thread as slowly as a client likes. The server closes it in any
    case, and not always before it forgets it."""

    def __init__(self, answer: Iterable[bytes], then: Callable[[], None]) -> None:
        self._answer, self._then = answer, [then]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer
        self.close()

    def close(self) -> None:
        if self._then:
            closes = getattr(self._answer, "close", None)
            self._then.pop()()
            if closes:
                closes()

    __del__ = close


def keep_room(app: Flask) -> None:
    """Have *app* share its threads out among its clients."""

    refusals = Refusals()

    def tell(client: str) -> None:
        with app.app_context():
            refusals.tell("too many at once", bounds.client_hash(datetime.now(UTC), client))

    app.wsgi_app = Crowding(app.wsgi_app, tell)  # type: ignore[method-assign]
