"""Reminding support of a time that it has promised.

Some helpdesks pass what comes into a ticket on to its customer, so every word may be read by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.delivery.outbox import Mail
from reporter.formats.languages import tag
from reporter.formats.support_times import support_zone
from reporter.formats.words import hour, service_name
from reporter.mail import ticket_text
from reporter.mail.message import finish, mime_id, new_message, put_in_thread
from reporter.report import Report


def compose_reminder(
    report: Report, root: str, promised: datetime, desk_url: str, at: datetime
) -> Mail:
    """That the customer expects news at *promised*, in the thread of the ticket, whose Message-ID
    is *root*."""
    return _compose(
        subject="Re: " + ticket_text.subject(report),
        reference=report.reference,
        root=root,
        promised=promised,
        link=desk_url,
        at=at,
    )


def compose_notice_reminder(
    key: str, services: Sequence[str], promised: datetime, link: str, at: datetime
) -> Mail:
    """That customers expect news of a known incident at *promised*."""
    with force_locale(current_app.config["SUPPORT_LOCALE"]):
        named = ", ".join(map(service_name, services))
        subject = _("%(key)s: next update is due (%(services)s)", key=key, services=named)
    return _compose(subject=subject, reference=key, root="", promised=promised, link=link, at=at)


def _compose(
    *, subject: str, reference: str, root: str, promised: datetime, link: str, at: datetime
) -> Mail:
    config = current_app.config
    with force_locale(config["SUPPORT_LOCALE"]):
        text = _(
            "Reminder: the next update on %(reference)s is due at %(time)s (%(zone)s), as "
            "customers were told.\n\n"
            "Support desk: %(link)s\n",
            reference=reference,
            time=hour(promised.astimezone(support_zone())),
            zone=config["TIMEZONE"],
            link=link,
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=subject,
        mime_id=mime_id(reference, f"reminder-{int(promised.timestamp())}"),
        date=at,
    )
    if root:
        put_in_thread(mail, root)
    mail.set_content(text)
    return finish(mail, {"Content-Language": tag(config["SUPPORT_LOCALE"])})
