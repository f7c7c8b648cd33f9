"""Things to point out on the review, never to block: secrets pasted by mistake, odd numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from reporter.formats.addresses import meant
from reporter.formats.secrets import holds_secret
from reporter.report import StoredFile
from reporter.web.contact_fields import Email, Phone
from reporter.web.fields import Files, TextArea, TextInput
from reporter.web.question import Question
from reporter.wizard.step import StepForm


@dataclass(frozen=True)
class ReviewWarning:
    """Something to look at again: in which question, and why."""

    name: str
    label: str
    text: str


def review_warnings(forms: Iterable[StepForm]) -> Iterator[ReviewWarning]:
    for form in forms:
        for question, value, _asked in form.given:
            if value is not None and (text := _warning(question, form)):
                yield ReviewWarning(question.name, str(question.label.text), text)


def _warning(question: Question, form: StepForm) -> str:
    """What to say of an answer; empty where there is nothing."""
    text = ""
    if isinstance(question, Phone):
        phone = question.phone()
        if phone and not phone.is_usual:
            text = _("This number looks unusual: check it.")
    elif isinstance(question, Email):
        if better := meant(str(question.value(form))):
            text = _("Check this address: did you mean %(address)s?", address=better)
    elif isinstance(question, Files):
        text = _of_files(question.kept(form))
    elif isinstance(question, (TextInput, TextArea)) and holds_secret(str(question.data)):
        text = _(
            "This looks like a password, a key, a card or an account number. "
            "We do not need it: take it out of the answer if you can."
        )
    return str(text)


def _of_files(files: Sequence[StoredFile]) -> str:
    said = [
        _(
            "%(name)s seems to hold a password, a key or a session. We do not need it: "
            "remove the file if you can, and take it out.",
            name=file.name,
        )
        for file in files
        if file.holds_secret
    ]
    said += [
        _("%(name)s may say where it was recorded or taken.", name=file.name)
        for file in files
        if file.tells_position
    ]
    return " ".join(str(each) for each in said)
