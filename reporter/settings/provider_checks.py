"""What can be wrong with the settings that a customer sees: name, look, languages, services."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reporter.settings import accent, shapes

LOGO_SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg")
SOURCE, COMPLETE = "en", "es"  # the language of the texts themselves, and one that has them all
NO_PLACE = {"Factory", "localtime"}  # whichever zone a machine is in, and none
PACKAGED = Path(__file__).parent.parent / "translations"

Settings = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]


def provider(settings: Settings) -> Problems:
    for name in ("PROVIDER_NAME", "SUPPORT_PHONE", "SUPPORT_HOURS"):
        if not shapes.is_one_line(settings[name]):
            yield name, f"{name} must be one line"
    colour = settings["ACCENT_COLOR"]
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        yield "ACCENT_COLOR", f'ACCENT_COLOR must be as in "#1d5fa8", not "{colour}"'
    elif not accent.is_readable(colour):
        line = "ACCENT_COLOR is too light to be read on white: take a darker one (WCAG 2.2, 4.5:1)"
        yield "ACCENT_COLOR", line
    logo = settings["LOGO"]
    if logo and not Path(logo).is_file():
        yield "LOGO", f"LOGO names no file: {logo}"
    elif logo and Path(logo).suffix.lower() not in LOGO_SUFFIXES:
        yield "LOGO", f"LOGO must end in one of {', '.join(LOGO_SUFFIXES)}"
    zone, region = settings["TIMEZONE"], settings["PHONE_REGION"]
    if not is_zone(zone):
        yield "TIMEZONE", f'TIMEZONE must be an IANA name as in "Europe/Madrid", not "{zone}"'
    if not is_phone_region(region):
        yield "PHONE_REGION", f'PHONE_REGION must be a country code as in "ES", not "{region}"'


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name: to list them all takes as long as a tenth of a
    command. Folders beside them hold the same zones for other uses."""
    try:
        ZoneInfo(name)
    except (OSError, KeyError, ValueError):
        return False
    return not name.startswith(("posix", "right/")) and name not in NO_PLACE


def is_phone_region(code: str) -> bool:
    """Whether phonenumbers knows the country. It has a file for each, and is itself slow to load:
    a command that needs no phone number is not to wait for it."""
    library = find_spec("phonenumbers")
    assert library
    assert library.origin
    named = re.fullmatch("[A-Z]{2}", code)
    return bool(named and (Path(library.origin).parent / "data" / f"region_{code}.py").is_file())


def links(settings: Settings) -> Problems:
    for name in ("PRIVACY_URL", "STATUS_URL"):
        if settings[name] and not shapes.is_page(settings[name]):
            yield (
                name,
                f'{name} must be the address of a page ("https://…"), not "{settings[name]}"',
            )
    contact = settings["SECURITY_CONTACT"]
    if contact and not (
        shapes.is_email(contact)
        or re.fullmatch(r"(https://|tel:)\S+", contact)
        or (contact.startswith("mailto:") and shapes.is_email(contact.removeprefix("mailto:")))
    ):
        line = f'SECURITY_CONTACT must be an email address or a URL ("https://…"), not "{contact}"'
        yield "SECURITY_CONTACT", line


def languages(settings: Settings) -> Problems:
    folder = settings["TRANSLATIONS"]
    if folder and not Path(folder).is_dir():
        yield "TRANSLATIONS", f"TRANSLATIONS names no folder: {folder}"
    elif ";" in folder:
        yield "TRANSLATIONS", 'TRANSLATIONS must be one folder, without ";" in its name'
    known = catalogues(folder)
    if not settings["LANGUAGES"]:
        yield "LANGUAGES", "LANGUAGES must name one language or more"
    for language in settings["LANGUAGES"]:
        if language in known and folder and (wrong := _lacking(language, folder)):
            yield "TRANSLATIONS", f'TRANSLATIONS: the catalogue "{language}" {wrong}'
        if language not in known:
            line = f'LANGUAGES: there is no catalogue for "{language}", only {", ".join(known)}'
            yield "LANGUAGES", line
    for repeated in _repeated(settings["LANGUAGES"]):
        yield "LANGUAGES", f'LANGUAGES: "{repeated}" is there twice'
    locale = settings["SUPPORT_LOCALE"]
    if locale not in settings["LANGUAGES"]:
        yield "SUPPORT_LOCALE", f'SUPPORT_LOCALE must be one of LANGUAGES, not "{locale}"'


def services(settings: Settings) -> Problems:
    known = catalogues(settings["TRANSLATIONS"])
    if not settings["SERVICES"]:
        yield "SERVICES", "SERVICES must name one service or more"
    for number, service in enumerate(settings["SERVICES"], 1):
        if not isinstance(service, dict) or not isinstance(service.get("name"), dict):
            yield "SERVICES", f"SERVICES, number {number}: a table with id and name is needed"
            continue
        id_ = service.get("id")
        if not isinstance(id_, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", id_):
            yield "SERVICES", f'SERVICES: an id is small letters, digits and "-", not "{id_}"'
        for key in sorted(set(service) - {"id", "name"}):
            yield "SERVICES", stray(f'SERVICES: "{id_}"', key, settings, "[[SERVICES]]")
        for language, name in service["name"].items():
            if language not in known:
                yield (
                    "SERVICES",
                    f'SERVICES: "{id_}" has a name in "{language}", an unknown language',
                )
            elif not isinstance(name, str):
                yield "SERVICES", f'SERVICES: the name of "{id_}" in "{language}" must be text'
            elif not shapes.is_one_line(name):
                yield "SERVICES", f'SERVICES: the name of "{id_}" in "{language}" must be one line'
        for language in settings["LANGUAGES"]:
            if language in known and not _text(service["name"].get(language)):
                yield "SERVICES", f'SERVICES: "{id_}" has no name in "{language}"'
    ids = [service.get("id") for service in settings["SERVICES"] if isinstance(service, dict)]
    for repeated in _repeated(ids):
        yield "SERVICES", f'SERVICES: the id "{repeated}" is there twice'


def _repeated(values: list[Any]) -> list[str]:
    return sorted({str(value) for value in values if values.count(value) > 1})


def _text(value: Any) -> Any:
    """*value*, but nothing for a text in which there is nothing to see."""
    return value.strip() if isinstance(value, str) else value


def stray(where: str, key: str, settings: Settings, table: str, allowed: str = "") -> str:
    """That *key* has no place there; and where it came from, when it is the name of a setting.

    In TOML whatever follows the head of a table belongs to that table.
    """
    if key in settings:
        return f"{where}: {key} is a setting of its own: move it above the first {table}"
    return f'{where}: "{key}" has no meaning there' + (f", only {allowed}" if allowed else "")


def catalogues(folder: str = "") -> list[str]:
    """The languages there is a catalogue for, here or in *folder*."""
    folders = [PACKAGED, *([Path(folder)] if folder else [])]
    files = [file for each in folders for file in each.glob("*/LC_MESSAGES/messages.mo")]
    return sorted({file.parent.parent.name for file in files})


def missing(language: str, folder: str) -> list[str]:
    """The texts that neither our catalogue of *language* nor that in *folder* has."""
    there = _texts(PACKAGED / language) | _texts(Path(folder) / language)
    return [] if language == SOURCE else sorted(_texts(PACKAGED / COMPLETE) - there)


def _texts(catalogue: Path) -> set[str]:
    """Those that are translated there; none where there is no catalogue.

    Raises OSError, ValueError or struct.error for one that cannot be read.
    """
    file = catalogue / "LC_MESSAGES" / "messages.mo"
    if not file.exists():
        return set()
    with file.open("rb") as content:
        read = GNUTranslations(content)
    return {text for text in read._catalog if text}  # type: ignore[attr-defined]


def _lacking(language: str, folder: str) -> str:
    """What is wrong with the catalogue of *language*, with that in *folder*; empty if nothing."""
    try:
        lack = missing(language, folder)
    except (OSError, ValueError, struct.error) as error:
        return f"cannot be read: {error}"
    return f'lacks {len(lack)} texts, the first: "{lack[0]}"' if lack else ""


CHECKS = (provider, links, languages, services)
