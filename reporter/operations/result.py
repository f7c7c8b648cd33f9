"""What one look of the doctor's found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing; the service does its work
    MEND = "MEND"


@dataclass(frozen=True)
class Result:
    verdict: Verdict
    what: str
    words: str

    def __str__(self) -> str:
        return f"{self.verdict:<5} {self.what}: {self.words}"


def ok(what: str, words: str) -> Result:
    return Result(Verdict.OK, what, words)


def note(what: str, words: str) -> Result:
    return Result(Verdict.NOTE, what, words)


def mend(what: str, words: str) -> Result:
    return Result(Verdict.MEND, what, words)
