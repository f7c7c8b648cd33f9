"""Phone numbers, as people write them: digits and what separates them. Letters are never digits,
so that nobody calls a stranger; what stands beside the number is a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

import phonenumbers
from flask import current_app
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

from reporter.formats.text import plain

# Digits with what people put between them. Nothing of it is ever given back (`*+`): what would be
# kept for that grows faster than the text does.
RUN = re.compile(r"\+?[(]?\d(?:[ .-]{0,3}[()]?[ .-]{0,2}/?\d)*+")
EXTENSION = re.compile(
    r"[ ,;.(-]{0,3}(?:extensi[oó]n|ext|anexo|interno|int|poste|dw|x|#)[.: #=]{0,3}(\d{1,7})\b\)?",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"(?:tel[ée]?fono|telephone|tel|tlf|tfno|tlfno|phone|call to|callto)?[.: /]*", re.I
)
AROUND = " ,;:./()[]-"
# Digits before a parenthesis that begins something else, as hours: an area code has fewer.
WHOLE = 6
MEXICO = 52


class Fault(Enum):
    """Why a text holds no phone number."""

    NO_DIGITS = auto()
    LETTERS = auto()  # in the place of digits
    TOO_SHORT = auto()
    TOO_LONG = auto()
    COUNTRY = auto()  # a country code that there is not


# By what the library says, of a number or of a text.
FAULTS = {
    ValidationResult.TOO_LONG: Fault.TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: Fault.COUNTRY,
}
UNREADABLE = {
    NumberParseException.TOO_LONG: Fault.TOO_LONG,
    NumberParseException.INVALID_COUNTRY_CODE: Fault.COUNTRY,
}


class NotAPhone(ValueError):
    """`fault`: why; `part`: which part of it was not understood."""

    def __init__(self, fault: Fault, part: str) -> None:
        super().__init__(fault)
        self.fault, self.part = fault, part


@dataclass(frozen=True)
class Phone:
    """A number that can exist, and the words beside it."""

    number: PhoneNumber
    note: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether numbers of its country look like it."""
        return phonenumbers.is_valid_number(self.number)

    def __str__(self) -> str:
        """As in "+34 600 00 00 00": the same for every way to write a number."""
        written = phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(self.number, written)


def parse_phone(text: str) -> Phone:
    """The first number in *text*; without a prefix, of PHONE_REGION. Raises NotAPhone."""
    return _phone(text, current_app.config["PHONE_REGION"])


@lru_cache(64)  # each page that shows one asks
def _phone(text: str, region: str) -> Phone:
    text = plain(text)
    fault: NotAPhone | None = None
    for run in RUN.finditer(text):
        for written, end in _readings(text, run, region):
            extension = EXTENSION.match(text, end)
            try:
                number = _number(written, region, extension[1] if extension else "")
            except NotAPhone as error:
                fault = fault or error
                continue
            after = extension.end() if extension else end
            return Phone(number, _note(text[: run.start()], text[after:]))
    letters = " ".join(re.findall(r"[^\W\d_]{2,}", text))
    if fault is None:
        raise NotAPhone(Fault.NO_DIGITS, text)
    if letters and fault.fault == Fault.TOO_SHORT:
        raise NotAPhone(Fault.LETTERS, letters)
    raise fault


def parse(text: str) -> PhoneNumber | None:
    """The number in *text*, or None when it cannot be one."""
    try:
        return parse_phone(text).number
    except NotAPhone:
        return None


def international(text: str) -> str | None:
    """As in "+34 600 00 00 00"; None when it is none."""
    try:
        return str(parse_phone(text))
    except NotAPhone:
        return None


def _readings(text: str, run: re.Match[str], region: str) -> Iterator[tuple[str, int]]:
    """What the number may be of a *run* of digits, and where it ends: the whole first, then less
    and less of it, as far as numbers of its country look like it."""
    start, end = run.span()
    for cut in re.finditer(r" ?\(| / ", run.group()):
        if len(re.findall(r"\d", run.group()[: cut.start()])) >= WHOLE:
            end = start + cut.start()
            break
    yield text[start:end], end
    for group in reversed(list(re.finditer(r"\d+", text[start:end]))[:-1]):
        written, rest = text[start : start + group.end()], text[start + group.end() : end]
        # A digit too many is a slip, and no note: what is cut off is another number, or set apart.
        apart = rest[0] in "/(" or rest.startswith((" /", " -", " ("))
        if _is_valid(written, region) and (apart or _is_valid(rest, region)):
            yield written, start + group.end()


def _is_valid(written: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(_number(written.strip(AROUND), region))
    except NotAPhone:
        return False


def _number(written: str, region: str, extension: str = "") -> PhoneNumber:
    """Raises NotAPhone."""
    # The 0 of "+34 (0)600…" is dialled inside the country only, where it is dialled at all; in
    # Italy it is a part of the number.
    without = re.sub(r"^(\+|00)(\d{1,3}) ?\(0\)", r"\1\2 ", written)
    numbers = [_parsed(each, region) for each in dict.fromkeys((without, written))]
    possible = [number for number in numbers if phonenumbers.is_possible_number(number)]
    if not possible:
        reason = phonenumbers.is_possible_number_with_reason(numbers[0])
        raise NotAPhone(FAULTS.get(reason, Fault.TOO_SHORT), written.strip(AROUND))
    number = next((each for each in possible if phonenumbers.is_valid_number(each)), possible[0])
    number.extension = extension or None
    return number


def _parsed(written: str, region: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException as error:
        fault = UNREADABLE.get(error.error_type, Fault.TOO_SHORT)
        raise NotAPhone(fault, written.strip(AROUND)) from None
    national = str(number.national_number)
    if number.country_code == MEXICO and len(national) == 11 and national[0] == "1":
        number.national_number = int(national[1:])  # of mobiles, until 2019
    return number


def _note(before: str, after: str) -> str:
    parts = [before[label.end() :] if (label := LABEL.match(before)) else before, after]
    note = " · ".join(part for part in (each.strip(AROUND) for each in parts) if part)
    is_whole = note.count("(") == note.count(")")  # it stands in brackets itself
    return note if is_whole else re.sub(r" ?[()] ?", " · ", note)
