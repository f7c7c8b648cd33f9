"""The words: how they are written, and that a new language is one catalogue."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import polib
import pytest
import sites
from browser import chromium
from states import each
from test_form_access import OVERFLOW

from reporter.settings import ROOT

FOLDER = ROOT / "reporter" / "translations"
PSEUDO = "eo"  # a language with plural rules and month names, and with no catalogue of ours
ACCENTS = str.maketrans("aeiouncAEIOUNC", "åéîøüñçÅÉÎØÜÑÇ")
PLACEHOLDER = re.compile(r"(%\(\w+\)[sd])")
# What is nobody's word: names, numbers, addresses, codes, and what the visitor typed.
UNTRANSLATED = re.compile(
    r"""(?ix) ⟦.*?⟧ | Ejemplo\ Hosting | \S+@\S+ | \+?[\d\s:.,/()·–-]+ | INC-\w+ | [A-Z]\w+/[A-Z]\w+
    | UTC | JSON | Español | English | Esperanto | (La\ tienda|Otra\ cosa|login\ failed)[^⟦]*
    | Íñigo\ Muñoz | jan|feb|mar|apr|maj|jun|jul|aŭg|sep|okt|nov|dec | minuto?j?n?"""
)


def entries(language: str) -> list[polib.POEntry]:
    return list(polib.pofile(str(FOLDER / language / "LC_MESSAGES" / "messages.po")))


def texts(language: str) -> list[str]:
    return [entry.msgid if language == "en" else entry.msgstr for entry in entries(language)]


@pytest.mark.parametrize("language", ["en", "es"])
def test_words_are_calm(language):
    blame = r"\b(invalid|illegal|failed to|must|wrong|inválid|incorrect|erróne|debe(?!mos))\w*"
    shouting = r"[!¡]|\b[A-ZÁÉÍÓÚÑ]{5,}\b"
    for text in texts(language):
        assert not re.search(shouting, text), text
        assert not re.search(blame, text, re.IGNORECASE), text


def test_spanish_says_usted():
    tu = r"\b(tu|tus|tú|te|ti|tuyo|tienes|puedes|has|quieres|dinos|prefieres|sabes)\b"
    for text in texts("es"):
        assert not re.search(tu, re.sub(r"%\(\w+\)s", "", text), re.IGNORECASE), text


@pytest.mark.parametrize("language", ["en", "es"])
def test_sentences_are_short(language):
    for text in texts(language):
        for sentence in re.split(r"(?<=[.?:])\s", text):
            assert len(sentence.split()) <= 24, sentence


def test_a_translation_begins_and_ends_like_its_message():
    for entry in entries("es"):
        message, translation = entry.msgid, entry.msgstr
        assert message[-1:] in ".:?" or translation[-1:] not in ".:", translation
        if message[-1:] in ".:?":
            assert translation.endswith(message[-1]), translation
        assert sorted(PLACEHOLDER.findall(message)) == sorted(PLACEHOLDER.findall(translation))


def pseudo(message: str) -> str:
    """As in "⟦Çøñtîñüé······⟧": 40 % longer, and to be told from what nobody marked."""
    parts = [
        part if PLACEHOLDER.fullmatch(part) else part.translate(ACCENTS)
        for part in PLACEHOLDER.split(message)
    ]
    longer = max(1, round(0.4 * len(message)))
    return "⟦" + "".join(parts) + " " + ("·o·on " * longer)[:longer].strip() + "⟧"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sites.Site]:
    """The service with one catalogue more, in a copy of its own."""
    folder = tmp_path_factory.mktemp("pseudo")
    for name in ("reporter", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.py", folder)
    catalogue = polib.POFile()
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for entry in entries("en"):
        catalogue.append(polib.POEntry(msgid=entry.msgid, msgstr=pseudo(entry.msgid)))
    messages = folder / "reporter" / "translations" / PSEUDO / "LC_MESSAGES"
    messages.mkdir(parents=True)
    catalogue.save_as_mofile(str(messages / "messages.mo"))
    (folder / "settings.toml").write_text(names_in_pseudo())
    with sites.running(
        folder,
        SETTINGS=folder / "settings.toml",
        LANGUAGES=f'["{PSEUDO}", "es", "en"]',
    ) as site:
        yield site


def names_in_pseudo() -> str:
    from flask import Config

    config = Config(str(ROOT))
    config.from_pyfile("config.py")
    tables = []
    for service in config["SERVICES"]:
        names = service["name"] | {PSEUDO: pseudo(service["name"]["en"])}
        written = ", ".join(f'{language} = "{name}"' for language, name in names.items())
        tables.append(f'[[SERVICES]]\nid = "{service["id"]}"\nname = {{ {written} }}\n')
    return "\n".join(tables)


UNMARKED = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [document.title];
  while (walker.nextNode()) {
    const { parentElement: parent, data } = walker.currentNode;
    if (!parent.closest("script, style, textarea") && data.trim()) found.push(data.trim());
  }
  for (const each of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (each.getAttribute(name)) found.push(each.getAttribute(name));
  return found;
}"""


def test_a_new_language_is_one_catalogue_and_every_page_speaks_it(site):
    """No text that nobody marked, and nothing cut off at 320 pixels with 40 % more of it."""

    def look(page: sites.Page) -> list[str]:
        page.set_viewport_size({"width": 320, "height": 640})
        left = (UNTRANSLATED.sub("", text) for text in page.evaluate(UNMARKED))
        return [text for text in left if re.search(r"\w", text)] + page.evaluate(OVERFLOW)

    with chromium() as browser:
        assert each(browser, site, PSEUDO, look, java_script_enabled=True) == []
