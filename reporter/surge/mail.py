"""The mail that tells support of a surge: values in, bytes out."""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.delivery.mail import Mail
from reporter.formats.languages import tag
from reporter.formats.support_times import support_zone
from reporter.formats.words import hour, service_name
from reporter.mail.message import finish, mime_id, new_message
from reporter.report import Similar


def compose_surge(reference: str, service: str, similar: Similar, link: str, at: datetime) -> Mail:
    """What tells support that a surge has begun."""
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    with force_locale(language):
        told = {
            "service": service_name(service),
            "count": similar.count,
            "minutes": similar.minutes,
            "since": hour(similar.since.astimezone(support_zone())),
        }
        subject = _(
            "Many reports: %(service)s, %(count)s in %(minutes)s minutes, since %(since)s", **told
        )
        text = _(
            "Reports on %(service)s are arriving faster than usual: "
            "%(count)s in %(minutes)s minutes, since %(since)s.\n\n"
            "Each is a ticket of its own. If they have one cause, tell customers so:\n"
            "%(link)s\n\n"
            "Use the same link later to post updates, and to say that it is over.\n",
            **told,
            link=link,
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=subject,
        mime_id=mime_id(reference, f"{similar.since:%Y%m%d%H%M%S}"),
        date=at,
    )
    mail.set_content(text)
    return finish(
        mail, {"Content-Language": tag(language), "Importance": "high", "X-Priority": "1"}
    )
