"""Secrets that somebody pasted by mistake: passwords, keys, tokens, cards, account numbers."""

from __future__ import annotations

import re

from stdnum import iban, luhn

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# A word for a password, a separator, and something that is no plain word: prose says "la clave
# es incorrecta" all the time.
PASSWORD = re.compile(
    r"(?<![^\W_])(?:contrase[ñn]a|clave|password|passwd|passphrase|pass|pwd)\b[\s\"']*"
    r"(?:=\s*\S{4}|,\s*[\"']\S{4}|(?:es|is|:)\s*[\"']?(?=\S{4})\S{0,80}[\d@#$%&*+=^~_])",
    re.IGNORECASE,
)
TOKEN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36,}|sk_live_\w{16,}|xox[abprs]-[\w-]{10,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{5,})"
)
URL_LOGIN = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]+:[^\s:/@]+@", re.IGNORECASE)
CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-])")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


def holds_secret(text: str) -> bool:
    """Whether *text* seems to hold a password, a private key, a token, a card or an IBAN."""
    if any(pattern.search(text) for pattern in (PRIVATE_KEY, PASSWORD, TOKEN, URL_LOGIN)):
        return True
    cards = (re.sub(r"\D", "", match.group()) for match in CARD.finditer(text))
    if any(luhn.is_valid(card) and card[0] in "3456" for card in cards):
        return True
    return any(iban.is_valid(match.group()) for match in IBAN.finditer(text.upper()))
