"""The token of a form against forgery (Flask-WTF's), made where it is shown and not with each form:
most forms are only read."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.csrf.core import CSRFTokenField


class TokenField(CSRFTokenField):
    def process(self, *args: Any, **kwargs: Any) -> None:
        HiddenField.process(self, *args, **kwargs)

    def _value(self) -> str:
        return str(self.current_token or self.csrf_impl.generate_csrf_token(self))


class Token(FlaskForm.Meta.csrf_class):
    field_class = TokenField


class TokenForm(FlaskForm):
    """A form that carries a token."""

    class Meta(FlaskForm.Meta):
        csrf_class = Token
