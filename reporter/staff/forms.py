"""The forms with which support signs in."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, PasswordField
from wtforms.validators import ValidationError

from reporter.staff.passwords import LEAST_CHARACTERS, is_common
from reporter.web.fields import TextInput, line
from reporter.web.question import Question
from reporter.web.tokens import TokenForm

LONGEST = 1_000


class Password(Question, PasswordField):
    """A password: never shown again, and taken as it is."""

    input_type = "password"

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, max_length=LONGEST, verbatim=True, **kwargs)

    def is_blank(self) -> bool:
        return not self.data


class NewPassword(Password):
    """Paste is welcome, and there is no rule but length and the obvious."""

    def validate_value(self, form: Form) -> None:
        if len(self.data) < LEAST_CHARACTERS:
            raise ValidationError(
                _("Use %(least)s characters or more; a few words will do", least=LEAST_CHARACTERS)
            )
        if is_common(self.data):
            raise ValidationError(_("That password is too easy to guess"))


class SignInForm(TokenForm):
    email = TextInput(
        _l("Email address"),
        required=_l("Enter your email address"),
        filters=[line],
        autocomplete="username",
        inputmode="email",
        verbatim=True,
    )
    password = Password(
        _l("Password"), required=_l("Enter your password"), autocomplete="current-password"
    )


class PasswordForm(TokenForm):
    password = NewPassword(
        _l("New password"),
        hint=_l("12 characters or more. You can paste it from a password manager."),
        required=_l("Choose a password of 12 characters or more"),
        autocomplete="new-password",
    )
