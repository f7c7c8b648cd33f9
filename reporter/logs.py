"""Structured logs: one JSON object a line, on standard error.

A log never holds a customer's words, name, address or number, nor a secret link.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings

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


class StandardError(io.StringIO):
    """Standard error as it is when something is written, also under a test."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
