"""Questions about how to reach somebody: what is wrong with an answer is told by its cause."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from wtforms import Form
from wtforms.validators import ValidationError

from reporter.formats import phones
from reporter.formats.addresses import Fault, NotAnAddress, parse_address, readable
from reporter.formats.text import shortened
from reporter.web.fields import TextInput


class Email(TextInput):
    """An email address, checked for its form only: DNS may be what is down."""

    input_type = "email"

    def validate_value(self, form: Form) -> None:
        if error := self._address()[1]:
            raise ValidationError(address_refused(error))

    def value(self, form: Form) -> str | None:
        return self._address()[0] if super().value(form) is not None else None

    def _address(self) -> tuple[str, NotAnAddress | None]:
        """As it is written to, or as it was typed, with what is wrong with it."""
        return self.once("address", self._parsed)

    def _parsed(self) -> tuple[str, NotAnAddress | None]:
        try:
            return parse_address(self.typed()), None
        except NotAnAddress as error:
            return self.typed(), error

    def format(self, form: Form, at: datetime) -> str:
        return readable(self.value(form) or "")


def address_refused(error: NotAnAddress) -> str:
    """What to say of it, by its cause."""
    example = _("name@example.com")
    words = {
        Fault.NO_AT: _("Enter an email address with an @, for example %(example)s"),
        Fault.NO_NAME: _("Enter what goes before the @ too, for example %(example)s"),
        Fault.SEVERAL: _("Enter one email address only"),
        Fault.SPACE: _("An email address has no spaces: take them out"),
        Fault.LETTERS: _(
            "We cannot write to an address with “%(part)s” before the @: enter another one"
        ),
        Fault.UNFINISHED: _("Enter everything that goes after the @, for example %(example)s"),
        Fault.INSIDE: _(
            "%(part)s works only inside your network: enter an address that works from outside"
        ),
        Fault.ATS: _("An email address has one @ only: take the other one out"),
        Fault.DOTS: _(
            "An email address has no two dots together, and none beside the @: check its dots"
        ),
        Fault.LONG: _("What goes before the @ is too long: check it"),
        Fault.DOMAIN: _("“%(part)s” cannot be what goes after the @: check it"),
        Fault.OTHER: _("Enter an email address in full, for example %(example)s"),
    }
    return str(words[error.fault] % {"part": shortened(error.part, 40), "example": example})


class Phone(TextInput):
    """A phone number in any readable form; without a prefix, of the provider's country. Words
    beside it are a note, which is shown with it."""

    input_type = "tel"

    def phone(self) -> phones.Phone | None:
        """None while it cannot be read."""
        found = self.once("phone", self._parsed)
        return found if isinstance(found, phones.Phone) else None

    def validate_value(self, form: Form) -> None:
        found = self.once("phone", self._parsed)
        if isinstance(found, phones.NotAPhone):
            raise ValidationError(phone_refused(found))

    def _parsed(self) -> phones.Phone | phones.NotAPhone:
        try:
            return phones.parse_phone(self.typed())
        except phones.NotAPhone as error:
            return error

    def value(self, form: Form) -> str | None:
        phone = self.phone() if super().value(form) else None
        return str(phone) if phone else None

    def format(self, form: Form, at: datetime) -> str:
        phone = self.phone()
        return (f"{phone} ({phone.note})" if phone.note else str(phone)) if phone else ""


def phone_refused(error: phones.NotAPhone) -> str:
    """What to say of it, by its cause."""
    words = {
        phones.Fault.NO_DIGITS: _("Enter a phone number in digits, for example %(example)s"),
        phones.Fault.LETTERS: _("Write “%(part)s” in digits, for example %(example)s"),
        phones.Fault.TOO_SHORT: _(
            "“%(part)s” has too few digits: enter the whole number, for example %(example)s"
        ),
        phones.Fault.TOO_LONG: _(
            "“%(part)s” has too many digits: enter one number, for example %(example)s"
        ),
        phones.Fault.COUNTRY: _(
            "“%(part)s” begins with a country code that does not exist: check it"
        ),
    }
    example = "+34\xa0600\xa0000\xa0000"
    return str(words[error.fault] % {"part": shortened(error.part, 40), "example": example})
