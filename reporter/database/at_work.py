"""So many requests of a process are at work at once; the others stand in line, where they cost
nothing.

Threads that all want to compute take the interpreter from each other: when hundreds came at once,
who only asked whether the process lives waited for seconds. Whoever waits for a client's bytes, for
the database or for a turn lets somebody else in meanwhile; nobody comes back into the line with
anything in hand that another waits for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reporter.database.gate import Gate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AT_WORK = 2
# Who has stood in line for so long goes in all the same: what holds up those inside is not known.
LINE_SECONDS = 5.0
# Whoever watches is answered before all others, with what was said before. To ask in another way,
# or as `check` does, costs as much as any page, and anybody can.
AT_ONCE = "/healthz"
CHECK = "HTTP_X_REPORTER_CHECK"

_line = Gate(AT_WORK)
_of_thread = threading.local()


def in_line(app: WSGIApplication) -> WSGIApplication:
    """WSGI middleware: each request has a place while it is at work."""

    def at_work(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_answered_at_once(environ):
            return app(environ, start_response)
        if environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"] = Arriving(environ["wsgi.input"], environ["CONTENT_LENGTH"])
        if not is_in():
            come()
        try:
            return app(environ, start_response)
        finally:
            leave()

    return at_work


def is_answered_at_once(environ: WSGIEnvironment) -> bool:
    return (
        environ.get("PATH_INFO") == AT_ONCE
        and environ.get("REQUEST_METHOD") == "GET"
        and CHECK not in environ
    )


@contextmanager
def aside() -> Iterator[None]:
    """Around what waits for somebody else. Who is not in the line has nothing to give up."""
    was_at_work = leave()
    try:
        yield
    finally:
        if was_at_work:
            come()


class Arriving:
    """The body of a request, which arrives as slowly as a client likes."""

    def __init__(self, stream: Any, length: str) -> None:
        self._stream = stream
        self._left = int(length) if length.isdecimal() else 0
        self._was_at_work = False

    def read(self, size: int = -1) -> bytes:
        self._was_at_work = leave() or self._was_at_work
        content: bytes = self._stream.read(size)
        self._left -= len(content)
        if self._was_at_work and (self._left <= 0 or not content):
            self._was_at_work = False
            come()
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def is_in() -> bool:
    """Whether this thread is at work."""
    return getattr(_of_thread, "has_place", None) is not None


def come(after_seconds: float = 0.0) -> None:
    """Stand in line until there is a place, also for a request that has waited for so long."""
    _of_thread.has_place = _line.acquire(timeout=max(LINE_SECONDS - after_seconds, 0.0))


def leave() -> bool:
    """Give the place to another; whether this thread was at work."""
    has_place: bool | None = getattr(_of_thread, "has_place", None)
    if has_place:
        _line.release()
    _of_thread.has_place = None
    return has_place is not None
