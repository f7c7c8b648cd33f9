"""Which request has a thread of the web server, which waits without one, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from reporter.serving.spare import Spare

MOST = 3


class Server:
    """Granian's part: a thread for each request; and requests that are answered when they may."""

    def __init__(self) -> None:
        self.at_work: SimpleQueue[str] = SimpleQueue()
        self.may_end = threading.Semaphore(0)
        self.answered: SimpleQueue[str | int] = SimpleQueue()
        self.spare = Spare(self.answer, MOST)
        self.threads: list[threading.Thread] = []

    def ask(self, path: str) -> threading.Thread:
        thread = threading.Thread(target=self.spare, args=(self, {"PATH_INFO": path}))
        self.threads.append(thread)
        thread.start()
        return thread

    def answer(self, _: object, environ: dict[str, Any]) -> None:
        path = environ["PATH_INFO"]
        if path == "/broken":
            raise SystemExit
        if path != "/healthz":
            self.at_work.put(path)
            assert self.may_end.acquire(timeout=20)
        self.answered.put(path)

    def response_bytes(self, status: int, *_: object) -> None:
        self.answered.put(status)

    def end(self) -> None:
        for _ in range(100):
            self.may_end.release()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


def full(server: Server) -> None:
    for number in range(MOST):
        server.ask(f"/{number}")
        assert server.at_work.get(timeout=20) == f"/{number}"


def waiting(server: Server, path: str) -> None:
    """Its thread is given back at once, though it is not answered."""
    thread = server.ask(path)
    thread.join(20)
    assert not thread.is_alive()


def test_who_watches_is_answered_while_all_others_wait_and_nothing_frees_them(
    server: Server,
) -> None:
    full(server)
    for number in range(40):
        waiting(server, f"/later/{number}")
    server.ask("/healthz").join(20)
    assert server.answered.get_nowait() == "/healthz"
    assert server.answered.empty()
    assert server.at_work.empty()


def test_those_that_wait_are_answered_in_their_order(server: Server) -> None:
    full(server)
    later = [f"/later/{number}" for number in range(5)]
    for path in later:
        waiting(server, path)
    for path in later:
        server.may_end.release()
        assert server.at_work.get(timeout=20) == path
    server.end()
    answered = [server.answered.get_nowait() for _ in range(MOST + len(later))]
    assert sorted(map(str, answered)) == sorted([*(f"/{n}" for n in range(MOST)), *later])


def test_what_is_not_answered_is_an_error_and_frees_its_thread(server: Server) -> None:
    for _ in range(2 * MOST):
        server.ask("/broken")
        assert server.answered.get(timeout=20) == 500
    full(server)
    waiting(server, "/broken")
    waiting(server, "/later")
    server.may_end.release()
    assert server.at_work.get(timeout=20) == "/later"
