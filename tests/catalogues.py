"""Brings the language catalogues up to date with the code and the templates.

A message that is new is added without a translation, one that is not used any more is dropped,
and the rest stays as it is. Running it twice changes nothing.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polib
from babel import Locale
from babel.messages.extract import extract_from_dir
from babel.messages.plurals import get_plural

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "reporter" / "translations"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
SOURCE = "en"  # the language of the messages themselves
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def languages() -> list[str]:
    return sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))


def catalogue_path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def messages() -> list[str]:
    """Every message of the code and the templates, sorted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    methods = [(each["pattern"], each["method"]) for each in project["tool"]["babel"]["mappings"]]
    found = extract_from_dir(ROOT, methods, keywords=KEYWORDS)
    return sorted(
        {message if isinstance(message, str) else message[0] for _, _, message, *_ in found}
    )


def updated(language: str) -> polib.POFile:
    """The catalogue as it should be."""
    kept = {entry.msgid: entry for entry in polib.pofile(str(catalogue_path(language)))}
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.header = f"{Locale.parse(language).get_display_name('en')}. See `make catalogues`."
    catalogue.metadata = {
        "Project-Id-Version": "Incident Reporter",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": get_plural(language).plural_forms,
    }
    for message in messages():
        entry = kept.get(message) or polib.POEntry(msgid=message)
        plain = [flag for flag in entry.flags if flag != "python-format"]
        entry.flags = [*plain, "python-format"] if PLACEHOLDER.search(message) else plain
        catalogue.append(entry)
    return catalogue


def main() -> None:
    for language in languages():
        catalogue = updated(language)
        catalogue.save(str(catalogue_path(language)))
        catalogue.save_as_mofile(str(catalogue_path(language).with_suffix(".mo")))
        missing = [entry for entry in catalogue if language != SOURCE and not entry.translated()]
        print(f"{language}: {len(catalogue)} messages, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
