"""Valid things in one call: answers, forms, reports, applications, and mails as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_babel import force_locale
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from werkzeug.datastructures import MultiDict

from reporter import create_app
from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery.outbox import Mail
from reporter.models import Base
from reporter.report import Report
from reporter.settings import HERE, resolve
from reporter.wizard import answers
from reporter.wizard.draft import Draft
from reporter.wizard.step import StepForm
from reporter.wizard.steps import REPORT_STEPS

HOW_COMPILED = (HERE / "web" / "template_names.py").read_text(encoding="utf-8")


class Compiled(FileSystemBytecodeCache):
    """Templates, compiled once for all the tests, and read once for those of a process."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[tuple[str, str], Any] = {}

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(HOW_COMPILED + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._read.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            super().load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        super().dump_bytecode(bucket)
        self._keep(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._read[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()
MIGRATIONS = HERE / "migrations"
# 42 minutes after the time told in ANSWERS.
SENT_AT = datetime(2026, 11, 23, 2, 22, tzinfo=UTC)
REFERENCE = "INC-KX7M9Q"
SETTINGS: dict[str, Any] = {
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
# Those of the service, each of which a test looks at that is about all of them.
LANGUAGES: list[str] = SETTINGS.get("LANGUAGES") or resolve()[1]["LANGUAGES"]
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
SLUGS = [step.slug for step in REPORT_STEPS]


def make_tables(engine: sa.Engine) -> None:
    """As migrations make them, without running each, and marked as theirs."""
    file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
    if file and file.stat().st_size == 0:  # nobody has opened it
        file.write_bytes(_file_with_tables())
        return
    Base.metadata.create_all(engine)
    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])
    with engine.begin() as connection:
        MigrationContext.configure(connection).stamp(script, "head")


@cache
def _file_with_tables() -> bytes:
    """Of SQLite: made once, as most tests begin with a copy."""
    with TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder)))
        with database.engine.connect():  # from here on it is no empty file
            make_tables(database.engine)
        database.close()
        return Path(folder, "reporter.db").read_bytes()


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


def values(slug: str, *, others: bool = True, **changes: str | None) -> dict[str, str]:
    """What the form of a step sends, with *changes*; None leaves a key out.

    With *others*, questions that ANSWERS does not know are answered too: one that is new and
    required stops nobody.
    """
    form = next(step.form for step in REPORT_STEPS if step.slug == slug)
    sent = {**(_answers_to_others(form) if others else {}), **ANSWERS, **changes}
    return {k: v for k, v in sent.items() if v is not None and hasattr(form, k)}


def everything(**changes: str | None) -> dict[str, str]:
    """What all steps send at once."""
    return {k: v for slug in SLUGS for k, v in values(slug, **changes).items()}


def _answers_to_others(form: type[StepForm]) -> dict[str, str]:
    """An answer to each question that ANSWERS does not know."""
    found = {}
    for name, unbound in vars(form).items():
        control = getattr(getattr(unbound, "field_class", None), "control", None)
        asked = control in {"radios", "input"} and not unbound.kwargs.get("asked_when")
        if asked and name not in ANSWERS:
            choices = unbound.kwargs.get("choices")
            found[name] = choices[0].value if choices else "Una respuesta"
    return found


def a_form(
    slug: str,
    *,
    answered_at: datetime | None = None,
    others: bool = True,
    **changes: str | None,
) -> StepForm:
    """The form of a step as it was submitted; not validated. Inside a request."""
    step = next(step for step in REPORT_STEPS if step.slug == slug)
    sent = MultiDict(values(slug, others=others, **changes))
    return step.form(sent, answered_at=answered_at, meta={"csrf": False})


def a_report(
    *,
    language: str = "es",
    at: datetime = SENT_AT,
    flags: tuple[str, ...] = (),
    reference: str = REFERENCE,
    others: bool = False,
    **changes: str | None,
) -> Report:
    """What the wizard hands in at the time *at*, under REFERENCE. Inside a request.

    Without *others* it has the answers of ANSWERS alone, so that mails told to the letter stay as
    they are when a question comes.
    """
    with force_locale(language):
        forms = {slug: a_form(slug, answered_at=at, others=others, **changes) for slug in SLUGS}
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
