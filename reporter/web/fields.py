"""The kinds of question of every form. Those about the time of an incident are the wizard's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

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

from reporter.formats.text import one_line, short
from reporter.formats.words import size_in_words
from reporter.report import StoredFile
from reporter.web.question import CHECKED, Question

TEXT_LENGTH = 5_000
# Of a line, so many characters are looked at; it is far too long then.
LOOKED_AT = 20_000

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

    def typed(self) -> str:
        return self.once("typed", self._short)

    def is_blank(self) -> bool:
        return len(super().typed()) <= LOOKED_AT and super().is_blank()

    def _short(self) -> str:
        whole = super().typed()
        return short(whole) if len(whole) <= LOOKED_AT else whole[:LOOKED_AT]


class TextArea(Question, TextAreaField):
    """Several lines of text."""

    def __init__(self, label: Any, *, max_length: int = TEXT_LENGTH, rows: int = 3, **kwargs: Any):
        super().__init__(label, max_length=max_length, render_kw={"rows": rows}, **kwargs)


class Radios(Question, RadioField):
    """One of several. `choices`: SelectChoice values, or a function that makes them."""

    control = "radios"

    def filling(self) -> dict[str, str]:
        return {f"{self.name}={value}": CHECKED for value in self.chosen()}

    def __init__(self, label: Any, *, hints: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validate_choice=False, **kwargs)
        self.hints = hints or {}

    def process_data(self, value: Any) -> None:
        self.data = value  # RadioField would make "None" of None

    def _invoke_choices_callback(self, make: Callable[[], Any]) -> Any:
        return make()  # WTForms looks each time whether it wants the form

    def validate_value(self, form: Form) -> None:
        if self.data not in [choice.value for choice in self.choices]:
            raise ValidationError(_("Choose one of the answers shown"))

    def format(self, form: Form, at: datetime) -> str:
        return self.word()

    def word(self) -> str:
        """What the answer is called, in the language in use; itself where it is none of ours."""
        called = (choice.label for choice in self.choices if choice.value == self.data)
        return str(next(called, self.data))

    def words(self) -> Mapping[str, str]:
        return {choice.value: str(choice.label) for choice in self.choices}


class Select(Question, SelectField):
    """One of many, in a list that opens. Its choices may be set after it was submitted."""

    control = "select"

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, choices=list, validate_choice=False, **kwargs)

    def is_plain(self) -> bool:
        return False


class Checkbox(Question, BooleanField):
    """A box to tick."""

    control = "checkbox"

    false_values = (*BooleanField.false_values, "no")

    def chosen(self) -> list[str]:
        return ["yes"] if self.data else []

    def filling(self) -> dict[str, str]:
        return {f"{self.name}={value}": CHECKED for value in self.chosen()}

    def is_blank(self) -> bool:
        return False

    def value(self, form: Form) -> str | None:
        return ("yes" if self.data else "no") if self.is_asked(form) else None

    def format(self, form: Form, at: datetime) -> str:
        return _("Yes") if self.data else ""


class Checkboxes(Question, SelectMultipleField):
    """Any number of several."""

    control = "checkboxes"

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, validate_choice=False, **kwargs)

    def chosen(self) -> list[str]:
        return list(self.data or ())

    def filling(self) -> dict[str, str]:
        return {f"{self.name}={value}": CHECKED for value in self.chosen()}

    def is_blank(self) -> bool:
        return not self.data

    def value(self, form: Form) -> list[str] | None:
        return None if self.is_blank() or not self.is_asked(form) else list(self.data)

    def validate_value(self, form: Form) -> None:
        if not set(self.data) <= {choice.value for choice in self.iter_choices()}:
            raise ValidationError(_("Choose one of the answers shown"))

    def format(self, form: Form, at: datetime) -> str:
        words = {choice.value: str(choice.label) for choice in self.iter_choices()}
        known = [words[value] for value in words if value in self.data]
        return "\n".join([*known, *(value for value in self.data if value not in words)])


class Files(Question, MultipleFileField):
    """Files. The form has those that are kept as `kept_files`; the field only brings new ones."""

    control = "files"

    def leave_open(self) -> None:
        """A browser fills in no file."""

    def filling(self) -> dict[str, str]:
        return {}

    def in_summary(self, error: str) -> str:
        return error  # it names the file

    def kept(self, form: Form) -> list[StoredFile]:
        """Those that answer this question."""
        return [file for file in form.kept_files if file.question == self.name]

    def is_blank(self) -> bool:
        return True  # what is kept was checked when it was

    def value(self, form: Form) -> list[str] | None:
        return [file.name for file in self.kept(form)] or None

    def format(self, form: Form, at: datetime) -> str:
        kept = self.kept(form)
        return "\n".join(f"{file.name} ({size_in_words(file.size)})" for file in kept)
