"""Times as support writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from flask_babel import force_locale
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from reporter.formats.support_times import WrongSide, parse_time
from reporter.web.support_time import SupportTime

pytestmark = pytest.mark.usefixtures("inside_a_request")


class PromiseForm(FlaskForm):
    next_news_at = SupportTime("Next update at", ahead=True)
    started_at = SupportTime("When it started", ahead=False)


def promised(**typed: str) -> PromiseForm:
    return PromiseForm(MultiDict(typed), meta={"csrf": False})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("now", "text", "moment"),
    [
        # Winter: Madrid is one hour ahead.
        ("2026-11-23 02:22", "10:30", "2026-11-23 09:30"),
        ("2026-11-23 02:22", " 9:05 ", "2026-11-23 08:05"),
        ("2026-11-23 02:22", "03:23", "2026-11-23 02:23"),
        ("2026-11-23 02:22", "2026-11-24 09:00", "2026-11-24 08:00"),
        ("2026-11-23 02:22", "2026-11-24T09:00", "2026-11-24 08:00"),
        ("2026-11-23 02:22", "24/11/2026 09:00", "2026-11-24 08:00"),
        ("2026-11-23 02:22", "2026-11-24T09:00:00-05:00", "2026-11-24 14:00"),
        ("2026-11-23 02:22", "9.30", "2026-11-23 08:30"),
        ("2026-11-23 02:22", "9:30 pm", "2026-11-23 20:30"),
        # Summer: two hours.
        ("2026-07-01 20:00", "23:30", "2026-07-01 21:30"),
        ("2026-07-01 20:00", "10:30", "2026-07-02 08:30"),
        # Missed by six hours: tomorrow's is meant.
        ("2026-11-23 10:00", "05:00", "2026-11-24 04:00"),
        # The night between them: tomorrow has another offset than today.
        ("2026-10-24 18:00", "10:30", "2026-10-25 09:30"),
        ("2026-03-28 18:00", "10:30", "2026-03-29 08:30"),
        # It is 2:45 twice that night; the one that is to come is meant.
        ("2026-10-25 00:30", "02:45", "2026-10-25 00:45"),
        ("2026-10-25 01:00", "02:45", "2026-10-25 01:45"),
        # With its date nobody can say which; the earlier is no later than was promised.
        ("2026-10-24 18:00", "2026-10-25 02:30", "2026-10-25 00:30"),
        # A year and a day ahead, and no minute more.
        ("2026-11-23 10:00", "2027-11-24 11:00", "2027-11-24 10:00"),
    ],
)
def test_a_time_to_come(now: str, text: str, moment: str) -> None:
    found = parse_time(text, utc(now), ahead=True)
    assert found == utc(moment)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("now", "text", "moment"),
    [
        ("2026-11-23 10:00", "10:30", "2026-11-23 09:30"),
        ("2026-11-23 10:00", "11:00", "2026-11-23 10:00"),
        ("2026-11-23 00:30", "23:15", "2026-11-22 22:15"),
        ("2026-11-23 10:00", "18:00", "2026-11-22 17:00"),
        ("2026-11-23 10:00", "2026-11-22 18:00", "2026-11-22 17:00"),
        ("2026-10-25 10:00", "2026-10-24 18:00", "2026-10-24 16:00"),
        ("2026-10-25 02:00", "02:45", "2026-10-25 01:45"),
        ("2026-10-25 01:00", "02:45", "2026-10-25 00:45"),
        ("2026-11-23 10:00", "2026-11-23 11:00", "2026-11-23 10:00"),  # this very minute
    ],
)
def test_a_time_gone_by(now: str, text: str, moment: str) -> None:
    assert parse_time(text, utc(now), ahead=False) == utc(moment)


@pytest.mark.parametrize(
    ("now", "text", "ahead", "other"),
    [
        # 11:41 in Madrid.
        ("2026-11-23 10:41", "10:30", True, "2026-11-24 09:30"),
        ("2026-11-23 10:41", "11:41", True, "2026-11-24 10:41"),
        ("2026-11-23 10:41", "11:42", False, "2026-11-22 10:42"),
        ("2026-11-23 10:41", "2026-11-23 10:30", True, None),
        ("2026-11-23 10:41", "2026-11-23 11:41", True, None),
        # Already tomorrow in Madrid.
        ("2026-11-23 23:30", "00:10", True, "2026-11-24 23:10"),
        ("2026-11-23 10:41", "2026-11-23 18:30", False, None),
    ],
)
def test_a_time_just_missed_is_no_promise_for_tomorrow(
    now: str, text: str, ahead: bool, other: str | None
) -> None:
    with pytest.raises(WrongSide) as error:
        parse_time(text, utc(now), ahead=ahead)
    assert error.value.moment == (utc(other) if other else None)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("text", "now", "ahead"),
    [
        ("2027-03-28 02:30", "2026-11-23 10:00", True),
        ("02:30", "2027-03-28 00:15", True),
        ("02:30", "2027-03-28 04:00", False),
    ],
)
def test_a_time_that_the_clocks_go_over_is_refused(text: str, now: str, ahead: bool) -> None:
    with pytest.raises(ValueError, match=text) as error:
        parse_time(text, utc(now), ahead=ahead)
    assert not isinstance(error.value, WrongSide)


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize(
    "text",
    ["", "+1:30", "1:3", ":", "10:", "soon", "24:00", "10:60", "-1:30", "1030",
     "99/99/2026 10:30", "0001-01-01",
     "9999-12-31 23:59", "0001-01-01T00:00:00+14:00", "1969-12-31 10:00", "2028-01-01 10:00",
     "2027-11-24 11:01"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str, ahead: bool) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever it says, the caller says it better)
        parse_time(text, utc("2026-11-23 10:00"), ahead=ahead)


def test_a_time_on_the_wrong_side_of_now_is_refused() -> None:
    now = utc("2026-11-23 10:00")
    for text, ahead in (("2026-11-23 10:59", True), ("2026-11-23 11:01", False)):
        with pytest.raises(ValueError, match="2026"):
            parse_time(text, now, ahead=ahead)


# In a form


def test_a_promise_is_what_it_meant_when_it_was_sent_however_late_it_is_read() -> None:
    with time_machine.travel(utc("2026-11-23 09:29:59.500"), tick=False) as clock:
        form = promised(next_news_at="10:30")
        clock.shift(1)
        assert form.validate(), form.errors
        assert form.next_news_at.moment == utc("2026-11-23 09:30")


def test_what_began_is_what_it_meant_when_it_was_sent() -> None:
    with time_machine.travel(utc("2026-11-23 09:30:00.500"), tick=False) as clock:
        form = promised(started_at="10:30")
        clock.shift(24 * 3600)
        assert form.validate(), form.errors
        assert form.started_at.moment == utc("2026-11-23 09:30")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"next_news_at": "pronto"}, "Enter a time, for example 10:30"),
        ({"next_news_at": "2026-11-22 10:30"}, "That time has passed"),
        (
            {"next_news_at": "09:00"},
            "That time has passed. For another day, write the date too: 2026-11-24 09:00",
        ),
        ({"started_at": "2026-11-24 10:30"}, "Enter a time, for example 10:30"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_it(typed: dict[str, str], error: str) -> None:
    with time_machine.travel(utc("2026-11-23 09:30"), tick=False), force_locale("en"):
        form = promised(**typed)
        assert not form.validate()
        assert form.errors == {name: [error] for name in typed}
        assert form[next(iter(typed))].moment is None


def test_a_blank_promise_is_none() -> None:
    form = promised(next_news_at=" \u200b ")
    assert form.validate()
    assert form.next_news_at.moment is None
