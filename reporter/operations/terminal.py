"""Text for a terminal, which customers' words must not steer: no control sequence gets through."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from reporter.formats.text import exact_lines, one_line, shortened

T = TypeVar("T")

UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
TIME = "%Y-%m-%d %H:%M UTC"


def cell(text: str, width: int = 60) -> str:
    """A customer's text as a part of one line."""
    return shortened(one_line(text), width)


def json_text(value: Any, **options: Any) -> str:
    """*value* as JSON that a terminal shows, and does nothing else with: what JSON lets through of
    controls and of what turns the direction of writing is escaped."""
    return UNSEEN.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, **options)
    )


def paragraph(text: str, indent: str = "    ") -> str:
    """A customer's text on lines of its own."""
    return "\n".join(f"{indent}{line}" for line in exact_lines(text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as what stands in them; the last one is not filled up."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def moment(at: datetime | None) -> str:
    return f"{at:{TIME}}" if at else "-"


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"


def progress(
    items: Iterable[T], label: str, length: int, size: Callable[[T], int] = lambda item: 1
) -> Iterator[T]:
    """*items*, with a bar on standard error while they are taken, if that is a terminal.

    *size*: how much of *length* each of them is.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(label=label, length=length, file=sys.stderr) as bar:
        for item in items:
            yield item
            bar.update(size(item))
