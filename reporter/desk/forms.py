"""The forms of the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar, cast

from babel import Locale
from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectChoice as Option
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from reporter.desk.actions import ACTIONS
from reporter.formats.text import is_blank
from reporter.formats.times import WrongSide, parse_time, support_zone
from reporter.formats.words import service_name
from reporter.models import UpdateKind
from reporter.notices import store
from reporter.web.forms import at_most, line, lines

NoticeFormType = TypeVar("NoticeFormType", bound="NoticeTextForm")


class DeskForm(FlaskForm):
    """One action. `action` says which; the other fields are those it needs."""

    action = StringField()
    name = StringField(_l("Your name"), [at_most(100)], [line])
    text = TextAreaField(_l("Message to the customer"), [at_most(5_000)], [lines])
    next_news_at = StringField(_l("Next news at"), [at_most(40)], [line])
    notice = SelectField(_l("Known incident"), choices=list, validate_choice=False)

    def validate_action(self, field: StringField) -> None:
        if field.data not in ACTIONS:
            raise ValidationError(_("Choose what to do"))

    def validate_text(self, field: TextAreaField) -> None:
        if self.action.data == UpdateKind.MESSAGE and not field.data:
            raise ValidationError(_("Write what to tell the customer"))
        if self.action.data == UpdateKind.SOLVE and not field.data:
            raise ValidationError(_("Write what it was, or what was done"))
        if self.action.data == UpdateKind.REOPEN and not field.data:
            raise ValidationError(_("Write why it is open again"))

    def validate_next_news_at(self, field: StringField) -> None:
        check_ahead(field.data)

    def validate_notice(self, field: SelectField) -> None:
        if self.action.data == UpdateKind.LINK_NOTICE and store.find(field.data or "") is None:
            raise ValidationError(_("Choose a known incident"))

    def next_news(self) -> datetime | None:
        """When the customer hears more, in UTC."""
        return _time(self.next_news_at.data, ahead=True)

    def has_unsent_words(self) -> bool:
        """Whether something is typed that the action does not send: it stays on the page."""
        sends = self.action.data in {UpdateKind.MESSAGE, UpdateKind.SOLVE, UpdateKind.REOPEN}
        return not sends and bool(self.text.data or self.next_news_at.data)


class NoticeTextForm(FlaskForm):
    """What customers are told of a known incident: in support's language, and in others."""

    text = TextAreaField(_l("What we know, as customers will read it"), [at_most(5_000)], [lines])
    next_news_at = StringField(_l("Next news at"), [at_most(40)], [line])

    def validate_text(self, field: TextAreaField) -> None:
        if is_blank(field.data):
            raise ValidationError(_("Write what is known"))

    def validate_next_news_at(self, field: StringField) -> None:
        check_ahead(field.data)

    @property
    def translations(self) -> dict[str, TextAreaField]:
        """The box of each further language."""
        return {each: self[name] for each in _others() if (name := f"text_{each}") in self}

    def texts(self) -> dict[str, str]:
        """By language, those that were written."""
        translated = {each: field.data for each, field in self.translations.items()}
        return {current_app.config["SUPPORT_LOCALE"]: self.text.data} | {
            each: text for each, text in translated.items() if not is_blank(text)
        }

    def next_news(self) -> datetime | None:
        return _time(self.next_news_at.data, ahead=True)


class NoticeForm(NoticeTextForm):
    """Opens a known incident."""

    started_at = StringField(_l("Since when"), [at_most(40)], [line])

    def validate_started_at(self, field: StringField) -> None:
        if self.started() is None:
            raise ValidationError(_("Enter a time, for example 10:30"))

    def started(self) -> datetime | None:
        return _time(self.started_at.data, ahead=False)


class NoticeNewsForm(NoticeTextForm):
    """Tells what is known now, or closes: then the text is what it was."""

    UPDATE, CLOSE = "update", "close"

    action = StringField()

    def validate_action(self, field: StringField) -> None:
        if field.data not in {self.UPDATE, self.CLOSE}:
            raise ValidationError(_("Choose what to do"))


def in_every_language(form: type[NoticeFormType]) -> type[NoticeFormType]:
    """*form* with a box for each further one of LANGUAGES. Inside a request."""
    boxes = {
        f"text_{each}": TextAreaField(
            _("The same in %(language)s", language=_in_words(each)), [at_most(5_000)], [lines]
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


def notice_options(service: str) -> list[Option]:
    """The open ones, those of *service* first."""
    notices = sorted(store.active(), key=lambda notice: service not in notice.services)
    return [
        Option(notice.key, f"{notice.key}: {', '.join(map(service_name, notice.services))}")
        for notice in notices
    ]


def check_ahead(text: str | None) -> None:
    """Raises ValidationError, with what to write instead, unless *text* is blank or to come."""
    try:
        if text:
            parse_time(text, datetime.now(UTC), ahead=True)
    except WrongSide as error:
        if error.moment is None:
            raise ValidationError(_("That time has passed")) from None
        raise ValidationError(
            _(
                "That time has passed. For another day, write the date too: %(example)s",
                example=f"{error.moment.astimezone(support_zone()):%Y-%m-%d %H:%M}",
            )
        ) from None
    except ValueError:
        raise ValidationError(_("Enter a time, for example 10:30")) from None


def _time(text: str | None, *, ahead: bool) -> datetime | None:
    if not text:
        return None
    try:
        return parse_time(text, datetime.now(UTC), ahead=ahead)
    except ValueError:
        return None
