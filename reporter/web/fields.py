"""The kinds of question of every form. Those about the time of an incident are the wizard's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Form,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import ValidationError

from reporter.formats import phones
from reporter.formats.text import one_line
from reporter.formats.words import size_in_words
from reporter.web.question import Question

TEXT_LENGTH = 5_000

YES = _l("Yes")
NO = _l("No")
UNKNOWN = _l("I do not know")


def line(text: str | None) -> str:
    """A filter: *text* as one line, for what is not kept as it was typed."""
    return one_line(text or "")


def lines(text: str | None) -> str:
    """A filter: *text* without what a browser or a paste adds around it."""
    return (text or "").replace("\r\n", "\n").replace("\x00", "").strip()


class TextInput(Question, StringField):
    """A line of text."""

    input_type = "text"


class TextArea(Question, TextAreaField):
    """Several lines of text."""

    def __init__(self, label: Any, *, max_length: int = TEXT_LENGTH, rows: int = 3, **kwargs: Any):
        super().__init__(label, max_length=max_length, render_kw={"rows": rows}, **kwargs)


class Radios(Question, RadioField):
    """One of several. `choices`: SelectChoice values, or a function that makes them."""

    control = "radios"

    def __init__(self, label: Any, *, hints: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validate_choice=False, **kwargs)
        self.hints = hints or {}

    def process_data(self, value: Any) -> None:
        self.data = value  # RadioField would make "None" of None

    def validate_value(self, form: Form) -> None:
        if self.data not in [choice.value for choice in self.iter_choices()]:
            raise ValidationError(_("Choose one of the answers shown"))

    def format(self, form: Form, at: datetime) -> str:
        return next(str(c.label) for c in self.iter_choices() if c.value == self.data)


class Select(Question, SelectField):
    """One of many, in a list that opens. Its choices may be set after it was submitted."""

    control = "select"

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, choices=list, validate_choice=False, **kwargs)


class Checkbox(Question, BooleanField):
    """A box to tick."""

    control = "checkbox"

    false_values = (*BooleanField.false_values, "no")

    def is_blank(self) -> bool:
        return False

    def value(self, form: Form) -> str | None:
        return ("yes" if self.data else "no") if self.is_asked(form) else None

    def format(self, form: Form, at: datetime) -> str:
        return _("Yes") if self.data else ""


class Email(TextInput):
    """An email address, checked for its form only: DNS may be what is down."""

    input_type = "email"

    def validate_value(self, form: Form) -> None:
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
        return str(typed).strip() if typed else None

    def format(self, form: Form, at: datetime) -> str:
        return self.value(form) or ""


class Phone(TextInput):
    """A phone number in any readable form; without a prefix, of the provider's country."""

    input_type = "tel"

    def validate_value(self, form: Form) -> None:
        if phones.parse(self.data) is None:
            raise ValidationError(
                _("Enter a phone number with all its digits, for example +34\xa0600\xa0000\xa0000")
            )

    def value(self, form: Form) -> str | None:
        return phones.international(self.data) if super().value(form) else None

    def format(self, form: Form, at: datetime) -> str:
        return self.value(form) or ""


class Checkboxes(Question, SelectMultipleField):
    """Any number of several."""

    control = "checkboxes"

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, validate_choice=False, **kwargs)

    def is_blank(self) -> bool:
        return not self.data

    def value(self, form: Form) -> list[str] | None:
        return None if self.is_blank() or not self.is_asked(form) else list(self.data)

    def validate_value(self, form: Form) -> None:
        if not set(self.data) <= {choice.value for choice in self.iter_choices()}:
            raise ValidationError(_("Choose one of the answers shown"))

    def format(self, form: Form, at: datetime) -> str:
        return "\n".join(str(c.label) for c in self.iter_choices() if c.value in self.data)


class Files(Question, MultipleFileField):
    """Files. The form has those that are kept as `kept_files`; the field only brings new ones."""

    control = "files"

    def is_blank(self) -> bool:
        return True  # what is kept was checked when it was

    def value(self, form: Form) -> list[str] | None:
        return [file.name for file in form.kept_files] or None

    def format(self, form: Form, at: datetime) -> str:
        return "\n".join(f"{file.name} ({size_in_words(file.size)})" for file in form.kept_files)
