"""Load over kept-alive connections on loopback: who was answered, with what, and how soon."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
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
    """Send *requests* one by one over so many connections, for at most so long."""
    return asyncio.run(_drive(port, iter(requests), connections, seconds or LIMIT_SECONDS))


async def _drive(port: int, left: Iterator[bytes], connections: int, seconds: float) -> Answers:
    answers, started = Answers(), time.perf_counter()
    end = started + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            begun = time.perf_counter()
            writer.write(request)
            status, closes = await _answer(reader)
            answers.statuses[status] += 1
            answers.seconds.append(time.perf_counter() - begun)
            if time.perf_counter() > end:
                break
            if closes:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    async with asyncio.timeout(LIMIT_SECONDS + seconds):
        await asyncio.gather(*(client() for _ in range(connections)))
    answers.elapsed = time.perf_counter() - started
    return answers


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
    return int(head.split()[1]), b"connection: close" in head
