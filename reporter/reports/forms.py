"""The forms of the receipt."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField, TextAreaField
from wtforms import SelectChoice as Option
from wtforms.validators import InputRequired, ValidationError

from reporter.models import UpdateKind
from reporter.web.forms import at_most


class UpdateForm(FlaskForm):
    """Something to add to a report."""

    kind = RadioField(
        _l("What is new?"),
        [InputRequired(_l("Choose what is new"))],
        choices=[
            Option(UpdateKind.INFO, _l("I have more information")),
            Option(UpdateKind.WORSE, _l("It is worse")),
            Option(UpdateKind.BETTER, _l("It is better")),
            Option(UpdateKind.SOLVED, _l("It works again")),
        ],
    )
    text = TextAreaField(
        _l("Tell us"),
        [at_most(5_000)],
        render_kw={"rows": 3},
    )

    def validate_text(self, field: TextAreaField) -> None:
        if self.kind.data == UpdateKind.INFO and not (field.data or "").strip():
            raise ValidationError(_("Write what we should know"))


class MineForm(FlaskForm):
    """Which known incident it is, and whether to be mailed of it."""

    notice = StringField()
    news = StringField()


class NewsForm(FlaskForm):
    """Whether to be mailed when support has news."""

    wanted = StringField()
