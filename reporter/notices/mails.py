"""The mails about a known incident: to those who follow it, and of them to support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter import models
from reporter.delivery.outbox import Mail
from reporter.formats.languages import tag
from reporter.formats.text import exact
from reporter.links import follower_token, full_url, hash_token, notice_desk_url
from reporter.mail.message import (
    AUTO_GENERATED,
    AUTO_REPLIED,
    finish,
    mime_id,
    new_message,
    to_customer,
)
from reporter.notices.notice import Notice


@dataclass(frozen=True)
class Follower:
    """Somebody who says that a known incident is theirs. `token`: of their own page of it."""

    name: str
    contact: str  # an email address or a phone number
    language: str
    token: str

    @classmethod
    def of(cls, key: str, row: models.Follower) -> Self:
        """*key*: of the known incident."""
        token = follower_token(key, row.contact, row.token_hash)
        return cls(row.name, row.contact, row.language, token)

    @property
    def mark(self) -> str:
        """Of them alone, for a Message-ID: not their number, which another gets who comes when
        they have gone."""
        return hash_token(self.token)[:12]


def compose_confirmation(key: str, root: str, follower: Follower, at: datetime) -> Mail:
    """Asks whether the address is theirs: our words, and no word that a visitor typed.

    *root*: what all mails of the incident refer to, here and below.
    """
    with force_locale(follower.language):
        subject = _("%(key)s: do you want the updates by email?", key=key)
        link = full_url("notices.follower", token=follower.token)
        text = render_template("email/confirmation.txt", key=key, link=link)
    return to_customer(
        follower.contact,
        follower.language,
        subject=subject,
        text=text,
        mime_id=mime_id(key, f"confirmation-{_digits(at)}-{follower.mark}"),
        root=root,
        date=at,
        headers=AUTO_REPLIED,
    )


def compose_notice_update(notice: Notice, follower: Follower, root: str) -> Mail:
    """An update to one follower: support's words, and no word that a visitor typed."""
    with force_locale(follower.language):
        closed = notice.closed_at is not None
        subject = (
            _("%(key)s: the incident is over", key=notice.key)
            if closed
            else _("%(key)s: update on the incident", key=notice.key)
        )
        text = render_template(
            "email/notice.txt",
            notice=notice,
            text=exact(notice.latest.words(follower.language)),
            link=full_url("notices.follower", token=follower.token),
        )
    stop = full_url("notices.stop", token=follower.token)
    return to_customer(
        follower.contact,
        follower.language,
        subject=subject,
        text=text,
        mime_id=mime_id(notice.key, f"{len(notice.entries)}.{follower.mark}"),
        root=root,
        date=notice.latest.at,
        headers={
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
            **AUTO_GENERATED,
        },
    )


def digest_mime_id(key: str, at: datetime) -> str:
    return mime_id(key, f"digest-{_digits(at)}")


def compose_digest(
    notice: Notice, new: Sequence[Follower], total: int, identity: str, at: datetime
) -> Mail:
    """Names who is *new* of *total* followers, to support."""
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    with force_locale(language):
        subject = (
            _("%(key)s: 1 customer says that it is theirs", key=notice.key)
            if total == 1
            else _(
                "%(key)s: %(total)s customers say that it is theirs", key=notice.key, total=total
            )
        )
        text = render_template(
            "email/digest.txt",
            key=notice.key,
            new=new,
            total=total,
            services=notice.services,
            over=notice.closed_at is not None,
            link=notice_desk_url(notice.key),
        )
    mail = new_message(to=config["SUPPORT_EMAIL"], subject=subject, mime_id=identity, date=at)
    mail.set_content(text)
    return finish(mail, {"Content-Language": tag(language)})


def _digits(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
