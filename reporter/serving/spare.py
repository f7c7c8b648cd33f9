"""Threads of the web server that nobody keeps for long, whoever waits for a database that hangs or
sends slowly: so there is one for whoever asks whether the process lives."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from reporter.database.at_work import AT_ONCE

log = structlog.get_logger("reporter.web")


class Answers(Protocol):
    """Granian's, of one request: an answer may be given at any time, and by any thread."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Once: what comes after it is ignored."""


Request = tuple[Answers, dict[str, Any]]
Answer = Callable[[Answers, dict[str, Any]], object]


class Spare:
    """As *answer*, which granian calls in a thread of its own for each request, for *most* of them
    at a time. The others wait without a thread, in the order in which they came."""

    def __init__(self, answer: Answer, most: int) -> None:
        self._answer = answer
        self._free = most
        self._lock = threading.Lock()
        self._waiting: deque[Request] = deque()

    def __call__(self, answers: Answers, environ: dict[str, Any]) -> None:
        if environ["PATH_INFO"] == AT_ONCE:
            self._answer(answers, environ)
            return
        with self._lock:
            if not self._free:
                self._waiting.append((answers, environ))
                return
            self._free -= 1
        request: Request | None = (answers, environ)
        while request:
            self._serve(*request)
            request = self._next()

    def _serve(self, answers: Answers, environ: dict[str, Any]) -> None:
        try:
            self._answer(answers, environ)
        except BaseException as error:  # as granian does, for whom a thread has one request alone
            log.error("not answered", error=type(error).__name__)
            answers.response_bytes(500, [], b"")

    def _next(self) -> Request | None:
        """Of those that wait; without one the thread is granian's again."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free += 1
            return None
