"""Load over kept-alive connections on loopback: who was answered, with what, and how soon."""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

LIMIT_SECONDS = 60.0


@dataclass
class Answers:
    """`seconds` of each answer, the `statuses`, and the time from the first to the last."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed

    def percentile(self, part: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def post(path: str, fields: dict[str, str], cookie: str = "") -> bytes:
    """A form as a browser sends it."""
    body = urlencode(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\nAccept-Language: es\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def drive(
    port: int, requests: Sequence[bytes], connections: int, seconds: float | None = None
) -> Answers:
    """Send *requests* one by one over so many connections, for at most so long.

    In one thread and with few steps: it shares the processors with what it measures.
    """
    left, answers, started = iter(requests), Answers(), time.perf_counter()
    end = started + (seconds or LIMIT_SECONDS)
    with selectors.DefaultSelector() as waiting:
        for request in itertools.islice(left, connections):
            _connect(waiting, port, request)
        while waiting.get_map():
            ready = waiting.select(LIMIT_SECONDS)
            assert ready, "nobody was answered"
            for key, _events in ready:
                exchange: Exchange = key.data
                if not exchange.moves_on():
                    continue
                now = time.perf_counter()
                answers.statuses[exchange.status] += 1
                answers.seconds.append(now - exchange.begun)
                following = next(left, None) if now < end else None
                if following and not exchange.closes:
                    exchange.begin(following)
                    continue
                waiting.unregister(exchange.socket)
                exchange.socket.close()
                if following:
                    _connect(waiting, port, following)
    answers.elapsed = time.perf_counter() - started
    return answers


def _connect(waiting: selectors.BaseSelector, port: int, request: bytes) -> None:
    connection = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    exchange = Exchange(connection)
    exchange.begin(request)
    waiting.register(connection, selectors.EVENT_READ, exchange)


class Exchange:
    """A request on a connection, and what came of its answer so far."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def begin(self, request: bytes) -> None:
        self.begun, self.received = time.perf_counter(), b""
        self.socket.sendall(request)

    def moves_on(self) -> bool:
        """Whether all of the answer is there."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("closed before it was answered")
        self.received += part
        head, blank, body = self.received.partition(b"\r\n\r\n")
        head = head.lower()
        length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
        if not blank or len(body) < int(length or 0):
            return False
        self.status, self.closes = int(head.split()[1]), b"connection: close" in head
        return True
