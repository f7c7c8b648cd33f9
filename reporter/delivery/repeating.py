"""What is done again and again beside the sending, each in a thread of its own.

A duty that hangs or fails holds up neither the mails nor the other duties.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reporter.delivery.lesser_forms import Lesser

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Duty:
    """Something that every worker does each so many seconds, first when it starts.

    `act` is called in an application context. It opens its own transactions, and must be harmless
    when several workers do it at once.
    """

    name: str
    every_seconds: float
    act: Callable[[], object]


Service = Callable[[Flask], AbstractContextManager[None]]


@dataclass
class Duties:
    """What other rooms have the worker do, as `cli` hands it over. Services run for as long as a
    worker does that does not run once. What is `to_add` is asked for more when one begins, as what
    it has to load nobody else needs."""

    lesser: Lesser | None = None
    repeated: list[Duty] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    to_add: list[Callable[[Duties], None]] = field(default_factory=list)

    def complete(self) -> Duties:
        while self.to_add:
            self.to_add.pop()(self)
        return self


def duties_of(app: Flask) -> Duties:
    """The duties of the application's workers, to be read or added to."""
    duties: Duties = app.extensions.setdefault("duties", Duties())
    return duties


@contextmanager
def repeating(app: Flask, duties: Sequence[Duty]) -> Iterator[None]:
    """Do them meanwhile. One that is under way at the end has a moment to be done."""
    over = threading.Event()

    def repeat(duty: Duty) -> None:
        before = ""
        while not over.is_set():
            before = do(app, duty, before)
            over.wait(duty.every_seconds)

    with ExitStack() as stack:
        for duty in duties:
            thread = threading.Thread(target=repeat, args=(duty,), name=duty.name, daemon=True)
            thread.start()
            stack.callback(thread.join, 2.0)
        stack.callback(over.set)
        yield


def do(app: Flask, duty: Duty, before: str = "") -> str:
    """Once. What goes wrong ends nothing; its name is returned, and is in the log unless it is
    what went wrong *before*.
    """
    try:
        with app.app_context():
            duty.act()
    except Exception as error:
        fault = type(error).__name__
        if fault != before:
            log.error("duty failed", duty=duty.name, error=fault)
        return fault
    return ""
