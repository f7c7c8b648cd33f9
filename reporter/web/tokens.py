"""What every form of ours is made of: fields laid out once, and the token against forgery
(Flask-WTF's), made where it is shown and not with each form, as most are only read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Form, HiddenField
from wtforms.csrf.core import CSRFTokenField
from wtforms.fields import Field
from wtforms.fields.core import UnboundField
from wtforms.validators import ValidationError

from reporter.web.signatures import csrf_token, is_our_token

MARKUP = Markup('<input name="csrf_token" type="hidden" value="%s">')


class TokenField(CSRFTokenField):
    def process(self, *args: Any, **kwargs: Any) -> None:
        HiddenField.process(self, *args, **kwargs)

    def pre_validate(self, form: Form) -> None:
        if not g.get("csrf_valid") and not is_our_token(self.data or ""):
            raise ValidationError("The CSRF token is missing, too old or of somebody else.")

    def __call__(self, **_: Any) -> Markup:
        """Its markup, without what WTForms asks of a field that may be any: pages have several."""
        return MARKUP % (self.current_token or csrf_token())


class Token(FlaskForm.Meta.csrf_class):
    FIELD = TokenField("CSRF Token", csrf_impl=None)

    def setup_form(self, form: Form) -> list[tuple[str, UnboundField]]:
        self.meta = form.meta
        return [(self.meta.csrf_field_name, self.FIELD)]


class TokenForm(FlaskForm):
    """A form that carries a token."""

    class Meta(FlaskForm.Meta):
        csrf_class = Token

        def bind_field(
            self, form: Form, unbound_field: UnboundField, options: Mapping[str, Any]
        ) -> Field:
            """A copy of what WTForms has laid out for the first form of this kind. What a field
            keeps of one form comes to be when that is filled, in its `process`."""
            known: dict[str, Any] | None = vars(unbound_field).get("laid_out")
            if known is None:
                found = super().bind_field(form, unbound_field, options)
                known = unbound_field.laid_out = {**vars(found), "_form": None, "meta": None}
            field = object.__new__(unbound_field.field_class)
            vars(field).update(known, _form=form, meta=self)
            return field
