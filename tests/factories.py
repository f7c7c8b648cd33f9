"""Valid things in one call: answers, forms, reports, applications, and customers with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from jinja2 import FileSystemBytecodeCache
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from reporter import create_app
from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery.outbox import Mail
from reporter.models import Base
from reporter.report import Report
from reporter.settings import HERE
from reporter.wizard import answers
from reporter.wizard.drafts import Draft
from reporter.wizard.step import StepForm
from reporter.wizard.steps import REPORT_STEPS

MIGRATIONS = HERE / "migrations"
# 42 minutes after the time told in ANSWERS.
SENT_AT = datetime(2026, 11, 23, 2, 22, tzinfo=UTC)
REFERENCE = "INC-KX7M9Q"
SETTINGS = {
    "SECRET_KEY": "tests" * 8,
    "BASE_URL": "https://incidents.example.com",
    "PROVIDER_NAME": "Ejemplo Hosting",
    "SUPPORT_EMAIL": "support@example.com",
    "SUPPORT_PHONE": "+34 900 000 000",
    "SUPPORT_HOURS": "24/7",
    "RATELIMIT_ENABLED": False,
    "WORKER_CONNECTIONS": 1,  # mails arrive in their order
    "TESTING": True,
}
# A whole report: what the form sends, by key.
ANSWERS = {
    "service": "web-hosting",
    "affected": "tienda.example.com\r\nwww.example.com",
    "summary": "La tienda no carga – error 502",
    "error_message": "502 Bad Gateway\r\nnginx/1.24.0",
    "impact": "critical",
    "started": "at",
    "started_at": "2026-11-23T02:40",
    "timezone": "Europe/Madrid",
    "pattern": "intermittent",
    "frequency": "cada 10 minutos",
    "changed": "yes",
    "change_description": "Actualizamos el módulo de pago",
    "name": "Íñigo Muñoz",
    "company": "Tienda Muñoz, S.L.",
    "customer_number": "C-1042",
    "email": "inigo@example.com",
    "email_affected": "no",
    "phone": "600 000 000",
    "preferred_channel": "phone",
}
COMPILED = FileSystemBytecodeCache()  # of the templates, for all the applications of the tests
SLUGS = [step.slug for step in REPORT_STEPS]


def make_tables(engine: sa.Engine) -> None:
    """As migrations make them, without running each, and marked as theirs."""
    Base.metadata.create_all(engine)
    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])
    with engine.begin() as connection:
        MigrationContext.configure(connection).stamp(script, "head")


def sqlite_url(folder: Path) -> str:
    """Of a database that has no tables yet."""
    url = f"sqlite:///{folder / 'reporter.db'}"
    database_file.create(url)
    return url


@contextmanager
def an_app(folder: Path, **settings: Any) -> Iterator[Flask]:
    """An application over a SQLite file in *folder*, with its tables."""
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(folder), **settings})
    app.jinja_env.bytecode_cache = COMPILED
    database: Database = app.extensions["sqlalchemy"]
    make_tables(database.engine)
    try:
        yield app
    finally:
        database.close()


def values(slug: str, **changes: str | None) -> dict[str, str]:
    """What the form of a step sends, with *changes*; None leaves a key out."""
    form = next(step.form for step in REPORT_STEPS if step.slug == slug)
    sent = {**_answers_to_others(form), **ANSWERS, **changes}
    return {k: v for k, v in sent.items() if v is not None and hasattr(form, k)}


def _answers_to_others(form: type[StepForm]) -> dict[str, str]:
    """An answer to each question that ANSWERS does not know, so that one more breaks no test."""
    found = {}
    for name, unbound in vars(form).items():
        control = getattr(getattr(unbound, "field_class", None), "control", None)
        asked = control in {"radios", "input"} and not unbound.kwargs.get("asked_when")
        if asked and name not in ANSWERS:
            choices = unbound.kwargs.get("choices")
            found[name] = choices[0].value if choices else "Una respuesta"
    return found


def a_form(slug: str, *, answered_at: datetime | None = None, **changes: str | None) -> StepForm:
    """The form of a step as it was submitted; not validated. Inside a request."""
    step = next(step for step in REPORT_STEPS if step.slug == slug)
    return step.form(
        MultiDict(values(slug, **changes)), answered_at=answered_at, meta={"csrf": False}
    )


def a_report(
    *,
    language: str = "es",
    at: datetime = SENT_AT,
    flags: tuple[str, ...] = (),
    reference: str = REFERENCE,
    **changes: str | None,
) -> Report:
    """What the wizard hands in at the time *at*, under REFERENCE. Inside a request."""
    with force_locale(language):
        forms = {slug: a_form(slug, answered_at=at, **changes) for slug in SLUGS}
        draft = Draft("draft", datetime(2026, 1, 1, tzinfo=UTC), flags=flags)
        return replace(answers.report(draft, forms, language, at), reference=reference)


def parsed(mail: Mail | bytes) -> EmailMessage:
    """A mail as its reader has it."""
    content = mail.content if isinstance(mail, Mail) else mail
    message: EmailMessage = message_from_bytes(content, policy=policy.default)
    return message


def body(mail: Mail | bytes) -> str:
    """The text of a mail."""
    message = parsed(mail)
    part = message.get_body(("plain",)) or message
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


class Page(HTMLParser):
    """What a browser makes of an answer.

    `fields` are those of its form as they would be sent, `errors` the messages beside them,
    `listed` the messages above them, `links` the texts of links by their address.
    """

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.status = response.status_code
        self.headers = response.headers
        self.location = response.headers.get("Location", "")
        self.html = response.get_data(as_text=True)
        self.action = ""
        self.fields: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.listed: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.text = ""
        self._into: tuple[dict[str, str], str] | None = None
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "form":
            self.action = found["action"]
        elif tag == "input":
            if found.get("type") == "file":
                return  # which a browser leaves blank
            if found.get("type") not in {"radio", "checkbox"} or "checked" in found:
                self.fields[name] = found.get("value", "")
        elif tag == "textarea":
            self._into = (self.fields, name)
        elif tag == "p" and found.get("class") == "error":
            self._into = (self.errors, found["id"].removeprefix("e-"))
        elif tag == "a":
            address = found["href"]
            if address.startswith("#f-"):
                self._into = (self.listed, address.removeprefix("#f-"))
            else:
                self._into = (self.links, address)

    def handle_endtag(self, tag: str) -> None:
        if self._into and tag in {"textarea", "p", "a"}:
            there, name = self._into
            text = there.get(name, "")
            if tag == "textarea":  # whose first newline is dropped, and whose others are CRLF
                lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n")
                there[name] = lines.replace("\n", "\r\n")
            else:
                there[name] = " ".join(text.split()).removeprefix("Error: ")
            self._into = None

    def handle_data(self, text: str) -> None:
        self.text += text
        if self._into:
            there, name = self._into
            there[name] = there.get(name, "") + text


class Customer:
    """Somebody with a browser of their own, who goes from page to page."""

    def __init__(self, app: Flask, language: str = "es", **environment: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.base_url = app.config["BASE_URL"]
        self.headers = {"Accept-Language": language}
        self.environment = environment
        self.page: Page

    def open(self, path: str) -> Page:
        """Follow a link, wherever it leads."""
        return self._go("GET", path, follow=True)

    def peek(self, path: str) -> Page:
        """The answer itself, without following it or leaving the page."""
        here = getattr(self, "page", None)
        page = self._go("GET", path, follow=False)
        if here:
            self.page = here
        return page

    def submit(self, follow: bool = True, **changes: str | None) -> Page:
        """Send the form of the page, filled as it is but for *changes*."""
        sent = {k: v for k, v in {**self.page.fields, **changes}.items() if v is not None}
        return self._go("POST", self.page.action, follow=follow, data=sent)

    def fill(self, slug: str, follow: bool = True, **changes: str | None) -> Page:
        """Open a step, answer it and press the button."""
        self.open(f"/report/{slug}")
        return self.submit(follow, **values(slug, **changes))

    def fill_all(self, **changes: str | None) -> Page:
        """Answer every step; the review."""
        for slug in SLUGS:
            self.fill(slug, **changes)
        return self.page

    def report(self, **changes: str | None) -> Page:
        """Answer every step and send; the receipt."""
        self.fill_all(**changes)
        return self.submit()

    def _go(self, method: str, path: str, *, follow: bool, **options: Any) -> Page:
        response = self.client.open(
            path,
            method=method,
            base_url=self.base_url,
            headers=self.headers,
            environ_overrides=self.environment,
            **options,
        )
        self.page = Page(response)
        if follow and 300 <= self.page.status < 400:
            return self._go("GET", self.page.location, follow=True)
        return self.page
