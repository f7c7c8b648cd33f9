"""The mails a report causes, composed to final bytes: ticket, follow-up, and to the customer."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.composing import (
    AUTO_GENERATED,
    AUTO_REPLIED,
    Mail,
    ascii_address,
    finish,
    mime_id,
    new_message,
    support,
)
from reporter.links import absolute
from reporter.reports import ticket, twin
from reporter.reports.attachments import StoredFile
from reporter.reports.block import Followup, News, Similar
from reporter.reports.helpdesk import PROFILES, importance
from reporter.reports.report import Report
from reporter.times import day_and_time


def compose_ticket(report: Report, desk_url: str = "", similar: Similar | None = None) -> Mail:
    """The ticket, to support. Its one recipient is SUPPORT_EMAIL, whatever Cc says."""
    config = current_app.config
    profile = PROFILES[config["HELPDESK_PROFILE"]]
    customer = _customer(report)
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        reply_to=customer,
        cc=customer if config["TICKET_CC_CUSTOMER"] or profile.names_customer_in_cc else None,
        subject=ticket.subject(report),
        mime_id=mime_id(report.reference, "0"),
        date=report.saved_at,
    )
    language = config["SUPPORT_LOCALE"]
    mail.set_content(
        ticket.ticket_text(report, language, desk_url, similar), cte="quoted-printable"
    )
    _attach_twin(mail, report, 0)
    headers = {
        **_headers(report),
        **profile.headers(report, customer.addr_spec),
        **config["HELPDESK_HEADERS"],
    }
    return finish(mail, headers)


def compose_followup(
    report: Report,
    followup: Followup,
    files: Sequence[tuple[StoredFile, bytes]],
    desk_url: str,
) -> Mail:
    """A follow-up in the ticket's thread, with the whole current state. *files* are new with it."""
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        reply_to=_customer(report),
        subject="Re: " + ticket.subject(report),
        mime_id=mime_id(report.reference, str(followup.number)),
        date=followup.news[-1].at,
    )
    root = mime_id(report.reference, "0")
    mail["In-Reply-To"] = root
    mail["References"] = root
    stored = [file for file, _content in files]
    names = [(file.filename, file.name) for file in stored]
    text = ticket.followup_text(report, language, followup, names, desk_url)
    mail.set_content(text, cte="quoted-printable")
    for file, content in files:
        maintype, _slash, subtype = file.mime_type.partition("/")
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=file.filename)
    if not followup.only_files:
        told = [*followup.earlier, *followup.news]
        _attach_twin(mail, report, followup.number, told, stored)
    return finish(mail, _headers(report))


def compose_acknowledgement(report: Report, receipt_path: str) -> Mail:
    """The reference and the receipt's link, to the customer.

    No word that a visitor typed is in it, or the form could be made to send spam.
    """
    with force_locale(report.language):
        subject = _("%(reference)s: we have your report", reference=report.reference)
        text = render_template(
            "email/acknowledgement.txt",
            reference=report.reference,
            receipt=absolute(receipt_path),
        )
    return _to_customer(report, "ack", subject, text, report.saved_at, AUTO_REPLIED)


def compose_news(
    report: Report,
    key: str,
    solved: bool,
    text: str,
    next_news_at: datetime | None,
    at: datetime,
    receipt_path: str,
) -> Mail:
    """What support says, to a customer who asked for news: our words and support's, no others."""
    zone = report.zone
    with force_locale(report.language):
        subject = (
            _("%(reference)s: support says it is solved", reference=report.reference)
            if solved
            else _("%(reference)s: news from support", reference=report.reference)
        )
        body = render_template(
            "email/news.txt",
            reference=report.reference,
            solved=solved,
            text=text,
            next_news_at=next_news_at and day_and_time(next_news_at.astimezone(zone)),
            zone=zone.key,
            receipt=absolute(receipt_path),
        )
    return _to_customer(report, key, subject, body, at, AUTO_GENERATED)


def safe_name(name: str) -> str:
    """A name with nothing in it that could pass for a second address: letters, marks, digits."""
    composed = unicodedata.normalize("NFC", name)
    kept = (c if c in ".'’·-" or unicodedata.category(c)[0] in "LMN" else " " for c in composed)
    return " ".join("".join(kept).split())[:60].rstrip()


def _to_customer(
    report: Report,
    key: str,
    subject: str,
    text: str,
    at: datetime,
    automatic: Mapping[str, str],
) -> Mail:
    mail = new_message(
        to=ascii_address(report.text("email")),
        reply_to=support(),
        subject=subject,
        mime_id=mime_id(report.reference, key),
        date=at,
    )
    mail["References"] = mime_id(report.reference, "0")
    mail.set_content(text, cte="quoted-printable")
    return finish(mail, {"Content-Language": report.language, **automatic})


def _customer(report: Report) -> Address:
    return Address(safe_name(report.text("name")), addr_spec=ascii_address(report.text("email")))


def _headers(report: Report) -> Mapping[str, str]:
    return {
        "Content-Language": current_app.config["SUPPORT_LOCALE"],
        **importance(report.severity),
        "X-Incident-Reference": report.reference,
        "X-Incident-Severity": report.severity.code,
        "X-Incident-Service": report.text("service"),
    }


def _attach_twin(
    mail: EmailMessage,
    report: Report,
    number: int,
    news: Sequence[News] = (),
    files: Sequence[StoredFile] = (),
) -> None:
    config = current_app.config
    suffix = PROFILES[config["HELPDESK_PROFILE"]].twin_suffix
    mail.add_attachment(
        twin.to_bytes(twin.twin(report, config["SUPPORT_LOCALE"], news, files)),
        maintype="application",
        subtype="json",
        filename=f"{report.reference}.{number}.json{suffix}",
    )
