"""From what a person types to one instant: formats, zones, and the two nights of the year."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from reporter.formats.times import (
    NoSuchTime,
    TwoSuchTimes,
    is_date_alone,
    localize,
    parse_local,
    parse_past,
)
from reporter.formats.zones import parse_zone, zone_label

MADRID = ZoneInfo("Europe/Madrid")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T02:40",
        "2026-11-23T02:40:00",
        "2026-11-23 02:40",
        " 2026-11-23 2:40 ",
        "23/11/2026 02:40",
        "23.11.2026 2:40",
        "23-11-2026 02:40",
        "23/11/26 2:40",
        "23/11/2026, 2:40",
        "23/11/2026 a las 2:40 h",
        "23.11.2026 um 02:40 Uhr",
        "23/11/2026 2:40 am",
        "23/11/2026\u00a02:40\u200b",
        "２３/１１/２０２６　０２:４０",
    ],
)
def test_a_local_time_is_read_in_the_forms_people_and_browsers_write(text: str) -> None:
    assert parse_local(text) == datetime(2026, 11, 23, 2, 40)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ayer",
        "2026-11-23",
        "02:40",
        "2026-02-30T10:00",
        "2026-11-23T25:00",
        "23/13/2026 10:00",
        "2026-11-23T02:40Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_local(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("09:30", (2026, 11, 23, 9, 30)),
        ("9:59", (2026, 11, 23, 9, 59)),
        ("10:01", (2026, 11, 23, 10, 1)),  # a phone's clock may be ahead
        ("10:02", (2026, 11, 23, 10, 2)),  # by two minutes, and no more
        ("10:03", (2026, 11, 22, 10, 3)),
        ("23:00", (2026, 11, 22, 23, 0)),
        ("9:30 p. m.", (2026, 11, 22, 21, 30)),
        ("12:15 am", (2026, 11, 23, 0, 15)),
        ("1:15 am", (2026, 11, 23, 1, 15)),
        ("24/11/2025 9:30", (2025, 11, 24, 9, 30)),
    ],
)
def test_an_hour_alone_is_the_last_one_that_is_past(text: str, meant: tuple[int, ...]) -> None:
    now = utc(2026, 11, 23, 9, 0)  # 10:00 in Madrid
    assert parse_past(text, now, MADRID) == datetime(*meant)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["25:00", "ayer", "24/11/2025", "9", "9:60", "", "0:15 am", "13:15 pm"]
)
def test_what_is_neither_an_hour_nor_a_date_with_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_past(text, utc(2026, 11, 23, 9, 0), MADRID)


def test_a_day_without_its_hour_is_known_as_one() -> None:
    assert is_date_alone("2026-11-23")
    assert is_date_alone(" 24/11/2025 ")
    assert not is_date_alone("24/11/2025 9:30")
    assert not is_date_alone("ayer")


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_time_at_the_ends_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_local(text)


def test_a_local_time_is_an_instant_in_its_zone() -> None:
    winter = localize(parse_local("2026-11-23T02:40"), MADRID)
    assert winter == utc(2026, 11, 23, 1, 40)
    assert winter.isoformat() == "2026-11-23T02:40:00+01:00"
    assert localize(parse_local("2026-07-01T02:40"), MADRID) == utc(2026, 7, 1, 0, 40)
    assert localize(parse_local("2026-07-01T02:40"), ZoneInfo("America/Bogota")) == utc(
        2026, 7, 1, 7, 40
    )


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Madrid", "2026-03-29T02:00"),
        ("Europe/Madrid", "2026-03-29T02:59"),
        ("America/Santiago", "2026-09-06T00:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15"),
    ],
)
def test_a_time_the_clocks_skipped_is_refused(zone: str, text: str) -> None:
    with pytest.raises(NoSuchTime):
        localize(parse_local(text), ZoneInfo(zone))
    with pytest.raises(NoSuchTime):
        localize(parse_local(text), ZoneInfo(zone), "later")


@pytest.mark.parametrize("text", ["2026-03-29T01:59", "2026-03-29T03:00"])
def test_the_minutes_around_a_skipped_hour_exist(text: str) -> None:
    assert localize(parse_local(text), MADRID).astimezone(UTC).hour in {0, 1}


@pytest.mark.parametrize(
    ("zone", "text", "earlier", "later"),
    [
        ("Europe/Madrid", "2026-10-25T02:30", (2026, 10, 25, 0, 30), (2026, 10, 25, 1, 30)),
        ("America/New_York", "2026-11-01T01:30", (2026, 11, 1, 5, 30), (2026, 11, 1, 6, 30)),
        ("Australia/Lord_Howe", "2026-04-05T01:45", (2026, 4, 4, 14, 45), (2026, 4, 4, 15, 15)),
    ],
)
def test_a_time_the_clocks_showed_twice_is_asked_about_and_both_answers_are_taken(
    zone: str, text: str, earlier: tuple[int, ...], later: tuple[int, ...]
) -> None:
    local, place = parse_local(text), ZoneInfo(zone)
    with pytest.raises(TwoSuchTimes) as asked:
        localize(local, place)
    assert asked.value.earlier.astimezone(UTC) == utc(*earlier)
    assert asked.value.later.astimezone(UTC) == utc(*later)
    assert localize(local, place, "earlier").astimezone(UTC) == utc(*earlier)
    assert localize(local, place, "later").astimezone(UTC) == utc(*later)
    assert localize(local.replace(fold=1), place, "earlier").astimezone(UTC) == utc(*earlier)


def test_an_answer_that_is_neither_of_the_two_is_asked_again() -> None:
    with pytest.raises(TwoSuchTimes):
        localize(parse_local("2026-10-25T02:30"), MADRID, "both")


def test_which_of_two_times_does_not_matter_for_a_time_that_exists_once() -> None:
    local = parse_local("2026-11-23T02:40")
    assert localize(local, MADRID, "later") == localize(local, MADRID)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Madrid", "Europe/Madrid"),
        ("  europe/madrid ", "Europe/Madrid"),
        ("EUROPE/MADRID", "Europe/Madrid"),
        ("Madrid", "Europe/Madrid"),
        ("bogota", "America/Bogota"),
        ("new york", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Atlantic/Canary", "Atlantic/Canary"),
        ("UTC", "UTC"),
        ("Bogotá", "America/Bogota"),
        ("ciudad de mexico", "America/Mexico_City"),
        ("Ciudad de México", "America/Mexico_City"),
        ("Canarias", "Atlantic/Canary"),
        ("Nueva York", "America/New_York"),
        ("Londres", "Europe/London"),
        ("Sao Paulo", "America/Sao_Paulo"),
        ("Barcelona", "Europe/Madrid"),
        ("España", "Europe/Madrid"),
        ("Perú", "America/Lima"),
        ("UTC+2", "Etc/GMT-2"),
        ("gmt -5", "Etc/GMT+5"),
        ("UTC−03:00", "Etc/GMT+3"),
        ("+02:00", "Etc/GMT-2"),
        ("UTC+5:30", "Asia/Kolkata"),
    ],
)
def test_a_zone_is_known_by_its_name_in_any_case_and_by_its_city(text: str, name: str) -> None:
    assert parse_zone(text).key == name


@pytest.mark.parametrize(
    "text", ["", "Marte", "UTC+25", "UTC+2:10", "../../etc/passwd", "Europe", "\x00"]
)
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_zone(text)


def test_an_offset_is_told_as_people_write_it_and_not_as_iana_does() -> None:
    assert [zone_label(parse_zone(text)) for text in ("UTC+2", "gmt-5", "UTC+0", "Bogotá")] == [
        "UTC+2",
        "UTC-5",
        "UTC",
        "America/Bogota",
    ]


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T02:40Z", "2026-11-23T04:40:00+02:00", "2026-11-23 02:40:00Z",
     "23.11.2026 3:40:00", "23.11.2026 3.40", "3.40", "03.40"],
)  # fmt: skip
def test_an_offset_decides_over_the_zone_and_an_hour_may_have_a_dot(text: str) -> None:
    found = localize(parse_past(text, utc(2026, 11, 23, 6), MADRID), MADRID)
    assert found == utc(2026, 11, 23, 2, 40)
    assert f"{found:%H:%M}" == "03:40"


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-10-25T02:30+02:00", 0), ("2026-10-25T01:30Z", 1)]
)
def test_an_offset_says_which_of_two_times_it_was(text: str, hour: int) -> None:
    found = localize(parse_past(text, utc(2026, 11, 23, 6), MADRID), MADRID)
    assert found.astimezone(UTC) == utc(2026, 10, 25, hour, 30)
