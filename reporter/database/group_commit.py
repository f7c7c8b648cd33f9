"""One thread that writes to a SQLite file for all that wait to, in one transaction.

A commit waits for the disk, and whoever else writes waits for it. And threads that write one after
the other wake each other up, each of them behind those of the process that compute. So who has the
turn does what the others of its process have queued too, as the leader of a group commit does:
each is a part by itself, and nobody goes on before what it wrote is as safe as by a commit of its
own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from reporter.database.together import Group
from reporter.database.turn import LOOK_UP_SECONDS, Turn

# How long what is being written for a thread is waited for. It may come after that: nobody can say
# then.
COMMIT_SECONDS = 60.0

T = TypeVar("T")


class Part(Generic[T]):
    """What one thread wants written, and what came of it."""

    def __init__(self, write: Callable[[Session], T]) -> None:
        self.write = write
        self.context = copy_context()  # of the thread that wants it: its request, its patience
        self.result: T
        self.error: BaseException | None = None
        self.begun_at = 0.0
        self.leads = False  # nobody has begun: its own thread is to, and with all that wait
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self) -> None:
        """Its thread that it is done, or leads."""
        self._told.release()

    def is_told(self, within_seconds: float) -> bool:
        return self._told.acquire(timeout=within_seconds)


class GroupCommit:
    """Who writes to one file from the threads of one process."""

    def __init__(
        self,
        turn: Turn,
        begin: Callable[[], Group],
        session: Callable[[Group | None], AbstractContextManager[Session]],
    ) -> None:
        """*begin* begins the transaction of a group, of which *session* is one part; without a
        group it has a transaction of its own."""
        self._turn, self._begin, self._session = turn, begin, session
        self._lock = threading.Lock()
        self._waiting: deque[Part[Any]] = deque()
        self._has_leader = False

    def write(self, write: Callable[[Session], T]) -> T:
        """What *write* returns, once it is committed; it may be called in another thread. Raises
        what it raises, patience.NotAnswering, and OperationalError where it is not committed."""
        part = Part(write)
        with self._lock:
            self._waiting.append(part)
            is_first, self._has_leader = not self._has_leader, True
        if is_first or self._is_to_lead(part):
            self._lead(part)
        error, part.error = part.error, None  # its traceback holds the part
        if error is None:
            return part.result
        try:
            raise error
        finally:
            del error

    def _is_to_lead(self, part: Part[Any]) -> bool:
        """Wait until it is done, or who leads has left it to lead."""
        waits_since = time.monotonic()
        while not part.is_told(LOOK_UP_SECONDS):
            try:
                is_in_vain = self._turn.is_in_vain(waits_since)
            except OperationalError:
                if self._is_withdrawn(part):
                    raise
                is_in_vain = False
            if is_in_vain and self._is_withdrawn(part):
                self._do(part, None)
                break
            if part.begun_at and time.monotonic() > part.begun_at + COMMIT_SECONDS:
                raise OperationalError("COMMIT", None, TimeoutError("nobody has committed"))
        return part.leads

    def _lead(self, mine: Part[Any]) -> None:
        """Write what waits, *mine* first, and leave the rest to who comes next."""
        parts: list[Part[Any]] = []
        try:
            with self._turn.taken():
                group = self._begin()
                try:
                    part = self._next()
                    while part:
                        parts.append(part)
                        part.context.run(self._do, part, group)
                        part = None if group.is_full else self._next()
                finally:
                    group.commit()
            for part in parts:
                part.error = group.failure() or part.error  # it may be for another's words
        except BaseException as error:
            for part in parts:
                part.error = OperationalError("COMMIT", None, error)
            mine.error = error
        finally:
            self._leave_to_next(mine)
            for part in parts:
                part.tell()

    def _do(self, part: Part[Any], group: Group | None) -> None:
        try:
            with self._session(group) as session:
                part.result = part.write(session)
        except BaseException as error:
            part.error = error

    def _next(self) -> Part[Any] | None:
        with self._lock:
            if not self._waiting:
                return None
            part = self._waiting.popleft()
            part.begun_at = time.monotonic()
            return part

    def _leave_to_next(self, mine: Part[Any]) -> None:
        with self._lock:
            if mine in self._waiting:  # there was no turn, or no transaction
                self._waiting.remove(mine)
            self._has_leader = bool(self._waiting)
            if self._has_leader:
                self._waiting[0].leads = True
                self._waiting[0].tell()

    def _is_withdrawn(self, part: Part[Any]) -> bool:
        """Whether nobody has begun with it, and nobody will."""
        with self._lock:
            if part.leads or part.begun_at:
                return False
            self._waiting.remove(part)
            return True
