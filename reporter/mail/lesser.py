"""The lesser forms of a mail to support that no relay takes: without its files, then a stub."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.delivery.outbox import Mail
from reporter.formats.languages import tag
from reporter.formats.words import service_name
from reporter.mail.first_line import severity_in_words
from reporter.mail.helpdesk import importance
from reporter.mail.message import finish, new_message, put_in_thread
from reporter.report import Report

# Of a whole mail, what is about the parts that are left out.
PARTS_HEADERS = (b"content-type:", b"content-transfer-encoding:", b"mime-version:")


def without_files(content: bytes, desk_url: str) -> bytes | None:
    """The mail with its text alone, its other headers byte for byte, and, where files of the
    customer's were left out and not the JSON alone, a line that says so below the first.

    None when it has no parts that could be left out.
    """
    whole = message_from_bytes(content, policy=policy.default)
    part = whole.get_body(("plain",))
    if not whole.is_multipart() or part is None:
        return None
    with force_locale(current_app.config["SUPPORT_LOCALE"]):
        told = _(
            "No mail server took this with its files. They are at the desk: %(url)s", url=desk_url
        )
    text = EmailMessage(policy=policy.SMTP)
    words = part.get_content().replace("\r\n", "\n")
    # A customer's JSON travels as bytes, as every text does.
    if any(each.get_content_type() != "application/json" for each in whole.iter_attachments()):
        first_line, blank, rest = words.partition("\n\n")
        words = f"{first_line}\n\n{told}{blank}{rest}"
    text.set_content(words, cte="quoted-printable")
    headers, _blank, _body = content.partition(b"\r\n\r\n")
    return b"\r\n".join([*_kept(headers.split(b"\r\n")), text.as_bytes()])


def _kept(lines: list[bytes]) -> list[bytes]:
    """The header lines, folded ones with the one that they belong to, but for the parts'."""
    kept, keeping = [], True
    for line in lines:
        if line[:1] not in b" \t":
            keeping = not line.lower().startswith(PARTS_HEADERS)
        if keeping:
            kept.append(line)
    return kept


def compose_stub(report: Report, own_id: str, root: str, number: int, desk_url: str) -> Mail:
    """What a filter has nothing against: that there is a report, how serious, and where it is.

    *own_id*: the Message-ID of the mail that it stands for, which another key or sender would not
    make again. *root*: that of the ticket, which what follows it refers to.
    No word of the customer's is in it, nor their name or address: so it is no answer to them that
    an answer to this mail would be.
    """
    config = current_app.config
    reference, service = report.reference, report.text("service")
    phone = report.text("phone")
    with force_locale(config["SUPPORT_LOCALE"]):
        what = _("Report without its text") if number == 0 else _("Update without its text")
        told = _(
            "%(service)s, %(severity)s: no mail server took what the customer wrote.",
            service=service_name(service),
            severity=severity_in_words(report.severity),
        )
        where = _("All of it is at the desk: %(url)s", url=desk_url)
        answer = _("Answer there: a reply to this email does not reach the customer.")
    block = {
        "reference": reference,
        "update": str(number),
        "severity": report.severity.code,
        "service": service,
        "reporter_phone": phone,
    }
    lines = [f"{key}: {value}" for key, value in block.items() if value]
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=f"SEV{report.severity.level} {what} | {service} | {reference}",
        mime_id=own_id,
        date=report.saved_at,
    )
    if number:
        put_in_thread(mail, root)
    text = "\n".join([told, "", *lines, "", where, answer, ""])
    mail.set_content(text)
    headers = {
        "Content-Language": tag(config["SUPPORT_LOCALE"]),
        **importance(report.severity),
        "X-Incident-Reference": reference,
        "X-Incident-Severity": report.severity.code,
        "X-Incident-Service": service,
    }
    # Of the first mail of a ticket: the queue that it belongs to, say.
    set_there = config["HELPDESK_HEADERS"] if number == 0 else {}
    return finish(mail, {**headers, **set_there})
