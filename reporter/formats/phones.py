"""Phone numbers, as people write them."""

from __future__ import annotations

import phonenumbers
from flask import current_app


def parse(text: str) -> phonenumbers.PhoneNumber | None:
    """The number in *text*, or None when it cannot be one; without a prefix, of PHONE_REGION."""
    try:
        number = phonenumbers.parse(text, current_app.config["PHONE_REGION"])
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def international(text: str) -> str | None:
    """As in "+34 600 00 00 00": the same for every way to write a number; None when it is none."""
    number = parse(text)
    if number is None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
