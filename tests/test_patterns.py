"""Patterns over customers' words cost what the words are long, whatever they are."""

from __future__ import annotations

import ast
import re
import re._parser as parser
import time
from collections import deque
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

import reporter
from reporter.formats import addresses, languages, phones, secrets, text, times, zones

# Repeated, each makes the most of what some pattern reads.
HOSTILE = [
    "eyJ-",
    "eyJ" + "a" * 10 + ".",
    "a-",
    "clave:",
    "clave: '",
    "pass ",
    "1 ",
    "1",
    "AA00 ",
    "AA00",
    "x",
    "a://a:",
    "a.",
    "://",
    "-----BEGIN ",
    "Bearer ",
    "Authorization:",
    '"name":',
    "gh",
    "\x1b[",
    "\x1b]",
    "\x1b[0",
    "\x9d",
    "\x1bP",
    "\u200d",
    "👩\u200d",
    "\U000e0067",
    "\t",
    "日\t",
    " ",
    "(",
    "(1",
    "1/",
    "+1(0)",
    "600 ",
    "ext",
    "x1",
    "a@",
    "@",
    "<a@b.c>",
    "mailto:",
    "<!-- ",
    "<?",
    "=?",
    "-",
    "\u200b",
    "1:00 p",
    "24/11/2025 ",
    "utc+",
    "en,",
    "en;q=0.5,",
    ",",
    "INC-KX7M9Q",
    "[a",
    "#",
    "..",
]


def modules() -> list[ModuleType]:
    found = walk_packages(reporter.__path__, "reporter.")
    skipped = ("migrations", "translations", "__main__")
    return [import_module(m.name) for m in found if not any(each in m.name for each in skipped)]


def patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    """Every pattern that a module keeps."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def spelt_out(parsed: Any) -> Iterator[str]:
    """What a pattern has as it stands, piece by piece."""
    run = ""
    for kind, value in parsed:
        if str(kind) == "LITERAL":
            run += chr(value)
            continue
        yield run
        run = ""
        for each in value if isinstance(value, (tuple, list)) else ():
            for inner in each if isinstance(each, list) else [each]:
                if isinstance(inner, parser.SubPattern):
                    yield from spelt_out(inner)
    yield run


def growth(work: Callable[[str], object], piece: str, begin: str = "") -> float:
    """How many times as much 20 000 characters cost as 2 000 do; the least of a few times, if it
    seems too much: what else the machine does is no fault of ours."""
    short, long = (begin + piece * (length // len(piece)) for length in (2_000, 20_000))
    least = [1e9, 1e9]
    for _ in range(60):
        for place, words in enumerate((short, long)):
            began = time.thread_time()
            work(words)
            least[place] = min(least[place], time.thread_time() - began)
        ratio = least[1] / max(least[0], 0.000_2)  # of what is shorter a clock says nothing
        if ratio <= 11 or ratio > 60:  # which no other work makes of it
            break
    return ratio


def searched(pattern: re.Pattern[str] | re.Pattern[bytes], words: str) -> None:
    if isinstance(pattern.pattern, bytes):
        content = words.encode("utf-8", "surrogateescape")
        deque(pattern.finditer(content), 0)  # type: ignore[arg-type]
        pattern.match(content)  # type: ignore[arg-type]
    else:
        deque(pattern.finditer(words), 0)  # type: ignore[arg-type]
        pattern.match(words)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_takes_ten_times_as_long_for_ten_times_as_much(name: str) -> None:
    pattern = patterns()[name]

    def search(words: str) -> None:
        searched(pattern, words)

    worst = max((growth(search, each), each) for each in HOSTILE)
    assert worst[0] <= 12, worst[1]
    # What stands in it, and then what it may take for blanks, letters or digits of its own.
    begins = sorted(set(spelt_out(parser.parse(pattern.pattern, pattern.flags))), key=len)[-3:]
    followed = [(begin, each) for begin in begins for each in (" ", "x", "1", begin or "-")]
    worst = max((growth(search, each, begin), begin, each) for begin, each in followed)
    assert worst[0] <= 12, worst[1:]


def written_down() -> dict[str, Any]:
    """Every pattern of the code, by where it stands, those within a function too."""
    found = {}
    for file in sorted(Path(reporter.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("re")), args=[ast.Constant(value), *_]
                ) if isinstance(value, (str, bytes)):
                    found[f"{file.name}:{node.lineno}"] = parser.parse(value)
    return found


def given_back(parsed: Any) -> Iterator[Any]:
    """Its repeats of more than one thing, without an end, of which each turn can be given back."""
    for kind, value in parsed:
        if str(kind) in {"MAX_REPEAT", "MIN_REPEAT"}:
            _least, most, inner = value
            is_one_thing = len(inner) == 1 and "REPEAT" not in str(inner[0][0])
            is_one_thing = is_one_thing and not isinstance(inner[0][1], tuple)
            if most is parser.MAXREPEAT and not is_one_thing:
                yield inner
        for each in value if isinstance(value, (tuple, list)) else ():
            for inner in each if isinstance(each, list) else [each]:
                if isinstance(inner, parser.SubPattern):
                    yield from given_back(inner)


def test_no_repeat_of_several_things_keeps_a_way_back_for_each() -> None:
    """Python keeps one for each turn, and what that costs grows faster than the text does, once it
    has hundreds of thousands of characters. `*+` keeps none."""
    found = written_down()
    assert len(found) > 60
    assert {place for place, parsed in found.items() if [*given_back(parsed)]} == set()
    assert [*given_back(parser.parse("(?:a[bc])*"))]
    assert not [*given_back(parser.parse("(?:a[bc])*+[ab]*x+(?:ab){1,9}"))]


READERS: dict[str, Callable[[str], object]] = {
    "secrets": secrets.holds_secret,
    "one line": text.one_line,
    "exact lines": text.exact_lines,
    "barred": text.barred,
    "blank": text.is_blank,
    "plain": text.plain,
    "phone": phones.international,
    "languages": lambda words: languages.preferred(words, ["es", "en"]),
    "date": times.is_date_alone,
    "zone": lambda words: zones.zones().get(words) or _quietly(zones.parse_zone, words),
    "address": lambda words: _quietly(addresses.parse_address, words),
}


def _quietly(read: Callable[[str], object], words: str) -> None:
    try:
        read(words)
    except ValueError:
        return


@pytest.mark.parametrize("reader", READERS)
def test_reading_what_somebody_wrote_takes_as_long_as_it_is_long(reader: str) -> None:
    app = Flask("none")
    app.config["PHONE_REGION"] = "ES"
    with app.app_context():
        read = READERS[reader]
        worst = max((growth(read, each), each) for each in HOSTILE)
    assert worst[0] <= 12, worst[1]
