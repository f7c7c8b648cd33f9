"""The mails a report causes, composed to final bytes: ticket and acknowledgement."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage

from email_validator import validate_email
from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.links import absolute, sign
from reporter.reports import ticket, twin
from reporter.reports.folding import MAIL
from reporter.reports.helpdesk import PROFILES, importance
from reporter.reports.report import Report


@dataclass(frozen=True)
class Mail:
    """A mail ready for the outbox: one recipient, a fixed Message-ID, final bytes."""

    recipient: str
    mime_id: str
    content: bytes


def compose_ticket(report: Report) -> Mail:
    """The ticket, to support. Its one recipient is SUPPORT_EMAIL, whatever Cc says."""
    config = current_app.config
    profile = PROFILES[config["HELPDESK_PROFILE"]]
    customer = ascii_address(report.text("email"))
    language = config["SUPPORT_LOCALE"]
    name = safe_name(report.text("name"))
    mail = EmailMessage(policy=MAIL)
    mail["From"] = _ourselves()
    mail["Reply-To"] = Address(name, addr_spec=customer)
    mail["To"] = Address(addr_spec=config["SUPPORT_EMAIL"])
    if config["TICKET_CC_CUSTOMER"] or profile.names_customer_in_cc:
        mail["Cc"] = Address(name, addr_spec=customer)
    mail["Subject"] = ticket.subject(report)
    mail["Message-ID"] = mime_id(report.reference, "0")
    mail["Date"] = report.saved_at
    headers = {
        **importance(report.severity),
        "X-Incident-Reference": report.reference,
        "X-Incident-Severity": report.severity.code,
        "X-Incident-Service": report.text("service"),
        **profile.headers(report, customer),
        **config["HELPDESK_HEADERS"],
    }
    mail.set_content(ticket.ticket_text(report, language), cte="quoted-printable")
    mail.add_attachment(
        twin.to_bytes(twin.twin(report, language)),
        maintype="application",
        subtype="json",
        filename=f"{report.reference}.0.json{profile.twin_suffix}",
    )
    _set(mail, {"Content-Language": language, **headers})
    return Mail(config["SUPPORT_EMAIL"], mail["Message-ID"], mail.as_bytes())


def compose_acknowledgement(report: Report, receipt_path: str) -> Mail:
    """The reference and the receipt's link, to the customer.

    No word that a visitor typed is in it, or the form could be made to send spam.
    """
    config = current_app.config
    customer = ascii_address(report.text("email"))
    mail = EmailMessage(policy=MAIL)
    mail["From"] = _ourselves()
    mail["Reply-To"] = Address(addr_spec=config["SUPPORT_EMAIL"])
    mail["To"] = Address(addr_spec=customer)
    with force_locale(report.language):
        mail["Subject"] = _("%(reference)s: we have your report", reference=report.reference)
        text = render_template(
            "email/acknowledgement.txt",
            reference=report.reference,
            receipt=absolute(receipt_path),
        )
    mail["Message-ID"] = mime_id(report.reference, "ack")
    mail["Date"] = report.saved_at
    mail["References"] = mime_id(report.reference, "0")
    mail.set_content(text, cte="quoted-printable")
    headers = {
        "Content-Language": report.language,
        "Auto-Submitted": "auto-replied",  # RFC 3834, section 5
        "X-Auto-Response-Suppress": "AutoReply, OOF, DR, RN, NRN",
    }
    _set(mail, headers)
    return Mail(customer, mail["Message-ID"], mail.as_bytes())


def mime_id(reference: str, number: str) -> str:
    """The Message-ID of a report's mail: always the same for the same mail, and not guessable."""
    proof = sign("message-id", f"{reference}.{number}").hex()[:16]
    domain = current_app.config["MAIL_DEFAULT_SENDER"].rpartition("@")[2]
    return f"<{reference}.{number}.{proof}@{domain}>"


def ascii_address(email: str) -> str:
    """*email* with its domain in ASCII (IDNA 2008, UTS 46): the form that every relay takes.

    Raises email_validator.EmailNotValidError.
    """
    checked = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    return str(checked.ascii_email)


def safe_name(name: str) -> str:
    """A name with nothing in it that could pass for a second address: letters, marks, digits."""
    composed = unicodedata.normalize("NFC", name)
    kept = (c if c in ".'’·-" or unicodedata.category(c)[0] in "LMN" else " " for c in composed)
    return " ".join("".join(kept).split())[:60].rstrip()


def _ourselves() -> Address:
    config = current_app.config
    return Address(config["PROVIDER_NAME"], addr_spec=config["MAIL_DEFAULT_SENDER"])


def _set(mail: EmailMessage, headers: Mapping[str, str]) -> None:
    """Set *headers*, once the content is there: setting it drops those that begin "Content-"."""
    for name, value in headers.items():
        del mail[name]
        mail[name] = value
