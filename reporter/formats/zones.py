"""Time zones, as people call them: by their IANA name, a city, a country of one zone, an offset."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from reporter.formats.text import plain

# In which the names of cities and countries are known (Unicode CLDR).
LANGUAGES = ("es", "en", "ca", "pt", "fr", "de", "it")
# The zone that most of a country with several of them means; of the rest one has to ask.
MAINLAND = {
    "ES": "Europe/Madrid",
    "PT": "Europe/Lisbon",
    "DE": "Europe/Berlin",
    "MX": "America/Mexico_City",
    "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago",
    "EC": "America/Guayaquil",
}
# What neither IANA nor CLDR has.
OTHERS = {
    "canarias": "Atlantic/Canary",
    "islas canarias": "Atlantic/Canary",
    "tenerife": "Atlantic/Canary",
    "las palmas": "Atlantic/Canary",
    "peninsula": "Europe/Madrid",
    "barcelona": "Europe/Madrid",
    "valencia": "Europe/Madrid",
    "sevilla": "Europe/Madrid",
    "bilbao": "Europe/Madrid",
    "baleares": "Europe/Madrid",
    "medellin": "America/Bogota",
    "cdmx": "America/Mexico_City",
}
LONGEST = 200  # that anybody calls a zone
OFFSET = re.compile(r"(?:utc|gmt)? ?([+-]) ?(\d{1,2})(?::?(\d{2}))?")
# Of a part of an hour, where one zone without summer time has it.
PARTS = {
    "+03:30": "Asia/Tehran",
    "+04:30": "Asia/Kabul",
    "+05:30": "Asia/Kolkata",
    "+05:45": "Asia/Kathmandu",
    "+06:30": "Asia/Yangon",
    "+09:30": "Australia/Darwin",
}


def parse_zone(text: str) -> ZoneInfo:
    """The zone called *text*, in any case and without accents too. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(text[:LONGEST])
    name = _name(text)
    if name is None:
        raise ValueError(text)
    return ZoneInfo(name)


@lru_cache(256)  # most leave the provider's
def _name(text: str) -> str | None:
    wanted = _key(text)
    return zones().get(wanted) or _by_offset(wanted)


def zone_label(zone: ZoneInfo) -> str:
    """Its IANA name; of one that is an offset, as in "UTC+2", since IANA counts to the west."""
    if zone.key == "Etc/GMT":
        return "UTC"
    found = re.fullmatch(r"Etc/GMT([+-])(\d+)", zone.key)
    return f"UTC{'-' if found[1] == '+' else '+'}{found[2]}" if found else zone.key


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def zones() -> dict[str, str]:
    """Every name by which a zone is known, and its IANA name."""
    found: dict[str, str] = {}
    for name in sorted(_names()):
        found[_key(name)] = name
    for called, name in (*_cities(), *OTHERS.items(), *_countries()):
        if name in _names():
            found.setdefault(_key(called), name)
    return found


def _cities() -> Iterator[tuple[str, str]]:
    for name in sorted(_names()):
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/")):
            yield name.rpartition("/")[2], name
    for language in LANGUAGES:
        for name, words in sorted(Locale(language).time_zones.items()):
            if city := words.get("city"):
                yield city, name


def _countries() -> Iterator[tuple[str, str]]:
    of_country = get_global("territory_zones")
    for language in LANGUAGES:
        for territory, called in Locale(language).territories.items():
            own = of_country.get(territory, [])
            if len(own) == 1 or territory in MAINLAND:
                yield called, MAINLAND.get(territory) or own[0]


def _by_offset(text: str) -> str | None:
    found = OFFSET.fullmatch(text)
    if not found:
        return None
    sign, hours, minutes = found[1], int(found[2]), found[3] or "00"
    if minutes != "00":
        return PARTS.get(f"{sign}{hours:02}:{minutes}")
    name = "Etc/GMT" if hours == 0 else f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    return name if name in _names() else None


def _key(text: str) -> str:
    """Small letters without accents, with blanks between words."""
    split = unicodedata.normalize("NFD", plain(text).casefold())
    bare = "".join(c for c in split if unicodedata.category(c) != "Mn")
    return " ".join(re.sub(r"[_,.']", " ", bare).split())
