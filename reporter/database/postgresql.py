"""A connection to PostgreSQL that never waits for ever.

The server's own limits (`OPTIONS`) end what it does slowly. A server that is frozen, or a machine
that is gone, does nothing at all: there the client stops waiting by itself.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 8
LOCK_SECONDS = 5
# Over what the server itself takes to give up.
SILENCE_SECONDS = 10.0

OPTIONS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s",
    "tcp_user_timeout": int(SILENCE_SECONDS * 1000),
}


class ImpatientConnection(psycopg.Connection[Any]):
    """psycopg's, which is closed after SILENCE_SECONDS without an answer.

    Shows as psycopg.OperationalError, as does a connection that breaks.
    """

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        """*gen* with an end. psycopg wakes it several times a second with nothing that is ready."""
        end = time.monotonic() + SILENCE_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(
                        f"PostgreSQL has not answered for {SILENCE_SECONDS:.0f} s"
                    )
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: T = ended.value
            return result
