"""What answers are checked by, under one name, so that none is checked again by the same."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import current_app

from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.steps import REPORT_STEPS

# The settings that answers are checked by.
CHECKED_BY = ("SERVICES", "TIMEZONE", "PHONE_REGION", "SUPPORT_EMAIL", "MAIL_DEFAULT_SENDER")
# What has rules of its own: ours, and those of the time zones, of phones and of addresses.
PACKAGES = ("incident-reporter", "tzdata", "phonenumbers", "email-validator", "idna")


def rules() -> str:
    """A name for what answers are checked by: another in another release, with other settings,
    questions or time zones; the same in each language. Found once by each application."""
    made: dict[str, Any] = current_app.extensions
    if "rules" not in made:
        settings = [current_app.config[name] for name in CHECKED_BY]
        told = repr(([_version(name) for name in PACKAGES], settings, list(_asked())))
        made["rules"] = sha256(told.encode()).hexdigest()[:16]
    return str(made["rules"])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # the system's own time zones
        return ""


def _asked() -> Iterator[tuple[object, ...]]:
    """Of each question what an answer to it is checked by: questions are also changed between two
    releases, by whoever runs us."""
    for step in (*REPORT_STEPS, *DETAIL_STEPS):
        for question in questions(step.form(None, meta={"csrf": False})):
            yield (step.slug, *_rule(question))


def _rule(question: Question) -> tuple[object, ...]:
    choices = question.iter_choices() if hasattr(question, "iter_choices") else ()
    return (
        type(question).__name__,
        question.name,
        bool(question.required),
        question.asked_with,
        question.asked_when is not None,
        question.shown_with,
        sorted(question.required_with),
        question.max_length,
        [str(choice.value) for choice in choices],
    )
