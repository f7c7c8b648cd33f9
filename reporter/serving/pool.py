"""Threads for pages, apart from those of the web server, which take requests in: whoever asks
whether the process lives is answered there and waits for no page, however many come at once."""

from __future__ import annotations

import threading
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol

import structlog

from reporter.database import at_work
from reporter.logs import Refusals

# So many threads that have no page are kept for the next ones.
KEPT = 16

# To those who send a form when there is no thread left that could wait for it.
WORDS = (
    b"Too many requests at once. Wait a moment and send it again.\n"
    b"Demasiadas peticiones a la vez. Espere un momento y env\xc3\xadelo otra vez.\n"
)
HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(WORDS))),
    ("Cache-Control", "no-store"),
    ("Retry-After", "5"),
]

log = structlog.get_logger("reporter.web")


class Answers(Protocol):
    """Granian's, of one request: an answer may be given at any time, and by any thread."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Once: what comes after it is ignored."""


Request = tuple[Answers, dict[str, Any]]
Answer = Callable[[Answers, dict[str, Any]], object]


class Pool:
    """As *answer*, which granian calls in a thread of its own for each request.

    Pages come in one after the other, in their order, as there are places at work
    (`database.at_work`): hundreds of threads that all begin want the interpreter, and each of them
    wakes up again and again while it has not got it. One that is only asked for waits without a
    thread, and is answered in one of *most* here. One that is sent keeps the thread that it came
    in, and sleeps, as granian lets go of its body once that is given back; *most_sent* at a time.
    """

    def __init__(self, answer: Answer, most: int, most_sent: int) -> None:
        self._answer = answer
        self._refusals = Refusals()
        self._lock = threading.Lock()
        # Whoever asks for the sign of life by the thousand wants the interpreter once at a time.
        self._watched = threading.Lock()
        # Since when each of those waits that are not in, and what has the first of them come in.
        self._waiting: deque[tuple[float, Callable[[], object]]] = deque()
        self._may_be_sent = most_sent
        self._may_begin = most
        self._idle = 0  # less than none: the first of those who wait has not got a thread
        self._asked: SimpleQueue[Request] = SimpleQueue()
        self._begin()

    def __call__(self, answers: Answers, environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            self._sent(answers, environ)
        elif at_work.is_answered_at_once(environ):
            with self._watched:
                self._serve(answers, environ)
        else:
            with self._lock:
                self._wait(partial(self._ask, (answers, environ)))

    def _sent(self, answers: Answers, environ: dict[str, Any]) -> None:
        my_turn = threading.Lock()
        my_turn.acquire()
        with self._lock:
            has_thread = self._may_be_sent > 0
            if has_thread:
                self._may_be_sent -= 1
                self._wait(my_turn.release)
        if not has_thread:
            self._refusals.tell("too many sent at once")
            answers.response_bytes(503, HEADERS, WORDS)
            return
        my_turn.acquire()
        self._come_in_and_serve(answers, environ)
        with self._lock:
            self._may_be_sent += 1

    def _wait(self, call: Callable[[], object]) -> None:
        self._waiting.append((time.monotonic(), call))
        if len(self._waiting) == 1:
            call()

    def _come_in_and_serve(self, answers: Answers, environ: dict[str, Any]) -> None:
        """By the first of those who wait."""
        at_work.come(time.monotonic() - self._waiting[0][0])
        with self._lock:
            self._waiting.popleft()
            if self._waiting:
                self._waiting[0][1]()
        try:
            self._serve(answers, environ)
        finally:
            at_work.leave()  # where no page was asked, which does so itself

    def _serve(self, answers: Answers, environ: dict[str, Any]) -> None:
        try:
            self._answer(answers, environ)
        except BaseException as error:  # as granian does, for whom a thread has one request alone
            log.error("not answered", error=type(error).__name__)
            answers.response_bytes(500, [], b"")

    def _ask(self, request: Request) -> None:
        """Have a thread here serve it, or the next one that is free."""
        self._asked.put(request)
        self._idle -= 1
        if self._idle < 0 and self._may_begin:
            with suppress(RuntimeError):  # there is none to be had: another becomes free
                self._begin()

    def _begin(self) -> None:
        start_new_thread(self._work, ())
        self._may_begin -= 1
        self._idle += 1

    def _work(self) -> None:
        while True:
            self._come_in_and_serve(*self._asked.get())
            with self._lock:
                if self._idle >= KEPT:
                    self._may_begin += 1
                    return
                self._idle += 1
