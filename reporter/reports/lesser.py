"""What the worker sends in place of a ticket or a follow-up that every relay has refused."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from reporter import models
from reporter.delivery.mail import Mail
from reporter.links import desk_url
from reporter.mail.lesser import compose_stub, without_files
from reporter.models import MailForm, MailKind
from reporter.reports import store


def lesser_form(session: Session, message: models.Message) -> Mail | None:
    """The mail in the form after the one that *message* has; None of other kinds.

    It keeps its Message-ID, so that what follows it in its thread finds it. What it leaves out is
    at the desk.
    """
    row = session.get(models.Report, message.report_id) if message.report_id else None
    if message.kind not in {MailKind.TICKET, MailKind.FOLLOWUP} or row is None:
        return None
    url = desk_url(row.reference)
    if message.form == MailForm.FULL:
        content = without_files(message.content, url)
        if content is not None:
            return Mail(message.recipient, message.mime_id, content)
    stub = compose_stub(
        store.to_value(session, row),
        message.mime_id,
        store.root_of(session, row),
        _number(message),
        url,
    )
    return replace(stub, recipient=message.recipient)


def _number(message: models.Message) -> int:
    """Of the mail among those of its report, as its Message-ID has it ("<INC-KX7M9Q.0.…>")."""
    number = message.mime_id.split(".")[1]
    return int(number) if number.isdecimal() else 0
