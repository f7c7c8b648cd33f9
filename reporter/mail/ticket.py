"""The mails to support about one report, composed to final bytes: the ticket and its follow-ups."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from email.headerregistry import Address

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.delivery.outbox import Mail
from reporter.formats.languages import tag
from reporter.mail import ticket_json, ticket_text
from reporter.mail.composition import Composition
from reporter.mail.followup_text import followup_text
from reporter.mail.helpdesk import PROFILES, importance, subject_tag
from reporter.mail.message import finish, mailbox, mime_id, new_message, put_in_thread, written_to
from reporter.models import UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, Similar, StoredFile


def compose_ticket(
    report: Report,
    desk_url: str = "",
    similar: Similar | None = None,
    files: Sequence[tuple[StoredFile, bytes]] = (),
) -> Mail:
    """The ticket, to support, with *files*, but for those at the desk only. Its one recipient is
    SUPPORT_EMAIL, whatever Cc says."""
    config = current_app.config
    profile = PROFILES[config["HELPDESK_PROFILE"]]
    customer = _customer(report)
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        reply_to=customer,
        cc=customer if config["TICKET_CC_CUSTOMER"] or profile.names_customer_in_cc else None,
        subject=ticket_text.subject(report),
        mime_id=mime_id(report.reference, "0"),
        date=report.saved_at,
    )
    language = config["SUPPORT_LOCALE"]
    sections = ticket_text.sections_text(report, language)
    mail.set_content(ticket_text.ticket_text(report, language, desk_url, similar, sections))
    _attach_files(mail, files)
    sent = [file for file, _content in files if not file.for_desk]
    _attach_json(mail, report, 0, sections, files=sent)
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
    helpdesk_number: str = "",
    root: str = "",
) -> Mail:
    """A follow-up in the ticket's thread. *files* are new with it; those for the desk are told of.
    *root*: the Message-ID that the ticket was sent with, which another SECRET_KEY may have made,
    and the one that a relay wrote in its place.

    Its text tells what is new; the whole current state is in the JSON.
    """
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    profile = PROFILES[config["HELPDESK_PROFILE"]]
    tag = subject_tag(profile, helpdesk_number, config["SUPPORT_EMAIL"])
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        reply_to=_customer(report),
        subject=f"Re: {ticket_text.subject(report)}{tag}",
        mime_id=mime_id(report.reference, str(followup.number)),
        date=followup.updates[-1].at,
    )
    put_in_thread(mail, root or mime_id(report.reference, "0"))
    stored = [file for file, _content in files if not file.for_desk]
    names = _named([file for file, _content in files], language)
    text = followup_text(report, language, followup, names, desk_url)
    mail.set_content(text)
    _attach_files(mail, files)
    if not followup.only_files:
        told = [
            update
            for update in (*followup.earlier, *followup.updates)
            if update.kind != UpdateKind.UNREACHABLE  # which is no word of the customer's
        ]
        sections = ticket_text.sections_text(report, language)
        _attach_json(mail, report, followup.number, sections, told, stored)
    return finish(mail, _headers(report))


def _attach_files(mail: Composition, files: Sequence[tuple[StoredFile, bytes]]) -> None:
    for file, content in files:
        if file.for_desk:
            continue
        mail.attach(content, file.mime_type, file.filename)


def _named(files: Sequence[StoredFile], language: str) -> list[tuple[str, str]]:
    """Our name of each file and the customer's, with where it is if it is not in the mail."""
    with force_locale(language):
        there = _("at the desk only")
    return [(f.filename, f"{f.name}, {there}" if f.for_desk else f.name) for f in files]


def safe_name(name: str) -> str:
    """A name with nothing in it that could pass for a second address: letters, marks, digits."""
    composed = unicodedata.normalize("NFC", name)
    kept = (c if c in ".'’·-" or unicodedata.category(c)[0] in "LMN" else " " for c in composed)
    return " ".join("".join(kept).split())[:60].rstrip()


def _customer(report: Report) -> Address:
    return mailbox(written_to(report.text("email")), safe_name(report.text("name")))


def _headers(report: Report) -> Mapping[str, str]:
    return {
        "Content-Language": tag(current_app.config["SUPPORT_LOCALE"]),
        **importance(report.severity),
        "X-Incident-Reference": report.reference,
        "X-Incident-Severity": report.severity.code,
        "X-Incident-Service": report.text("service"),
    }


def _attach_json(
    mail: Composition,
    report: Report,
    number: int,
    description: str,
    updates: Sequence[CustomerUpdate] = (),
    files: Sequence[StoredFile] = (),
) -> None:
    config = current_app.config
    suffix = PROFILES[config["HELPDESK_PROFILE"]].json_suffix
    language = config["SUPPORT_LOCALE"]
    ticket = ticket_json.trouble_ticket(report, language, updates, files, description)
    filename = f"{report.reference}.{number}.json{suffix}"
    mail.attach(ticket_json.to_bytes(ticket), "application/json", filename)
