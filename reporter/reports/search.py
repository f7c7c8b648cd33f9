"""Finding a report by what somebody has of it: its reference, a name, an address, a number.

The words are kept beside each report when it is, so that nothing is read through to find one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import filterfalse

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from reporter import models
from reporter.database.statement import Statement
from reporter.formats.addresses import readable
from reporter.formats.reference import parse_reference
from reporter.report import Report

LONGEST = 80  # characters of a word
MOST = 60  # words of one report
LEAST = 2  # characters of what is looked for
ASKED = 5  # words that are looked for at once
INSERT = Statement(sa.insert(models.SearchTerm))
WRITTEN = re.compile(r"\+(\d{1,3}) ([\d ()./-]{1,40})")  # what `phones.Phone` is as text
PHONE = re.compile(r"\+?[\d\s().-]{6,}")


def terms(report: Report) -> set[str]:
    """The words that *report* is found by."""
    found = dict.fromkeys(term[:LONGEST] for term in _terms(report) if term)
    return set(list(found)[:MOST])


def keep(session: Session, report_id: int, report: Report) -> None:
    """Have it found by the words it has now."""
    word = models.SearchTerm
    session.execute(sa.delete(word).where(word.report_id == report_id))
    add(session, report_id, terms(report))


def add(session: Session, report_id: int, found: Iterable[str]) -> None:
    """Have a report that is just kept found by its words."""
    rows = [{"report_id": report_id, "term": term} for term in found]
    INSERT.change_many(session, rows)


def matching(asked: str) -> sa.ColumnElement[bool]:
    """What holds of a report that is found by what is *asked* for, however that is to be read."""
    return models.Report.id.in_(sa.union_all(*map(_having, _readings(asked))))


def _having(words: Sequence[str]) -> sa.Select[int]:
    """The reports that have a word beginning with each of *words*."""
    first, *others = (
        sa.select(word.report_id).where(word.term >= begin, word.term < begin + "\U0010ffff")
        for word, begin in ((aliased(models.SearchTerm), each) for each in words)
    )
    return first.where(*(first.selected_columns[0].in_(other) for other in others))


def _terms(report: Report) -> Iterator[str]:
    yield _folded(report.reference.removeprefix("INC-"))
    email = _folded(_as_read(report.text("email")))
    yield email
    yield email.rpartition("@")[2]
    yield from _digits(report.text("phone"))
    for key in ("name", "company", "customer_number", "affected"):
        yield from _words(report.text(key))


def _words(text: str) -> Iterator[str]:
    """Each word, and each of those that dots or dashes join: a domain below "www.", too."""
    for word in re.split(r"[\s,;/()<>\"']+", _folded(text)):
        if whole := _folded(_as_read(word.strip(".:@-_"))):
            yield whole
            parts = whole.removeprefix("https:").split(".")
            yield from (".".join(parts[n:]) for n in range(1, min(len(parts) - 1, 4)))


def _digits(phone: str) -> Iterator[str]:
    """A number, as we write every one, with its country's code and without."""
    if written := WRITTEN.match(phone):
        country, national = (re.sub(r"\D", "", part) for part in written.groups())
        yield country + national
        yield national


def _folded(text: str) -> str:
    """In small letters and without accents, as people look for it."""
    apart = unicodedata.normalize("NFKD", text.casefold()).replace("\0", " ")
    return "".join(filterfalse(unicodedata.combining, apart))[: LONGEST * 40]


def _as_read(word: str) -> str:
    """An address or a domain without "xn--", as people read it; any other word as it is."""
    return readable(word) if "@" in word else readable(f"@{word}")[1:]


def _readings(text: str) -> list[list[str]]:
    """What *text* may be: a reference, a number, words. "Garcia" looks like the first, and the
    address of a server like the second."""
    text = text.strip()[:200]
    found = []
    with suppress(ValueError):
        found.append([_folded(parse_reference(text)).removeprefix("inc-")])
    words = text.split()
    if PHONE.fullmatch(text):
        found.append([re.sub(r"\D", "", text).removeprefix("00")])
        words = words if len(words) == 1 else []
    spelt = (_folded(_as_read(word.strip(".:@-_").lower()))[:LONGEST] for word in words)
    found.append([word for word in spelt if len(word) >= LEAST][:ASKED])
    return [each for each in found if each] or [["\0"]]
