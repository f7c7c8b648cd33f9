"""Brings the language catalogues up to date with the code and the templates.

    python tests/catalogues.py                      those of the package
    python tests/catalogues.py new LANGUAGE FOLDER  a blank one, to be translated
    python tests/catalogues.py compile FOLDER       those of a folder, when they are translated

A message that is new is added without a translation, one that is not used any more is dropped,
and the rest stays as it is. Running it twice changes nothing.
"""

from __future__ import annotations

import re
import sys
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


def languages(folder: Path = FOLDER) -> list[str]:
    return sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/messages.po"))


def catalogue_path(language: str, folder: Path = FOLDER) -> Path:
    return folder / language / "LC_MESSAGES" / "messages.po"


def messages() -> list[str]:
    """Every message of the code and the templates, sorted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    methods = [(each["pattern"], each["method"]) for each in project["tool"]["babel"]["mappings"]]
    found = extract_from_dir(ROOT, methods, keywords=KEYWORDS)
    return sorted(
        {message if isinstance(message, str) else message[0] for _, _, message, *_ in found}
    )


def updated(language: str, folder: Path = FOLDER) -> polib.POFile:
    """The catalogue as it should be."""
    path = catalogue_path(language, folder)
    kept = {entry.msgid: entry for entry in polib.pofile(str(path))} if path.exists() else {}
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


def main(words: list[str]) -> int:
    """What is to mend is told, and is no success."""
    match words:
        case []:
            for language in languages():
                write(language, FOLDER)
            return 0
        case ["new", language, folder]:
            catalogue = updated(language, Path(folder))
            catalogue_path(language, Path(folder)).parent.mkdir(parents=True, exist_ok=True)
            catalogue.save(str(catalogue_path(language, Path(folder))))
            print(f"{catalogue_path(language, Path(folder))}: {len(catalogue)} messages")
            return 0
        case ["compile", folder]:
            return min(
                1, sum(write(language, Path(folder)) for language in languages(Path(folder)))
            )
    print(__doc__, file=sys.stderr)
    return 2


def write(language: str, folder: Path) -> int:
    """Bring a catalogue up to date and compile it; how many messages have no translation."""
    catalogue = updated(language, folder)
    path = catalogue_path(language, folder)
    catalogue.save(str(path))
    catalogue.save_as_mofile(str(path.with_suffix(".mo")))
    missing = [entry for entry in catalogue if language != SOURCE and not entry.translated()]
    print(f"{language}: {len(catalogue)} messages, {len(missing)} without a translation")
    for entry in missing[:3]:
        print(f"  {entry.msgid!r}")
    return len(missing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
