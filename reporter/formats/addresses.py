"""Email addresses, as people write and paste them; judged by their form, never by DNS."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

import idna

from reporter.formats.text import plain

AROUND = " \t,;:.'\"`<>()[]«»“”‘’"
# Ends of a domain that nobody outside can write to: of a network; others are reserved (RFC 6761,
# 6762).
INSIDE = {"localdomain", "internal", "intranet", "lan", "corp", "home"}
# Ends that no domain has, and the one that was meant.
ENDS = {"con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "xom": "com",
        "coom": "com", "nte": "net", "nett": "net", "ogr": "org", "orgg": "org",
        "ess": "es"}  # fmt: skip
# Where most people have their mail.
KNOWN = ("gmail.com", "googlemail.com", "hotmail.com", "hotmail.es", "outlook.com", "outlook.es",
         "live.com", "msn.com", "yahoo.com", "yahoo.es", "ymail.com", "icloud.com", "me.com",
         "aol.com", "gmx.com", "gmx.net", "gmx.de", "gmx.es", "mail.com", "proton.me",
         "protonmail.com", "telefonica.net", "terra.es")  # fmt: skip

# What no mail server has before an @, without quotes (RFC 5322, section 3.2.3).
ODD = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
# Before the @, in octets (RFC 5321, section 4.5.3.1.1).
LONGEST_NAME = 64


class Fault(Enum):
    """Why a text is no address that a mail could reach."""

    NO_AT = auto()
    NO_NAME = auto()  # nothing before the @
    SEVERAL = auto()
    SPACE = auto()
    LETTERS = auto()  # before the @, that few mail servers take (RFC 6531)
    UNFINISHED = auto()  # a domain without its end
    INSIDE = auto()  # a domain that only one network knows
    ATS = auto()  # two @ together
    DOTS = auto()  # two together, or one at the begin or the end of a part
    LONG = auto()  # before the @
    DOMAIN = auto()  # behind the @, nothing that a domain is
    OTHER = auto()


class NotAnAddress(ValueError):
    """`fault`: why; `part`: of what was written, where that can be told."""

    def __init__(self, fault: Fault, part: str = "") -> None:
        super().__init__(fault)
        self.fault, self.part = fault, part


@lru_cache(64)  # each page that shows one asks
def parse_address(text: str) -> str:
    """The address in *text*, without what a paste adds. Raises NotAnAddress."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

    address = _without_what_a_paste_adds(text)
    if "@" not in address:
        raise NotAnAddress(Fault.NO_AT)
    if len(re.findall(r"[^\s,;<>@]@[^\s,;<>@]", address)) > 1:
        raise NotAnAddress(Fault.SEVERAL)
    name, _at, domain = address.rpartition("@")
    if not name:
        raise NotAnAddress(Fault.NO_NAME)
    if " " in address:
        raise NotAnAddress(Fault.SPACE)
    if address.count("@") > 1:
        raise NotAnAddress(Fault.ATS)
    if odd := ODD.findall(name):
        raise NotAnAddress(Fault.LETTERS, "".join(dict.fromkeys(odd)))
    if ".." in address or name[0] == "." or name[-1] == "." or domain.startswith("."):
        raise NotAnAddress(Fault.DOTS)
    if domain.rpartition(".")[2].lower() in {*SPECIAL_USE_DOMAIN_NAMES, *INSIDE}:
        raise NotAnAddress(Fault.INSIDE, domain)
    if "." not in domain:
        raise NotAnAddress(Fault.UNFINISHED, domain)
    if len(name) > LONGEST_NAME:
        raise NotAnAddress(Fault.LONG)
    if "=?" in address:  # no header could carry it (RFC 2047, section 5)
        raise NotAnAddress(Fault.OTHER)
    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise NotAnAddress(Fault.DOMAIN, domain) from None
    return address


def meant(address: str) -> str:
    """The address that was probably meant where this one looks like a slip; else empty."""
    name, _at, domain = address.rpartition("@")
    host, _dot, end = domain.lower().rpartition(".")
    mended = f"{host}.{ENDS.get(end, end)}"
    if mended not in KNOWN:
        mended = next((known for known in KNOWN if _one_slip(mended, known)), mended)
    return "" if mended == domain.lower() else f"{name}@{mended}"


def readable(address: str) -> str:
    """*address* with its domain as people read it: no "xn--" (IDNA 2008), where it can be read."""
    name, _at, domain = address.rpartition("@")
    try:
        return f"{name}@{idna.decode(domain)}" if "xn--" in domain.lower() else address
    except (idna.IDNAError, UnicodeError):
        return address


def _without_what_a_paste_adds(text: str) -> str:
    """Angle brackets with a name before them, `mailto:` with a subject behind, and punctuation."""
    text = plain(text)
    if text.count("<") == 1 and (inside := re.search(r"<([^<>]{0,320})>", text)):
        text = inside[1]
    text = text.strip(AROUND)
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    return text.strip(AROUND)


def _one_slip(one: str, other: str) -> bool:
    """Whether one character more, less, another or two exchanged make *one* of *other*."""
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return abs(len(one) - len(other)) == 1
    a, b = one[start:], other[start:]
    exchanged = a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or exchanged
