"""The language catalogues: complete, and as they were compiled."""

from __future__ import annotations

import re
from collections import Counter

import catalogues
import polib
import pytest

from reporter.settings.checks import catalogues as known

TAG = re.compile(r"<[^>]+>")


def catalogue(language: str) -> dict[str, polib.POEntry]:
    entries = polib.pofile(str(catalogues.catalogue_path(language)))
    return {entry.msgid: entry for entry in entries if not entry.obsolete}


@pytest.fixture(scope="module")
def messages() -> list[str]:
    return catalogues.messages()


def test_there_are_catalogues_in_both_languages() -> None:
    assert catalogues.languages() == known()
    assert {"en", "es"} <= set(known())


def test_the_messages_of_code_and_templates_are_found(messages: list[str]) -> None:
    assert len(messages) > 100
    for found in ("Which service is failing?", "Send the report", "Reference:"):
        assert found in messages


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_has_every_message_and_no_other(messages: list[str], language: str) -> None:
    assert sorted(catalogue(language)) == messages, "run: make catalogues"


@pytest.mark.parametrize("language", set(catalogues.languages()) - {catalogues.SOURCE})
def test_every_message_is_translated(language: str) -> None:
    missing = [msgid for msgid, entry in catalogue(language).items() if not entry.msgstr.strip()]
    assert missing == []


@pytest.mark.parametrize("language", catalogues.languages())
def test_no_translation_is_a_guess(language: str) -> None:
    assert [msgid for msgid, entry in catalogue(language).items() if entry.fuzzy] == []


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_translation_has_the_placeholders_and_tags_of_the_message(language: str) -> None:
    for msgid, entry in catalogue(language).items():
        if entry.msgstr:
            for pattern in (catalogues.PLACEHOLDER, TAG):
                assert Counter(pattern.findall(entry.msgstr)) == Counter(pattern.findall(msgid))


def test_a_sentence_or_a_question_stays_one() -> None:
    for msgid, entry in catalogue("es").items():
        for mark in (".", "?", ":"):
            assert msgid.endswith(mark) == entry.msgstr.endswith(mark), msgid
        assert msgid.count("?") == entry.msgstr.count("¿"), msgid


@pytest.mark.parametrize("language", catalogues.languages())
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    compiled = polib.mofile(str(catalogues.catalogue_path(language).with_suffix(".mo")))
    written = {m: entry.msgstr for m, entry in catalogue(language).items() if entry.msgstr}
    assert {entry.msgid: entry.msgstr for entry in compiled} == written, "run: make catalogues"


@pytest.mark.parametrize("language", catalogues.languages())
def test_bringing_a_catalogue_up_to_date_once_more_changes_nothing(language: str) -> None:
    written = catalogues.catalogue_path(language).read_text(encoding="utf-8")
    assert str(catalogues.updated(language)) == written


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_catalogue_names_its_language_and_no_date(language: str) -> None:
    metadata = polib.pofile(str(catalogues.catalogue_path(language))).metadata
    assert metadata["Language"] == language
    assert metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert not any("Date" in name for name in metadata)
