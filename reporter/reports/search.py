"""Finding a report by what somebody has of it: its reference, a name, an address, a number.

The words are kept beside each report when it is, so that nothing is read through to find one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import filterfalse

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database.statement import Statement
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


def matching(asked: str) -> list[sa.ColumnElement[bool]]:
    """What holds of a report that has a word beginning with each that is *asked* for."""
    word = models.SearchTerm
    return [
        models.Report.id.in_(
            sa.select(word.report_id).where(word.term >= begin, word.term < begin + "\U0010ffff")
        )
        for begin in _asked(asked)
    ]


def _terms(report: Report) -> Iterator[str]:
    yield _folded(report.reference.removeprefix("INC-"))
    email = report.text("email")
    yield _folded(email)
    yield _folded(email.rpartition("@")[2])
    yield from _digits(report.text("phone"))
    for key in ("name", "company", "customer_number", "affected"):
        yield from _words(report.text(key))


def _words(text: str) -> Iterator[str]:
    """Each word, and each of those that dots or dashes join: a domain below "www.", too."""
    for word in re.split(r"[\s,;/()<>\"']+", _folded(text)):
        whole = word.strip(".:@-_")
        if whole:
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


def _asked(text: str) -> Iterable[str]:
    text = text.strip()[:200]
    try:
        return [_folded(parse_reference(text)).removeprefix("inc-")]
    except ValueError:
        pass
    if PHONE.fullmatch(text):
        return [re.sub(r"\D", "", text).removeprefix("00")]
    words = [word.strip(".:@-_")[:LONGEST] for word in _folded(text).split()]
    return [word for word in words if len(word) >= LEAST][:ASKED] or ["\0"]
