"""The forms of the receipt."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice as Option
from wtforms import StringField

from reporter.models import UpdateKind
from reporter.web.fields import Radios, TextArea
from reporter.web.tokens import TokenForm


class UpdateForm(TokenForm):
    """Something to add to a report."""

    kind = Radios(
        _l("What is new?"),
        required=_l("Choose what is new"),
        choices=[
            Option(UpdateKind.INFO, _l("I have more information")),
            Option(UpdateKind.WORSE, _l("It is worse")),
            Option(UpdateKind.BETTER, _l("It is better")),
            Option(UpdateKind.SOLVED, _l("It works again")),
        ],
    )
    text = TextArea(
        _l("Tell us"),
        prose=True,
        required_with={("kind", UpdateKind.INFO): _l("Write what we should know")},
        unless=_l("(optional, unless you have more information)"),
    )


class MineForm(TokenForm):
    """Which known incident it is, and whether to be mailed of it."""

    notice = StringField()
    news = StringField()


class NewsForm(TokenForm):
    """Whether to be mailed when support has news."""

    wanted = StringField()
