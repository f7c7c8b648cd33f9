"""Things to point out on the review, never to block: secrets pasted by mistake, odd numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import phonenumbers
from flask_babel import gettext as _

from reporter.formats import phones
from reporter.formats.secrets import holds_secret
from reporter.web.fields import Phone, TextArea, TextInput
from reporter.web.question import questions
from reporter.wizard.step import StepForm


@dataclass(frozen=True)
class ReviewWarning:
    """Something to look at again: in which question, and why."""

    name: str
    label: str
    text: str


def review_warnings(forms: Iterable[StepForm]) -> Iterator[ReviewWarning]:
    for form in forms:
        for question in questions(form):
            if question.value(form) is None:
                continue
            label = str(question.label.text)
            if isinstance(question, Phone):
                number = phones.parse(question.data)
                if number and not phonenumbers.is_valid_number(number):
                    yield ReviewWarning(
                        question.name, label, _("This number looks unusual: check it.")
                    )
            elif isinstance(question, (TextInput, TextArea)) and holds_secret(str(question.data)):
                yield ReviewWarning(
                    question.name,
                    label,
                    _(
                        "This looks like a password, a key, a card or an account number. "
                        "We do not need it: take it out of the answer if you can."
                    ),
                )
