"""Secrets that somebody pasted by mistake: passwords, keys, tokens, cards, account numbers."""

from __future__ import annotations

import re

# Every repeat has a bound, and none begins anew within what another has read: the time that a text
# takes grows with its length alone.
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
# A word for a password, a separator, and something that is no plain word: prose says "la clave
# es incorrecta" all the time.
PASSWORD = re.compile(
    r"(?<![^\W_])(?:contrase[ñn]a|clave|password|passwd|passphrase|pass|pwd)\b[\s\"']{0,9}"
    r"(?:=\s{0,9}\S{4}|,\s{0,9}[\"']\S{4}"
    r"|(?:es|is|:)\s{0,9}[\"']?(?=\S{4})\S{0,80}[\d@#$%&*+=^~_])",
    re.IGNORECASE,
)
TOKEN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|github_pat_\w{36}|glpat-[\w-]{20}|sk_live_\w{16}"
    r"|xox[abprs]-[\w-]{10})|(?<![\w-])eyJ[\w-]{10,400}\.eyJ[\w-]{10}"
)
# As a browser or curl sends it, and as a HAR keeps it; the cookies of a HAR are a session's.
LOGIN = re.compile(
    r"\bBearer\s{1,3}[\w.~+/-]{16}|\bAuthorization[\"']?\s{0,3}:\s{0,3}[\"']?(?:Basic|Digest)\s{1,3}\S{6}"
    r"|\"name\"\s{0,3}:\s{0,3}\"(?:Set-)?Cookie\"",
    re.IGNORECASE,
)
URL_LOGIN = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]{1,100}:[^\s:/@]{1,100}@", re.IGNORECASE
)
CARD = re.compile(r"(?<![\d.-])[0-9](?:[ -]?[0-9]){12,18}(?![\d.-])")
IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
ANY = (PRIVATE_KEY, PASSWORD, TOKEN, LOGIN, URL_LOGIN)
# Of a long text, so much is looked at in one go, that other threads have their turn, and so much of
# it again, since a secret may lie across the cut.
PART = 65_536
ACROSS = 600


def holds_secret(text: str) -> bool:
    """Whether *text* seems to hold a password, a private key, a token, a card or an IBAN."""
    parts = range(0, max(len(text), 1), PART)
    return any(_holds_secret(text[start : start + PART + ACROSS]) for start in parts)


def _holds_secret(text: str) -> bool:
    if any(pattern.search(text) for pattern in ANY):
        return True
    cards = [re.sub(r"[ -]", "", match.group()) for match in CARD.finditer(text)]
    ibans = [match.group() for match in IBAN.finditer(text.upper())]
    if not cards and not ibans:
        return False
    from stdnum import iban, luhn  # seldom needed: a megabyte of each process

    return any(card[0] in "3456" and luhn.is_valid(card) for card in cards) or any(
        map(iban.is_valid, ibans)
    )
