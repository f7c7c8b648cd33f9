"""References: short, sayable on the phone, and hard to mistake for one another."""

from __future__ import annotations

import re
import secrets

# Crockford's base 32: no I, L, O or U (https://www.crockford.com/base32.html).
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = DIGITS[10:]
LENGTH = 5


def new_reference() -> str:
    """As in "INC-KX7M9Q": a letter and five characters, 738 million in all, taken at random.

    It is a name and no secret: nothing opens with it. The caller sees that it is not taken.
    """
    return "INC-" + secrets.choice(LETTERS) + "".join(secrets.choice(DIGITS) for _ in range(LENGTH))


def parse_reference(text: str) -> str:
    """The reference meant by what somebody wrote or heard. Raises ValueError.

    Small letters, a missing "INC-", a dash of any length and the usual confusions (O for 0, I and
    L for 1) are mended.
    """
    code = re.sub(r"[\s\u2010-\u2015-]", "", text.upper()).removeprefix("INC")
    mended = code[:1] + code[1:].translate(str.maketrans("OIL", "011"))
    if not re.fullmatch(f"[{LETTERS}][{DIGITS}]{{{LENGTH}}}", mended):
        raise ValueError(f"no reference: {text!r}")
    return f"INC-{mended}"


def reference_or_text(text: str) -> str:
    """As parse_reference; what is none stays as it is: mails have names of other kinds, too."""
    try:
        return parse_reference(text)
    except ValueError:
        return text.strip()
