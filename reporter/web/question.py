"""What a question is, on every form: a WTForms field that also knows when it is asked, how it is
shown and what it says when it is not answered.

`display` is the only place that turns an answer into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from flask_babel import gettext as _
from markupsafe import Markup, escape
from wtforms import Form
from wtforms.fields import Field
from wtforms.validators import StopValidation, ValidationError

from reporter.formats.skeleton import Slot
from reporter.formats.text import is_blank
from reporter.web.bounds import given_back

T = TypeVar("T")

CHECKED, NOT_CHECKED = Markup(" checked"), Markup()
LINE_LENGTH = 200
# Of what a browser should not mend while it is typed.
VERBATIM = {"spellcheck": "false", "autocapitalize": "none", "autocorrect": "off"}
NAMES = VERBATIM | {"autocapitalize": "words"}


def no_answer() -> None:
    """What a question has that nobody has answered."""


class Question(Field):
    """What every kind of question shares.

    hint         help shown beside it
    required     what it says when it is left blank; without it, it may be
    asked_with   (key, value) of the answer in this step that makes it asked at all
    asked_when   what decides the same where no single answer does, given the form
    shown_with   (key, value) of the answer it is shown under, though it is always asked
    required_with  {(key, value): message}: the answers that make it required
    unless       of one with those, what its label says in place of "(optional)"
    wanted       support would ask for it: named in the ticket as missing when blank
    important    the same, for an important incident only
    key          its key in the block of the ticket mail; without it, it is in its section only
    max_length   in characters
    exact        shown as it was copied: every column and blank, in letters of one width
    prose        the same, but written as often as copied: its lines wrap until they have columns
    verbatim     whether a browser's spelling and capitals keep off it; what is exact is, and an
                 address; of names, its spelling does
    autocomplete, inputmode  HTML attributes of the same name
    """

    control: ClassVar[str] = "input"  # which markup it is shown with
    data: Any

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
        unless: Any = "",
        wanted: bool = False,
        important: bool = False,
        key: str = "",
        max_length: int = LINE_LENGTH,
        exact: bool = False,
        prose: bool = False,
        verbatim: bool = False,
        autocomplete: str = "",
        inputmode: str = "",
        **kwargs: Any,
    ) -> None:
        # WTForms calls it, and makes an error of each that cannot be called.
        kwargs.setdefault("default", no_answer)
        super().__init__(label, [check], **kwargs)
        self.hint = hint
        self.required = required
        self.asked_with = asked_with
        self.asked_when = asked_when
        self.shown_with = shown_with or asked_with
        self.required_with = required_with or {}
        self.unless = unless
        self.wanted = wanted
        self.important = important
        self.key = key
        self.max_length = max_length
        self.exact = exact
        self.prose = prose
        self.verbatim = verbatim or exact
        self.autocomplete = autocomplete
        self.inputmode = inputmode

    def process(self, *args: Any, **kwargs: Any) -> None:
        self._read: dict[str, tuple[object, Any]] = {}
        super().process(*args, **kwargs)

    def described_by(self) -> str:
        """The ids of what a screen reader says with it."""
        ids = [f"h-{self.name}"] if self.hint else []
        return " ".join([*ids, f"e-{self.name}"] if self.errors else ids)

    def is_optional(self) -> bool:
        """Whether it may be left blank, whatever else is answered."""
        return not self.required and not self.required_with

    def optional(self) -> str:
        """What its label says of leaving it blank; empty where it may not be."""
        return _("(optional)") if self.is_optional() else str(self.unless)

    def demand(self) -> str:
        """What it says when it is left blank, where it is always shown."""
        return "" if self.shown_with or not self.required else str(self.required)

    def in_summary(self, error: str) -> str:
        """*error* as it is read apart from the question: with its label, but for what names it
        anyway, as whatever is said of a blank one does."""
        label = str(self.label.text)
        if label.lower() in error.lower() or error in map(
            str, (self.required, *self.required_with.values())
        ):
            return error
        if label.endswith("?"):
            return f"{label} {error}"
        return f"{label}: {error[:1].lower()}{error[1:]}"

    def attributes(self) -> dict[str, str]:
        """Of its HTML element."""
        wanted = {
            "type": getattr(self, "input_type", ""),
            "aria-describedby": self.described_by(),
            "aria-invalid": "true" if self.errors else "",
            "autocomplete": self.autocomplete,
            "inputmode": self.inputmode,
        }
        if self.control == "input" and wanted["type"] in {"", "text"}:
            wanted["dir"] = "auto"
        if self.verbatim or wanted["type"] in {"email", "tel"}:
            wanted |= VERBATIM
        elif self.autocomplete in {"name", "organization"}:
            wanted |= NAMES
        if self.exact:
            wanted |= {"class": "exact", "wrap": "off"}
        elif self.prose:
            wanted |= {"class": "exact prose"}
        if self.control == "input" and self.max_length != LINE_LENGTH:
            wanted |= {"data-limit": str(self.max_length)}  # for the script, which counts
        return {"id": f"f-{self.name}"} | {name: value for name, value in wanted.items() if value}

    def checked(self, value: str) -> str:
        """What the markup of an option says of whether it is chosen."""
        if isinstance(self.data, Slot):
            return Slot(f"{self.name}={value}")
        return CHECKED if value in self.chosen() else NOT_CHECKED

    def chosen(self) -> Sequence[str]:
        """The values of the options that are chosen."""
        return [self.data]

    def is_plain(self) -> bool:
        """Whether its markup is the same whatever was answered, but for the answer itself."""
        return not self.errors

    def leave_open(self) -> None:
        """Be shown with a place to fill the answer in."""
        self.data = Slot(self.name)

    def filling(self) -> dict[str, str]:
        """What fills the places that `leave_open` left."""
        return {self.name: escape(self._value())}

    def is_blank(self) -> bool:
        return self.once("blank", lambda: is_blank(self.typed()))

    def once(self, what: str, read: Callable[[], T], *of: object) -> T:
        """What *read* makes of the answer, and of what else it reads; read again when one of them
        is another."""
        known = self._read.get(what)
        if known is None or known[0] != (self.data, of):
            known = self._read[what] = ((self.data, of), read())
        found: T = known[1]
        return found

    def typed(self) -> str:
        """What was answered: as it was typed, but for what a paste adds to a short answer."""
        return str(self.data or "")

    def fit_on_page(self) -> bool:
        """Leave of it what a page gives back; whether that is all of it."""
        if not isinstance(self.data, str) or len(self.data) <= LINE_LENGTH:
            return True
        whole, self.data = self.data, given_back(self.data)
        return bool(self.data == whole)

    def is_asked(self, form: Form) -> bool:
        if self.asked_when is not None:
            return self.asked_when(form)
        if self.asked_with is None:
            return True
        key, value = self.asked_with
        return bool(form[key].is_asked(form) and form[key].data == value)

    def value(self, form: Form) -> str | list[str] | None:
        """What the answer is for a machine: as typed, or None when blank or not asked."""
        return None if self.is_blank() or not self.is_asked(form) else self.typed()

    def validate_value(self, form: Form) -> None:
        """Raises ValidationError when what was typed cannot be taken."""

    def words(self) -> Mapping[str, str]:
        """What each value is called, where that is all of `format`; in the language in use."""
        return {}

    def format(self, form: Form, at: datetime) -> str:
        """The answer in words, read at the time *at*."""
        return self.typed()


def check(form: Form, field: Question) -> None:
    """The one validator of every question."""
    length, is_whole = len(field.typed().replace("\r\n", "\n")), field.fit_on_page()
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
    if length > field.max_length:
        problem = _(
            "Use %(limit)s characters or fewer; you have written %(length)s",
            limit=field.max_length,
            length=length,
        )
        rest = _("Only its beginning fits here: go back with your browser to find all of it")
        raise StopValidation(problem if is_whole else f"{problem}. {rest}")
    try:
        field.validate_value(form)
    except ValidationError as error:  # a validate_<name> of the form sees what can be read only
        raise StopValidation(str(error)) from None


def display(question: Question, form: Form, at: datetime) -> str:
    """An answer in words, in the language in use; empty where there is nothing to say."""
    return "" if question.value(form) is None else question.format(form, at)


def questions(form: Form) -> Sequence[Question]:
    """The questions of a form, in the order they are declared."""
    return [field for field in form if isinstance(field, Question)]
