"""The forms of the desk."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from babel import Locale
from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import SelectChoice as Option
from wtforms import StringField
from wtforms.validators import ValidationError

from reporter.desk.actions import ACTIONS
from reporter.formats.text import is_blank
from reporter.formats.words import service_name
from reporter.models import UpdateKind
from reporter.notices import store
from reporter.web.contact_fields import Email, Phone
from reporter.web.fields import Select, TextArea, line, lines
from reporter.web.support_time import SupportTime
from reporter.web.tokens import TokenForm

NoticeFormType = TypeVar("NoticeFormType", bound="NoticeTextForm")


def _mends(form: Any) -> bool:
    return bool(form.action.data == UpdateKind.CONTACT)


class OpenNotice(Select):
    """One of the known incidents that are open, which are set before it is read."""

    def validate_value(self, form: Any) -> None:
        links = form.action.data == UpdateKind.LINK_NOTICE
        if links and self.data not in [choice.value for choice in self.iter_choices()]:
            raise ValidationError(_("Choose a known incident"))


class DeskForm(TokenForm):
    """One action. `action` says which; the other fields are those it needs."""

    action = StringField()
    text = TextArea(
        _l("Message to the customer"),
        filters=[lines],
        prose=True,
        required_with={("action", UpdateKind.MESSAGE): _l("Write what to tell the customer")},
    )
    next_news_at = SupportTime(
        _l("Next update at"),
        hint=_l("For example: 10:30. If left empty, what was promised before still stands"),
        ahead=True,
    )
    email = Email(
        _l("Email address"),
        asked_when=_mends,
        required=_l("Enter the address that reaches the customer"),
        filters=[line],
        verbatim=True,
        autocomplete="off",
    )
    phone = Phone(
        _l("Phone"),
        asked_when=_mends,
        filters=[line],
        autocomplete="off",
    )
    # Set by the page that has asked for the cause once.
    without_cause = StringField()
    notice = OpenNotice(
        _l("Which known incident?"),
        required_with={("action", UpdateKind.LINK_NOTICE): _l("Choose a known incident")},
    )

    def validate_action(self, field: StringField) -> None:
        if field.data not in ACTIONS:
            raise ValidationError(_("Choose what to do"))

    def validate(self, extra_validators: Any = None) -> bool:
        """What is solved without saying what it was is asked about, once."""
        if not super().validate(extra_validators):
            return False
        solves = self.action.data == UpdateKind.SOLVE
        if not solves or not is_blank(self.text.data) or self.without_cause.data:
            return True
        self.text.errors = [
            _(
                "Write what it was, or what was done. To solve it without saying so, press the "
                "button again"
            )
        ]
        self.without_cause.data = "yes"
        return False

    def has_words(self) -> bool:
        """Whether something was typed or chosen, and not only looked at."""
        chooses = self.action.data in {UpdateKind.CONTACT, UpdateKind.LINK_NOTICE}
        return chooses or bool(self.text.data or self.next_news_at.data)

    def has_unsent_words(self) -> bool:
        """Whether something is typed that the action does not send: it stays on the page."""
        sends = self.action.data in {UpdateKind.MESSAGE, UpdateKind.SOLVE, UpdateKind.REOPEN}
        return not sends and bool(self.text.data or self.next_news_at.data)


class NoticeTextForm(TokenForm):
    """What customers are told of a known incident: in support's language, and in others."""

    text = TextArea(
        _l("What we know, as customers will read it"),
        filters=[lines],
        required=_l("Write what is known"),
    )
    next_news_at = SupportTime(_l("Next update at"), hint=_l("For example: 10:30"), ahead=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.translations:
            self.text.hint = _("In %(language)s.", language=support_language())

    @property
    def translations(self) -> dict[str, TextArea]:
        """The box of each further language."""
        return {each: self[name] for each in _others() if (name := f"text_{each}") in self}

    def texts(self) -> dict[str, str]:
        """By language, those that were written."""
        translated = {each: field.data for each, field in self.translations.items()}
        return {current_app.config["SUPPORT_LOCALE"]: self.text.data} | {
            each: text for each, text in translated.items() if not is_blank(text)
        }


class NoticeForm(NoticeTextForm):
    """Opens a known incident."""

    started_at = SupportTime(
        _l("When it started"), required=_l("Enter when it started, for example 10:30"), ahead=False
    )


class NoticeNewsForm(NoticeTextForm):
    """Tells what is known now, or closes: then the text is what it was."""

    UPDATE, CLOSE = "update", "close"

    action = StringField()
    next_news_at = SupportTime(
        _l("Next update at"),
        hint=_l("For example: 10:30. Leave it empty when you close it"),
        ahead=True,
    )

    def validate_action(self, field: StringField) -> None:
        if field.data not in {self.UPDATE, self.CLOSE}:
            raise ValidationError(_("Choose what to do"))


def in_every_language(form: type[NoticeFormType]) -> type[NoticeFormType]:
    """*form* with a box for each further one of LANGUAGES. Inside a request."""
    boxes = {
        f"text_{each}": TextArea(
            _("The same in %(language)s", language=_in_words(each)),
            hint=_(
                "If you leave this empty, these customers read it in %(language)s.",
                language=support_language(),
            ),
            filters=[lines],
        )
        for each in _others()
    }
    return cast("type[NoticeFormType]", type(form.__name__, (form,), boxes))


def support_language() -> str:
    """Its name in the language in use, as in "Spanish"."""
    return _in_words(current_app.config["SUPPORT_LOCALE"])


def _others() -> list[str]:
    config = current_app.config
    return [each for each in config["LANGUAGES"] if each != config["SUPPORT_LOCALE"]]


def _in_words(language: str) -> str:
    return Locale.parse(language).get_display_name(get_locale()) or language


def notice_options(db_session: Session, service: str) -> list[Option]:
    """The open ones, those of *service* first."""
    notices = sorted(store.active(db_session), key=lambda notice: service not in notice.services)
    return [
        Option(notice.key, f"{notice.key}: {', '.join(map(service_name, notice.services))}")
        for notice in notices
    ]
