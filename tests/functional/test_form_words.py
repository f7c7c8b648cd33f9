"""The words: how they are written, and that a new language is one catalogue."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import catalogues
import polib
import pytest
from factories import ANSWERS, parsed
from inspector import OVERFLOW
from pages import DESKTOP, FAILURE, PHONE, Person, person
from playwright.sync_api import Browser, Page
from provider import text_of
from running import Visitor
from tour import ADDRESS, tour, toured
from tour.desk import LONG, TRACE
from tour.form import SECRET

from reporter.mail.kind_words import kind_aloud
from reporter.models import UpdateKind
from reporter.settings import ROOT
from reporter.surge.statistics import LEAST

FOLDER = ROOT / "reporter" / "translations"
PSEUDO = "eo"  # a language with plural rules and month names, and with no catalogue of ours
ACCENTS = str.maketrans("aeiouncAEIOUNC", "åéîøüñçÅÉÎØÜÑÇ")
PLACEHOLDER = re.compile(r"(%\(\w+\)[sd])")
# What is nobody's word: names, numbers, addresses, codes, and what the visitor typed.
UNTRANSLATED = re.compile(
    r"""(?ix) ⟦.*?⟧ | https?://\S+ | Ejemplo\ Hosting | \S*@\S+ | \+?[\d\s:.,/()·–-]+ | INC-\w+
    | [A-Z]\w+/[A-Z]\w+ | UTC | JSON | CSV | Español | English | Esperanto
    | (La\ tienda|Otra\ cosa|login\ failed)[^⟦]*
    | Íñigo\ Muñoz | jan|feb|mar|apr|maj|jun|jul|aŭg|sep|okt|nov|dec | min(uto?j?n?)?
    | tagoj? | kaj | horoj?
    | M\d+\ \d+,\ \w{3}\ \d\d:\d\d,\ -?\d+\ d | \bok\b"""
)


def entries(language: str) -> list[polib.POEntry]:
    return list(polib.pofile(str(FOLDER / language / "LC_MESSAGES" / "messages.po")))


def texts(language: str) -> list[str]:
    return [entry.msgid if language == "en" else entry.msgstr for entry in entries(language)]


# The first words of follow-ups, which support has to see among a hundred mails.
ALOUD = {kind_aloud(UpdateKind.SOLVED), kind_aloud(UpdateKind.UNREACHABLE)}


@pytest.mark.parametrize("language", ["en", "es"])
def test_words_are_calm(language):
    blame = (
        r"\b(invalid|illegal|failed to|must|(?<!what is )wrong"
        r"|inválid|incorrect|erróne|debe(?!mos))\w*"
    )
    shouting = r"[!¡]|\b[A-ZÁÉÍÓÚÑ]{5,}\b"
    for entry, text in zip(entries(language), texts(language), strict=True):
        assert entry.msgid in ALOUD or not re.search(shouting, text), text
        assert not re.search(blame, text, re.IGNORECASE), text


def test_spanish_says_usted():
    tu = r"\b(tu|tus|tú|te|ti|tuyo|tienes|puedes|has|quieres|dinos|prefieres|sabes)\b"
    for text in texts("es"):
        assert not re.search(tu, re.sub(r"%\(\w+\)s", "", text), re.IGNORECASE), text


# What else each thing could be called, and is not: one word for one thing.
SYNONYMS = {
    "es": r"\b(novedad(es)?|noticias?|tiques?|tíque[ts]s?|reportes?|mesa de soporte|clic)\b"
    r"|\b(tomado como|su servidor de correo)\b",  # a calque; and whose, the reader's?
    "en": r"\b(news|tickets? number|helpdesk|e-mails?|click|tries|mine is this)\b",
}


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_thing_has_one_word(language):
    for text in texts(language):
        assert not re.search(SYNONYMS[language], PLACEHOLDER.sub("", text), re.IGNORECASE), text


@pytest.mark.parametrize("language", catalogues.languages())
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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the service with one catalogue more."""
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
    return folder


def settings(folder: Path) -> dict[str, object]:
    return {
        "SETTINGS": folder / "settings.toml",
        "LANGUAGES": f'["{PSEUDO}", "es", "en"]',
        "SUPPORT_LOCALE": PSEUDO,
    }


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
    const { parentElement: parent, previousSibling: before, data } = walker.currentNode;
    if (before?.nodeName === "WBR") found[found.length - 1] += data.trim();
    else if (!parent.closest("script, style, textarea") && data.trim()) found.push(data.trim());
  }
  for (const each of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (each.getAttribute(name)) found.push(each.getAttribute(name));
  return found;
}"""


def unmarked(text: str) -> bool:
    return bool(re.search(r"\w", UNTRANSLATED.sub("", text)))


def foreign(page: Page) -> list[str]:
    """What nobody marked, and what is cut off at 320 pixels with 40 % more text."""
    page.set_viewport_size(PHONE)
    return [*filter(unmarked, page.evaluate(UNMARKED)), *page.evaluate(OVERFLOW)]


# What the walk types, and what is for programs: links, references, file names, the key block.
TYPED = (
    *(ANSWERS[key] for key in ("summary", "error_message", "frequency", "change_description")),
    *(ANSWERS[key] for key in ("affected", "name", "company", "customer_number")),
    *(FAILURE["summary"], TRACE, LONG, SECRET, "Va lento", "nadie", "Ana"),
    *("Era un disco lleno.", "Cae el nodo 7", "Cambiamos el disco\ny comprobamos", "En ello"),
    *("Seguimos en ello", "Hemos encontrado la causa.", "Ahora tampoco hay correo"),
)
LINES = sorted({line for text in TYPED for line in text.splitlines()}, key=len, reverse=True)
DATA = re.compile(
    "|".join(map(re.escape, LINES))
    + r"|(?m:^[a-z_]+: .*$)|https?://\S+|\bN-\w{5}\b|\bSEV\d|\| [\w-]+ \| (?=INC-)|^Re:|\bkB\b"
    + r"|(?:INC-\w+-1-)?captura-[^\s)]+|([ax])\1{19,}"
)


def ours(text: str) -> str:
    """*text* without those, and without our messages, one within another as they may be."""
    text = DATA.sub("", text)
    while (left := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = left
    return text


@pytest.fixture(scope="module")
def told(folder: Path, browser: Browser) -> tuple[list[str], dict[bytes, str]]:
    """What nobody marked on any page, and each mail that was composed with its kind."""
    found: list[str] = []

    def look(someone: Person, name: str) -> None:
        if not name.startswith("inbox"):  # whose mails are looked at themselves
            texts = foreign(someone.page)
            found.extend(f"{name}: {text}" for text in texts if unmarked(ours(text)))
            someone.page.set_viewport_size(DESKTOP)

    with (
        toured(folder, **settings(folder)) as (service, smtp),
        person(browser, service, PSEUDO, address=ADDRESS) as customer,
        person(browser, service, PSEUDO) as support,
    ):
        tour(look, customer, support, service, smtp)
        for number in range(LEAST):  # a surge, of as many people
            somebody = {"X-Forwarded-For": f"198.51.100.{number}"}
            Visitor(service, PSEUDO, **somebody).sends(service="email")
        mails = dict(service.sql("SELECT content, kind FROM message"))
    return found, mails


@pytest.mark.timeout(900)  # of the whole walk
def test_a_new_language_is_one_catalogue_and_every_page_speaks_it(told):
    found, _mails = told
    assert found == [], "\n".join(found)


@pytest.mark.timeout(900)
def test_every_mail_speaks_it_too(told):
    _found, mails = told
    assert set(mails.values()) == {
        *("ticket", "acknowledgement", "followup", "news", "notice", "digest", "surge"),
        "confirmation",
    }
    found = []
    for mail in map(parsed, mails):
        left = UNTRANSLATED.sub("", ours(f"{mail['Subject']}\n{text_of(mail)}"))
        found += [f"{mail['Subject']}: {words}" for words in re.findall(r"\w.*", left)]
    assert found == [], "\n".join(found)
