"""How long a page waits for a database that says nothing, and what the pages after it are told.

Whoever presses a button reads within seconds that it is not their fault, with all that was typed;
and a database that hangs holds few of the server's threads, so that who watches is answered. A
worker and a command have nobody who waits before them: they are patient, and refused nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reporter.database import at_work
from reporter.database.gate import Gate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What one page waits for answers, all of them together. Those that come at once are not counted.
PAGE_SECONDS = 4.0
AT_ONCE_SECONDS = 0.1
# What one answer is waited for at least, also by a page that has waited for many others.
LEAST_SECONDS = 1.0
# So many pages of a process are in the database at once, two fewer than it has connections. The
# others stand at the gate, where they cost nothing: threads that wake up together hold up all.
GATE = 22
# So many stand there for one that has answered nobody for CROWD_SECONDS; of threads there are twice
# as many (`serving.server.THREADS`).
CROWD = 256
CROWD_SECONDS = 1.0
ASK_SECONDS = 0.5  # before it is asked again


log = structlog.get_logger(__name__)


class NotAnswering(OperationalError):
    """The database does not answer, and is not waited for."""

    def __init__(self) -> None:
        super().__init__("", None, TimeoutError("the database does not answer"))


@dataclass
class Patience:
    """Of one page."""

    left: float
    thread: int = field(default_factory=threading.get_ident)


_page: ContextVar[Patience | None] = ContextVar("page", default=None)


@contextmanager
def of_a_page() -> Iterator[None]:
    """Within it little is waited for."""
    page = Patience(PAGE_SECONDS)
    before = _page.set(page)
    try:
        yield
    finally:
        _page.reset(before)


def of_pages(app: WSGIApplication) -> WSGIApplication:
    """WSGI middleware: each request is a page, until its answer begins."""

    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with of_a_page():
            return app(environ, start_response)

    return page


def is_a_page() -> bool:
    return _page.get() is not None


def limit(seconds: float) -> float:
    """How long to wait for one answer: *seconds* at most, and a page about what it has left."""
    page = _page.get()
    return seconds if page is None else min(seconds, max(page.left, LEAST_SECONDS))


def spend(seconds: float) -> None:
    """Count what was waited."""
    page = _page.get()
    if page and seconds > AT_ONCE_SECONDS:
        page.left -= seconds


class Breaker:
    """What is known of a database that may not answer.

    Once it is `open` pages are refused at once, while a thread asks the database again and again;
    its first answer closes it.
    """

    def __init__(self, ask: Callable[[], None], wait_seconds: float) -> None:
        self._ask = ask  # raises any Exception when there is no answer
        self._wait_seconds = wait_seconds  # at the gate
        self._gate = Gate(GATE)
        self._lock = threading.Lock()
        self._here = 0  # at the gate, or behind it
        self._moved_at = 0.0
        self._opened_by: int | None = None

    @property
    def is_open(self) -> bool:
        """In the process that has opened it: the thread that asks is in none that was forked."""
        return self._opened_by == os.getpid()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Around all that a page does with the database. Raises NotAnswering."""
        page = _page.get()
        self.check()
        if page is None or page.thread != threading.get_ident():  # none's, or a glance
            yield
            return
        with at_work.aside():  # and those who wake up together are told one after the other
            yield from self._let_in()

    def _let_in(self) -> Iterator[None]:
        self._come()
        try:
            if not self._gate.acquire(timeout=self._wait_seconds):
                raise NotAnswering
            try:
                self.check()
                yield
            finally:
                self._gate.release()
        except (OperationalError, PoolTimeout):
            raise
        except BaseException:  # an answer too, which the page did not like
            self._moved_at = time.monotonic()
            raise
        else:
            self._moved_at = time.monotonic()
        finally:
            with self._lock:
                self._here -= 1

    def _come(self) -> None:
        with self._lock:
            if not self._here:
                self._moved_at = time.monotonic()
            elif self._here >= CROWD and self.silent_seconds > CROWD_SECONDS:
                raise NotAnswering
            self._here += 1

    @property
    def silent_seconds(self) -> float:
        """Since when nobody of those here was answered."""
        return time.monotonic() - self._moved_at

    def check(self) -> None:
        """Raises NotAnswering for a page while it is open."""
        if self.is_open and is_a_page():
            raise NotAnswering

    def open(self) -> None:
        """It did not answer."""
        with self._lock:
            if self.is_open:
                return
            self._opened_by = os.getpid()
            try:
                threading.Thread(target=self._until_it_answers, name="asking", daemon=True).start()
            except RuntimeError:  # there is no thread to be had: the next one may have more luck
                self._opened_by = None
        with suppress(OSError, ValueError):  # of a log that is gone
            log.error("the database does not answer")

    def close(self) -> None:
        """It answers."""
        self._opened_by = None

    def _until_it_answers(self) -> None:
        while self.is_open:
            try:
                self._ask()
            except Exception:  # whatever it says, it is asked again
                time.sleep(ASK_SECONDS)
            else:
                self.close()
                log.info("the database answers again")
