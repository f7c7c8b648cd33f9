"""Times, sizes and services in words: three ways to say a moment, and how long ago that is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polib
import pytest
from catalogues import catalogue_path
from flask_babel import force_locale

from reporter.formats.words import (
    day_and_time,
    elapsed,
    hour,
    service_name,
    size_in_words,
    three_ways,
    zone_name,
)

pytestmark = pytest.mark.usefixtures("inside_a_request")

MADRID = ZoneInfo("Europe/Madrid")


def madrid(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=MADRID)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "es",
            "23 nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutos antes de este aviso",
        ),
        ("en", "23 Nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutes before this report"),
    ],
)
def test_a_moment_is_told_in_the_customers_zone_in_utc_and_as_time_gone_by(
    language: str, words: str
) -> None:
    read_at = datetime(2026, 11, 23, 2, 22, 59, tzinfo=UTC)
    with force_locale(language):
        assert three_ways(madrid(2026, 11, 23, 2, 40), read_at) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "justo antes de este aviso"), ("en", "just before this report")],
)
@pytest.mark.parametrize("seconds", [-5, 0, 59])
def test_a_moment_less_than_a_minute_ago_is_told_without_counting(
    language: str, words: str, seconds: int
) -> None:
    told = madrid(2026, 11, 23, 2, 40)
    with force_locale(language):
        assert three_ways(told, told + timedelta(seconds=seconds)).endswith(f" UTC · {words}")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (60, "1 minute before this report"),
        (-60, "1 minute after this report"),
        (-7_300, "2 hours and 1 minute after this report"),
    ],
)
def test_from_a_minute_on_it_is_counted_on_the_side_where_it_was(seconds: int, words: str) -> None:
    told = madrid(2026, 11, 23, 2, 40)
    with force_locale("en"):
        assert three_ways(told, told + timedelta(seconds=seconds)).endswith(f" UTC · {words}")


def test_the_date_in_utc_is_told_where_it_is_another_day() -> None:
    told = madrid(2026, 11, 23, 0, 30)
    with force_locale("es"):
        words = three_ways(told, told + timedelta(minutes=5))
    assert words == (
        "23 nov 2026 00:30 (Europe/Madrid) · 22 nov 2026 23:30 UTC · 5 minutos antes de este aviso"
    )


@pytest.mark.parametrize(
    ("gone", "spanish", "english"),
    [
        (timedelta(0), "0 minutos", "0 minutes"),
        (timedelta(seconds=59), "0 minutos", "0 minutes"),
        (timedelta(seconds=60), "1 minuto", "1 minute"),
        (timedelta(minutes=42), "42 minutos", "42 minutes"),
        (timedelta(hours=1), "1 hora", "1 hour"),
        (timedelta(hours=1, minutes=5), "1 hora y 5 minutos", "1 hour and 5 minutes"),
        (timedelta(days=1), "1 día", "1 day"),
        (timedelta(days=2, hours=3, minutes=59), "2 días y 3 horas", "2 days and 3 hours"),
        (timedelta(days=1, minutes=59), "1 día", "1 day"),
        (timedelta(days=400), "400 días", "400 days"),
    ],
)
def test_time_gone_by_is_told_in_its_two_largest_units(
    gone: timedelta, spanish: str, english: str
) -> None:
    with force_locale("es"):
        assert elapsed(gone) == spanish
    with force_locale("en"):
        assert elapsed(gone) == english


def test_a_clock_that_runs_ahead_never_makes_negative_time() -> None:
    with force_locale("en"):
        assert elapsed(timedelta(minutes=-2)) == "0 minutes"


def test_a_day_and_time_stay_in_their_own_zone() -> None:
    with force_locale("es"):
        assert day_and_time(madrid(2026, 1, 5, 9, 5)) == "5 ene 2026 09:05"
        assert day_and_time(datetime(2026, 1, 5, 9, 5, tzinfo=UTC)) == "5 ene 2026 09:05"


@pytest.mark.parametrize(
    ("at", "spanish", "english"),
    [
        ((0, 59), "las 00:59", "00:59"),
        ((1, 0), "la 01:00", "01:00"),
        ((1, 59), "la 01:59", "01:59"),
        ((2, 40), "las 02:40", "02:40"),
        ((13, 5), "las 13:05", "13:05"),
    ],
)
def test_an_hour_within_a_sentence_has_the_article_of_its_language(
    at: tuple[int, int], spanish: str, english: str
) -> None:
    with force_locale("es"):
        assert hour(madrid(2026, 1, 5, *at)) == spanish
    with force_locale("en"):
        assert hour(madrid(2026, 1, 5, *at)) == english


def test_no_sentence_has_an_article_of_its_own_before_an_hour() -> None:
    """Which would be wrong at one o'clock."""
    entries = polib.pofile(str(catalogue_path("es")))
    told = [entry.msgstr for entry in entries if not entry.msgid.startswith("%(hours)s")]
    assert [text for text in told if re.search(r"\blas? (%\(|\{)", text)] == []


def test_a_zone_has_its_iana_name() -> None:
    assert zone_name(madrid(2026, 1, 1)) == "Europe/Madrid"
    assert zone_name(datetime(2026, 1, 1, tzinfo=UTC)) == "UTC"


def test_an_offset_is_named_as_people_write_it() -> None:
    assert zone_name(datetime(2026, 1, 1, tzinfo=ZoneInfo("Etc/GMT-2"))) == "UTC+2"


@pytest.mark.parametrize(
    ("size", "spanish", "english"),
    [
        (0, "1 kB", "1 kB"),
        (1_400, "1 kB", "1 kB"),
        (1_600, "2 kB", "2 kB"),
        (999_400, "999 kB", "999 kB"),
        (1_000_000, "1 MB", "1 MB"),
        (2_560_000, "2,6 MB", "2.6 MB"),
    ],
)
def test_a_size_has_three_figures_at_most_and_is_never_nothing(
    size: int, spanish: str, english: str
) -> None:
    with force_locale("es"):
        assert size_in_words(size) == spanish
    with force_locale("en"):
        assert size_in_words(size) == english


def test_a_service_has_its_name_in_the_language_in_use_or_else_its_id() -> None:
    with force_locale("es"):
        assert service_name("email") == "Correo electrónico"
        assert service_name("given-up") == "given-up"
    with force_locale("en"):
        assert service_name("email") == "Email"
    with force_locale("fr"):
        assert service_name("email") == "email"
