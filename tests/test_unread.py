"""Long answers, which are given out as they are read: what they hold meanwhile, and give back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from reporter.web import bounds
from reporter.web.crowding import Crowding
from reporter.web.piecewise import IN_MEMORY, PIECE, Piecewise, unread

LENGTHS = [0, 1, PIECE, PIECE + 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY]


class Answer(list[bytes]):
    """As Flask gives one: closed once it was taken."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


class Server:
    def __init__(self, content: bytes) -> None:
        self.answer = Answer([content])
        self.begun: list[str] = []
        pages = Piecewise(self._pages, limited=True, least_free=1)
        self.doors = Crowding(pages, str)

    def _pages(self, _environ: Any, start: Any) -> Answer:
        start("200 OK", [])
        return self.answer

    def ask(self) -> Any:
        environ: Any = {"REMOTE_ADDR": "192.0.2.7", "wsgi.input": None}
        return self.doors(environ, lambda status, _headers: self.begun.append(status))  # type: ignore[arg-type]

    def held(self) -> tuple[int, int]:
        """Threads and bytes."""
        assert self.doors.of_all == self.doors.under_way.total()
        assert unread.held == unread.held_of.total()
        return self.doors.of_all, unread.held


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert (unread.held, unread.held_of) == (0, {})


@pytest.mark.parametrize("length", LENGTHS)
def test_an_answer_of_any_length_comes_whole(length: int) -> None:
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    server = Server(content)
    pieces = list(server.ask())
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= PIECE
    assert (server.begun, server.answer.closed, server.held()) == (["200 OK"], 1, (0, 0))


def test_a_short_one_is_the_servers_at_once_and_holds_nobody() -> None:
    server = Server(b"x" * PIECE)
    assert isinstance(server.ask(), list)  # which the server takes whole, and ends the thread
    assert server.held() == (0, 0)


@pytest.mark.parametrize("length", LENGTHS[3:])
@pytest.mark.parametrize("end", ["read", "closed", "closed unread", "forgotten"])
def test_whoever_reads_slowly_is_under_way_until_the_end_however_that_comes(
    length: int, end: str
) -> None:
    server = Server(b"x" * length)
    answer = server.ask()
    reading = iter(answer)
    assert server.answer.closed == 1  # nothing of the application waits for a reader
    if end != "closed unread":
        assert len(next(reading)) == PIECE
    assert server.held() == (1, length)
    if end == "read":
        assert sum(map(len, reading)) == length - PIECE
    elif end != "forgotten":
        answer.close()
        answer.close()
    del answer, reading
    assert server.held() == (0, 0)


def test_one_that_is_forgotten_while_somebody_is_counted_stops_nobody() -> None:
    """Garbage is looked for at any moment, by whoever makes something: in the middle of it too."""
    server = Server(b"x" * IN_MEMORY)
    answers = [server.ask()]

    def count() -> None:
        with server.doors.lock, unread._lock:
            answers.clear()

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    counting.join(10)
    assert not counting.is_alive()
    assert server.held() == (0, 0)


def test_many_of_one_client_are_refused_before_they_fill_the_memory() -> None:
    server = Server(b"x" * IN_MEMORY)
    answers = [server.ask() for _ in range(bounds.UNDER_WAY)]
    assert server.held()[0] == bounds.UNDER_WAY * 2 // 3
    assert server.begun.count("429 Too Many Requests") == bounds.UNDER_WAY // 3
    for answer in answers:
        getattr(answer, "close", list)()


@pytest.mark.parametrize("trouble", ["no room", "no file"])
def test_a_disk_without_room_refuses_nothing(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(free=0, total=0 if trouble == "no file" else 10**12)

    def no_file() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)
    monkeypatch.setattr("tempfile.TemporaryFile", no_file)
    server = Server(b"x" * 3 * IN_MEMORY)
    assert sum(map(len, server.ask())) == 3 * IN_MEMORY


def test_what_fails_is_not_under_way() -> None:
    def broken(_environ: object, _start: object) -> list[bytes]:
        raise LookupError

    doors = Crowding(broken, str)  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        doors({"REMOTE_ADDR": "192.0.2.7"}, lambda *_: None)  # type: ignore[arg-type,return-value]
    assert doors.of_all == doors.under_way.total() == 0
