"""The call this form is made for, filed in Spanish: its mail is the example in the documentation.

To write it there anew: make example
"""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))

import time_machine
from customers import Customer
from factories import an_app, body, parsed

from reporter.database import Database
from reporter.delivery import backlog

PAGE = Path(__file__).parents[2] / "docs" / "mail.md"
MARKED = re.compile(r"(?<=<!-- ticket -->\n```text\n).*?(?=```\n<!-- /ticket -->)", re.DOTALL)

REFERENCE = "INC-KX7M9Q"
# A Sunday in the middle of January.
OPENED_AT = datetime(2023, 1, 15, 10, 5, tzinfo=ZoneInfo("Europe/Madrid"))
# "This is … of the company …: our web site does not load the contact form, and shows the error
# …", and all that support would then have to ask.
CALL = {
    "service": "web-hosting",
    "affected": "www.example.com/contacto",
    "summary": "La web no carga el formulario de contacto",
    "error_message": "Error establishing a database connection",
    "impact": "major",
    "started": "at",
    "started_at": "2023-01-15T09:30",
    "approximate": "yes",
    "timezone": "Europe/Madrid",
    "pattern": "continuous",
    "changed": "no",
    "name": "Nombre Apellido",
    "company": "Nombre de la Empresa",
    "email": "nombre.apellido@example.com",
    "email_affected": "no",
    "phone": "600 000 000",
    "preferred_channel": "phone",
}
UNSAID = dict.fromkeys(("customer_number", "frequency", "change_description"), None)
# What tells parts of a mail from one another, and not the mail.
MACHINERY = {"MIME-Version", "Content-Type"}


def the_mail(folder: Path) -> str:
    """The ticket as support reads it."""
    with (
        time_machine.travel(OPENED_AT, tick=False) as clock,
        patch("reporter.reports.submission.new_reference", return_value=REFERENCE),
        an_app(folder) as app,
    ):
        customer = Customer(app)
        for slug in ("failure", "timing", "changes", "contact"):
            customer.fill(slug, **CALL, **UNSAID)
            clock.shift(timedelta(seconds=30))
        page = customer.submit()
        assert REFERENCE in page.text
        database: Database = app.extensions["sqlalchemy"]
        with database.read() as session:
            ticket = backlog.find(session, REFERENCE)[0].content
    assert b"\nSubject: SEV2 La web no carga" in ticket
    headers = [f"{k}: {v}" for k, v in parsed(ticket).items() if k not in MACHINERY]
    return "\n".join([*headers, "", *body(ticket).splitlines()]).rstrip() + "\n"


def test_the_mail_of_the_documentation_is_what_support_gets(tmp_path: Path) -> None:
    shown = MARKED.search(PAGE.read_text(encoding="utf-8"))
    assert shown, "the page has no example"
    assert shown.group() == the_mail(tmp_path), "if it has to change: make example"


def test_the_example_says_all_that_the_call_did(tmp_path: Path) -> None:
    mail = the_mail(tmp_path)
    for said in ("Nombre de la Empresa", "no carga el formulario", "Error establishing a database"):
        assert said in mail
    assert "flags:" not in mail


def write() -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        mail = the_mail(Path(folder))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(MARKED.sub(lambda _: mail, text), encoding="utf-8")


if __name__ == "__main__":
    write()
