"""Structured logs: one JSON object a line, on standard error.

A log never holds a customer's words, name, address or number, nor a secret link.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable

# structlog takes rich where it is there, for tracebacks in colour, which we do not write: 4 MB, and
# a tenth of a second of every command.
_blocked = "rich" not in sys.modules
if _blocked:
    sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _blocked:
    del sys.modules["rich"]


# One list, which loggers that were used keep.
PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(),
]


def configure() -> None:
    """Of this process, whatever its application."""
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_of: structlog.WriteLogger(StandardError()),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)


def take_no_warnings() -> None:
    """Of libraries, unless Python was told which (`-W`): Pillow has one for each tag of a picture
    that a stranger has sent, and Python keeps each for good and writes it as a line of no log."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


class Refusals:
    """What is refused, in the log: whoever floods us is to fill no disk with it.

    Of one client and reason TOLD a while are written, and then how many more there were, with the
    first of the next while. By *clock*, in seconds.
    """

    TOLD, WITHIN_SECONDS = 30, 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = structlog.get_logger("reporter.web")
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._had: Counter[tuple[str, str]] = Counter()

    def tell(self, reason: str, client: str = "", **where: str | None) -> bool:
        """Whether it is written now. *client*: a name of it that tells nobody who it is."""
        with self._lock:
            before: Counter[tuple[str, str]] = Counter()
            if self._clock() - self._since >= self.WITHIN_SECONDS:
                before, self._had, self._since = self._had, Counter(), self._clock()
            self._had[reason, client] += 1
            is_told = self._had[reason, client] <= self.TOLD
        for (what, who), count in before.items():
            if count > self.TOLD:
                self._write(what, who, more=count - self.TOLD)
        if is_told:
            self._write(reason, client, **where)
        return is_told

    def _write(self, reason: str, client: str, **more: int | str | None) -> None:
        named = {"client": client} if client else {}
        self._log.warning("refused", reason=reason, **more, **named)


class StandardError(io.StringIO):
    """Standard error as it is when something is written, also under a test."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
