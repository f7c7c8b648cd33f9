"""Which request has a thread of the web server, which waits without one, and in which order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from waiting import until

from reporter.database import at_work
from reporter.database.gate import Gate
from reporter.serving.pool import KEPT, Pool

MOST = 3


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """More places at work than threads, but where a test says otherwise."""
    line = Gate(2 * MOST)
    monkeypatch.setattr(at_work, "_line", line)
    monkeypatch.setattr(at_work, "LINE_SECONDS", 600.0)
    return line


class Server:
    """Granian's part: a thread for each request; and requests that are answered when they may."""

    def __init__(self, most: int = MOST) -> None:
        self.at_work: SimpleQueue[str] = SimpleQueue()
        self.may_end = threading.Semaphore(0)
        self.answered: SimpleQueue[str | int] = SimpleQueue()
        self.threads_of_pages: set[int] = set()
        self.pool = Pool(self.answer, most, most)
        self.threads: list[threading.Thread] = []

    def ask(self, path: str, method: str = "GET", **headers: str) -> threading.Thread:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **headers}
        thread = threading.Thread(target=self.pool, args=(self, environ))
        self.threads.append(thread)
        thread.start()
        return thread

    def answer(self, _: object, environ: dict[str, Any]) -> None:
        path = environ["PATH_INFO"]
        if path == "/broken":
            raise SystemExit
        if path != "/healthz":
            self.threads_of_pages.add(threading.get_ident())
            self.at_work.put(path)
            assert self.may_end.acquire(timeout=20)
        self.answered.put(path)

    def response_bytes(self, status: int, *_: object) -> None:
        self.answered.put(status)

    def is_at_work(self) -> str:
        return self.at_work.get(timeout=20)

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
        waiting(server, f"/{number}")
        assert server.is_at_work() == f"/{number}"


def waiting(server: Server, path: str) -> None:
    """The server's thread is given back at once, though it is not answered."""
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


def test_thousands_who_watch_want_the_interpreter_one_at_a_time() -> None:
    now, most = 0, 0
    others_came = threading.Barrier(4)

    def answer(_: object, _environ: dict[str, Any]) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0)  # for as long as somebody else wants to come in
        now -= 1

    pool = Pool(answer, MOST, MOST)

    def watch() -> None:
        others_came.wait(20)
        for _ in range(200):
            pool(None, {"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"})  # type: ignore[arg-type]

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (now, most) == (0, 1)


@pytest.mark.parametrize(
    ("method", "headers"), [("HEAD", {}), ("GET", {"HTTP_X_REPORTER_CHECK": "x"})]
)
def test_who_asks_for_the_same_in_a_way_that_costs_more_waits_as_a_page_does(
    server: Server, method: str, headers: dict[str, str]
) -> None:
    """Which anybody can, as often as they like."""
    full(server)
    server.ask("/healthz", method, **headers).join(20)
    assert server.answered.empty()
    server.may_end.release()
    answered = {server.answered.get(timeout=20) for _ in range(2)}
    assert "/healthz" in answered


def test_who_comes_in_is_told_how_long_it_has_waited_for_those_before(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it stands in line for as much less, and goes in after that all the same."""
    now, told = 100.0, []
    came, may_come_in = threading.Semaphore(0), threading.Semaphore(0)

    def come(after_seconds: float = 0.0) -> None:
        told.append(after_seconds)
        came.release()
        assert may_come_in.acquire(timeout=20)

    monkeypatch.setattr(at_work, "come", come)
    monkeypatch.setattr("reporter.serving.pool.time", SimpleNamespace(monotonic=lambda: now))
    waiting(server, "/first")
    assert came.acquire(timeout=20)
    now = 102.0
    waiting(server, "/second")
    now = 109.0
    may_come_in.release(2)
    assert came.acquire(timeout=20)
    assert told == [0.0, 7.0]


def test_those_that_wait_for_a_thread_are_answered_in_their_order(server: Server) -> None:
    full(server)
    later = [f"/later/{number}" for number in range(5)]
    for path in later:
        waiting(server, path)
    for path in later:
        server.may_end.release()
        assert server.is_at_work() == path
    for _ in range(MOST):
        server.may_end.release()
    answered = [server.answered.get(timeout=20) for _ in range(MOST + len(later))]
    assert sorted(map(str, answered)) == sorted([*(f"/{n}" for n in range(MOST)), *later])


def test_no_thread_begins_for_a_page_that_has_no_place_at_work(server: Server, line: Gate) -> None:
    """Whether it is asked for or sent, they come in in their order, one for each place."""
    for _ in range(2 * MOST - 1):
        assert line.acquire(timeout=20)
    server.ask("/first")
    assert server.is_at_work() == "/first"
    order = ["/asked/1", "/sent/1", "/asked/2", "/sent/2"]
    for path in order:
        server.ask(path, "POST" if path.startswith("/sent") else "GET")
        until(lambda path=path: len(server.pool._waiting) > order.index(path))
    assert server.at_work.empty()
    assert len(line._waiting) <= 1  # no more than one stands there
    for path in order:
        server.may_end.release()
        assert server.is_at_work() == path
    server.end()


def test_what_is_sent_keeps_its_thread_as_its_body_goes_with_it(server: Server) -> None:
    thread = server.ask("/sent", "POST")
    assert server.is_at_work() == "/sent"
    assert server.threads_of_pages == {thread.ident}
    assert thread.is_alive()
    waiting(server, "/asked")
    assert server.is_at_work() == "/asked"
    assert len(server.threads_of_pages) == 2


def test_what_is_sent_when_no_thread_can_wait_is_refused_and_stops_nobody(server: Server) -> None:
    sent = [server.ask(f"/sent/{number}", "POST") for number in range(MOST)]
    for _ in sent:
        server.is_at_work()
    server.ask("/sent/too", "POST").join(20)
    assert server.answered.get_nowait() == 503
    server.ask("/healthz").join(20)
    assert server.answered.get_nowait() == "/healthz"
    waiting(server, "/asked")
    assert server.is_at_work() == "/asked"
    for _ in range(MOST + 1):
        server.may_end.release()
        server.answered.get(timeout=20)
    for thread in sent:  # theirs are free once they are gone
        thread.join(20)
    server.ask("/sent/again", "POST")
    assert server.is_at_work() == "/sent/again"


def test_what_is_not_answered_is_an_error_and_frees_its_thread_and_place(
    server: Server, line: Gate
) -> None:
    for method in ("GET", "POST"):
        for _ in range(2 * MOST):
            server.ask("/broken", method).join(20)
            assert server.answered.get(timeout=20) == 500
    full(server)
    waiting(server, "/broken")
    waiting(server, "/later")
    server.may_end.release()
    assert server.is_at_work() == "/later"
    assert line._free == MOST


def test_a_page_that_has_come_in_stands_in_no_line_again(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Gate(1)
    monkeypatch.setattr(at_work, "_line", line)
    told: SimpleQueue[str] = SimpleQueue()
    app = at_work.in_line(lambda environ, _: told.put(environ["PATH_INFO"]) or [])  # type: ignore[func-returns-value]
    pool = Pool(lambda _, environ: app(environ, None), 1, 1)  # type: ignore[arg-type]
    for method in ("GET", "POST", "GET"):
        pool(None, {"PATH_INFO": f"/{method}", "REQUEST_METHOD": method})  # type: ignore[arg-type]
        assert told.get(timeout=5) == f"/{method}"
    assert line.acquire(timeout=5)


def test_threads_that_a_crowd_needed_end_with_it() -> None:
    most = 2 * KEPT
    line = Gate(most)
    server = Server(most)
    at_work._line = line  # the fixture of the test takes it back
    for number in range(most):
        server.ask(f"/{number}")
        server.is_at_work()
    assert server.pool._may_begin == 0
    server.end()
    while server.pool._may_begin + KEPT != most:
        pass
    assert server.pool._idle == KEPT
