"""The forms of the desk."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectChoice as Option
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from reporter.clock import parse_time
from reporter.desk.actions import ACTIONS, LINK_NOTICE, MESSAGE, SOLVE
from reporter.notices import store
from reporter.plain import is_blank, one_line
from reporter.web.pages import service_name


def _line(text: str | None) -> str:
    return one_line(text or "")


def _text(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").replace("\x00", "").strip()


class DeskForm(FlaskForm):
    """One action. `action` says which; the other fields are those it needs."""

    action = StringField()
    name = StringField(_l("Your name"), [Length(max=100)], [_line])
    text = TextAreaField(_l("Message to the customer"), [Length(max=5_000)], [_text])
    next_news_at = StringField(_l("Next news at"), [Length(max=40)], [_line])
    notice = SelectField(_l("Known incident"), choices=list, validate_choice=False)

    def validate_action(self, field: StringField) -> None:
        if field.data not in ACTIONS:
            raise ValidationError(_("Choose what to do"))

    def validate_text(self, field: TextAreaField) -> None:
        if self.action.data == MESSAGE and not field.data:
            raise ValidationError(_("Write what to tell the customer"))
        if self.action.data == SOLVE and not field.data:
            raise ValidationError(_("Write what it was, or what was done"))

    def validate_next_news_at(self, field: StringField) -> None:
        if field.data and self.next_news() is None:
            raise ValidationError(_("Enter a time, for example 10:30"))

    def validate_notice(self, field: SelectField) -> None:
        if self.action.data == LINK_NOTICE and store.find(field.data or "") is None:
            raise ValidationError(_("Choose a known incident"))

    def next_news(self) -> datetime | None:
        """When the customer hears more, in UTC."""
        return _time(self.next_news_at.data, ahead=True)


class NoticeForm(FlaskForm):
    """Opens a known incident."""

    text = TextAreaField(
        _l("What we know, as customers will read it"), [Length(max=5_000)], [_text]
    )
    started_at = StringField(_l("Since when"), [Length(max=40)], [_line])
    next_news_at = StringField(_l("Next news at"), [Length(max=40)], [_line])

    def validate_text(self, field: TextAreaField) -> None:
        if is_blank(field.data):
            raise ValidationError(_("Write what is known"))

    def validate_started_at(self, field: StringField) -> None:
        if self.started() is None:
            raise ValidationError(_("Enter a time, for example 10:30"))

    def validate_next_news_at(self, field: StringField) -> None:
        if field.data and self.next_news() is None:
            raise ValidationError(_("Enter a time, for example 10:30"))

    def started(self) -> datetime | None:
        return _time(self.started_at.data, ahead=False)

    def next_news(self) -> datetime | None:
        return _time(self.next_news_at.data, ahead=True)


def notice_options() -> list[Option]:
    return [
        Option(notice.key, f"{notice.key}: {', '.join(map(service_name, notice.services))}")
        for notice in store.active()
    ]


def _time(text: str | None, *, ahead: bool) -> datetime | None:
    if not text:
        return None
    try:
        return parse_time(text, datetime.now(UTC), ahead=ahead)
    except ValueError:
        return None
