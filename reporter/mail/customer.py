"""The mails to a customer: the acknowledgement, and what support says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.delivery.outbox import Mail
from reporter.formats.skeleton import Slot, skeleton
from reporter.formats.text import exact
from reporter.formats.words import day_and_time
from reporter.mail.message import AUTO_GENERATED, AUTO_REPLIED, mime_id, to_customer
from reporter.report import Report


def compose_acknowledgement(report: Report, receipt_url: str) -> Mail:
    """The reference and the receipt's link, to the customer.

    No word that a visitor typed is in it, or the form could be made to send spam.
    """
    with force_locale(report.language):
        subject = _("%(reference)s: we have your report", reference=report.reference)
        told = {"reference": report.reference, "receipt": receipt_url}
        text = skeleton(("acknowledgement", report.language), _acknowledgement).fill(told)
    root = mime_id(report.reference, "0")
    return _to_customer(report, root, "ack", subject, text, report.saved_at, AUTO_REPLIED)


def _acknowledgement() -> str:
    places = {name: Slot(name) for name in ("reference", "receipt")}
    return render_template("email/acknowledgement.txt", **places)


def compose_news(
    report: Report,
    root: str,
    key: str,
    solved: bool,
    text: str,
    next_news_at: datetime | None,
    at: datetime,
    receipt_url: str,
    for_cause: bool = False,
) -> Mail:
    """What support says, to a customer who asked for news: our words and support's, no others.
    *for_cause*: they asked for the cause alone.

    *root*: the Message-ID that the ticket was sent with, which another SECRET_KEY may have made.
    """
    zone = report.zone
    with force_locale(report.language):
        if solved:
            subject = _("%(reference)s: support says it is solved", reference=report.reference)
        elif for_cause:
            subject = _("%(reference)s: what the cause was", reference=report.reference)
        else:
            subject = _("%(reference)s: update from support", reference=report.reference)
        body = render_template(
            "email/news.txt",
            reference=report.reference,
            solved=solved,
            for_cause=for_cause,
            text=exact(text),
            next_news_at=next_news_at and day_and_time(next_news_at.astimezone(zone)),
            zone=zone.key,
            receipt=receipt_url,
        )
    return _to_customer(report, root, key, subject, body, at, AUTO_GENERATED)


def _to_customer(
    report: Report,
    root: str,
    key: str,
    subject: str,
    text: str,
    at: datetime,
    automatic: Mapping[str, str],
) -> Mail:
    return to_customer(
        report.text("email"),
        report.language,
        subject=subject,
        text=text,
        mime_id=mime_id(report.reference, key),
        root=root,
        date=at,
        headers=automatic,
    )
