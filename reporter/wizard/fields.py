"""The kinds of question. A question is a WTForms field that also knows when it is asked,
what it says when it is not answered, and how its answer reads.

`display` is the only place that turns an answer into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form, RadioField, StringField, TextAreaField
from wtforms.fields import Field
from wtforms.validators import StopValidation, ValidationError

from reporter.reports.times import three_ways
from reporter.wizard import moments

LINE_LENGTH = 200
TEXT_LENGTH = 5_000


class Question(Field):
    """What every kind of question shares.

    hint         help shown beside it
    required     what it says when it is left blank; without it, it may be
    asked_with   (key, value) of the answer in this step that makes it asked at all
    asked_when   what decides the same where no single answer does, given the form
    shown_with   (key, value) of the answer it is shown under, though it is always asked
    required_with  {(key, value): message}: the answers that make it required
    wanted       support would ask for it: named in the ticket as missing when blank
    block        its key in the block of the ticket mail; without it, it is in its section only
    max_length   in characters
    autocomplete, inputmode  HTML attributes of the same name
    """

    def __init__(
        self,
        label: Any,
        *,
        hint: Any = "",
        required: Any = None,
        asked_with: tuple[str, str] | None = None,
        asked_when: Callable[[Any], bool] | None = None,
        shown_with: tuple[str, str] | None = None,
        required_with: Mapping[tuple[str, str], Any] | None = None,
        wanted: bool = False,
        block: str = "",
        max_length: int = LINE_LENGTH,
        autocomplete: str = "",
        inputmode: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(label, [check], **kwargs)
        self.hint = hint
        self.required = required
        self.asked_with = asked_with
        self.asked_when = asked_when
        self.shown_with = shown_with or asked_with
        self.required_with = required_with or {}
        self.wanted = wanted
        self.block = block
        self.max_length = max_length
        self.autocomplete = autocomplete
        self.inputmode = inputmode

    def described_by(self) -> str:
        """The ids of what a screen reader says with it."""
        ids = [f"h-{self.name}"] if self.hint else []
        return " ".join([*ids, f"e-{self.name}"] if self.errors else ids)

    def must(self, native: bool) -> bool:
        """Whether the browser is asked to demand an answer, where the server cannot yet."""
        return bool(native and self.required and not self.shown_with)

    def attributes(self, native: bool = False) -> dict[str, str]:
        """Of its HTML element."""
        wanted = {
            "type": getattr(self, "input_type", ""),
            "aria-describedby": self.described_by(),
            "aria-invalid": "true" if self.errors else "",
            "autocomplete": self.autocomplete,
            "inputmode": self.inputmode,
            "required": "required" if self.must(native) else "",
        }
        return {"id": f"f-{self.name}"} | {name: value for name, value in wanted.items() if value}

    def is_blank(self) -> bool:
        return not str(self.data or "").strip()

    def is_asked(self, form: Form) -> bool:
        if self.asked_when is not None:
            return self.asked_when(form)
        if self.asked_with is None:
            return True
        key, value = self.asked_with
        return bool(form[key].is_asked(form) and form[key].data == value)

    def value(self, form: Form) -> str | None:
        """What the answer is for a machine: as typed, or None when blank or not asked."""
        return None if self.is_blank() or not self.is_asked(form) else str(self.data)

    def check(self, form: Form) -> None:
        """Raises ValidationError when what was typed cannot be taken."""

    def words(self, form: Form, at: datetime) -> str:
        """The answer in words, read at the time *at*."""
        return str(self.data)


def check(form: Form, field: Question) -> None:
    """The one validator of every question."""
    if not field.is_asked(form):
        field.errors = []
        raise StopValidation
    if field.errors:  # it could not even be read
        raise StopValidation
    if field.is_blank():
        if field.required:
            raise StopValidation(str(field.required))
        for (key, value), message in field.required_with.items():
            if form[key].data == value:
                raise StopValidation(str(message))
        raise StopValidation
    length = len(str(field.data).replace("\r\n", "\n"))
    if length > field.max_length:
        raise StopValidation(
            _(
                "Use %(limit)s characters or fewer; you have written %(length)s",
                limit=field.max_length,
                length=length,
            )
        )
    try:
        field.check(form)
    except ValidationError as error:  # a validate_<name> of the form sees what can be read only
        raise StopValidation(str(error)) from None


def display(question: Question, form: Form, at: datetime) -> str:
    """An answer in words, in the language in use; empty where there is nothing to say."""
    return "" if question.value(form) is None else question.words(form, at)


class Line(Question, StringField):
    """A line of text."""

    input_type = "text"


class Text(Question, TextAreaField):
    """Several lines of text."""

    def __init__(self, label: Any, *, max_length: int = TEXT_LENGTH, rows: int = 3, **kwargs: Any):
        super().__init__(label, max_length=max_length, render_kw={"rows": rows}, **kwargs)


class Choice(Question, RadioField):
    """One of several. `choices`: SelectChoice values, or a function that makes them."""

    def __init__(self, label: Any, *, hints: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validate_choice=False, **kwargs)
        self.hints = hints or {}

    def process_data(self, value: Any) -> None:
        self.data = value  # RadioField would make "None" of None

    def check(self, form: Form) -> None:
        if self.data not in [choice.value for choice in self.iter_choices()]:
            raise ValidationError(_("Choose one of the answers shown"))

    def words(self, form: Form, at: datetime) -> str:
        return next(str(c.label) for c in self.iter_choices() if c.value == self.data)


class YesNo(Question, BooleanField):
    """A box to tick."""

    false_values = (*BooleanField.false_values, "no")

    def is_blank(self) -> bool:
        return False

    def value(self, form: Form) -> str | None:
        return ("yes" if self.data else "no") if self.is_asked(form) else None

    def words(self, form: Form, at: datetime) -> str:
        return _("Yes") if self.data else ""


class Started(Choice):
    """Roughly when, counted back from the time it was answered; or "at" an exact time."""

    def words(self, form: Form, at: datetime) -> str:
        words = super().words(form, at)
        if self.data in moments.AGO:
            return f"{words}\n{three_ways(form.moment().at, at)}"
        return "" if self.data == "at" else words  # the next answer tells it


class LocalTime(Line):
    """A date and time of day, in the zone another question asks for."""

    input_type = "datetime-local"

    def check(self, form: Form) -> None:
        try:
            moments.parse_local(self.data)
        except ValueError:
            raise ValidationError(
                _("Enter the date and the time, for example 2026-11-23 02:40")
            ) from None

    def words(self, form: Form, at: datetime) -> str:
        return three_ways(form.moment().at, at)


class Zone(Line):
    """A time zone: its IANA name, or the name of its city; left blank, the provider's."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, default=lambda: current_app.config["TIMEZONE"], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata([value for value in valuelist if value.strip()])

    def zone(self) -> ZoneInfo:
        """The zone; the provider's while what was typed is none."""
        try:
            return moments.parse_zone(self.data)
        except ValueError:
            return ZoneInfo(current_app.config["TIMEZONE"])

    def check(self, form: Form) -> None:
        if self.shown_with and form[self.shown_with[0]].data != self.shown_with[1]:
            return  # nobody sees it: a browser may have filled in what we do not know
        try:
            moments.parse_zone(self.data)
        except ValueError:
            raise ValidationError(
                _("Enter a time zone by its name, for example Europe/Madrid or America/Bogota")
            ) from None

    def value(self, form: Form) -> str | None:
        return self.zone().key if self.is_asked(form) else None

    def words(self, form: Form, at: datetime) -> str:
        return self.value(form) or ""


class Email(Line):
    """An email address, checked for its form only: DNS may be what is down."""

    input_type = "email"

    def check(self, form: Form) -> None:
        try:
            if "=?" in self.data:  # no header could carry it (RFC 2047, section 5)
                raise EmailNotValidError
            validate_email(self.data.strip(), check_deliverability=False, allow_smtputf8=False)
        except EmailNotValidError:
            raise ValidationError(
                _("Enter an email address in full, for example name@example.com")
            ) from None

    def value(self, form: Form) -> str | None:
        typed = super().value(form)
        return typed.strip() if typed else None

    def words(self, form: Form, at: datetime) -> str:
        return self.value(form) or ""


class Phone(Line):
    """A phone number in any readable form; without a prefix, of the provider's country."""

    input_type = "tel"

    def number(self) -> phonenumbers.PhoneNumber | None:
        """The number, or None when it cannot be one."""
        try:
            number = phonenumbers.parse(self.data, current_app.config["PHONE_REGION"])
        except phonenumbers.NumberParseException:
            return None
        return number if phonenumbers.is_possible_number(number) else None

    def check(self, form: Form) -> None:
        if self.number() is None:
            raise ValidationError(
                _("Enter a phone number with all its digits, for example +34 600 000 000")
            )

    def value(self, form: Form) -> str | None:
        typed, number = super().value(form), self.number()
        if typed is None or number is None:
            return typed
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    def words(self, form: Form, at: datetime) -> str:
        return self.value(form) or ""


def questions(form: Form) -> Sequence[Question]:
    """The questions of a form, in the order they are declared."""
    return [field for field in form if isinstance(field, Question)]


YES = _l("Yes")
NO = _l("No")
UNKNOWN = _l("I do not know")
