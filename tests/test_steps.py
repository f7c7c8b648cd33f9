"""The questions of the first stage: which are required, when they are asked, what they take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from factories import ANSWERS, LANGUAGES, SENT_AT, SLUGS, a_form, an_app
from flask import Flask
from flask_babel import force_locale

from reporter.web.question import display, questions
from reporter.wizard.started import Precision
from reporter.wizard.steps import REPORT_STEPS, TimingForm

STEP_OF = {
    question: step.slug
    for step in REPORT_STEPS
    for question in vars(step.form)
    if question in ANSWERS or question in {"approximate", "started_fold"}
}
BLANK: dict[str, str | None] = dict.fromkeys([*ANSWERS, "approximate", "started_fold"])


@pytest.fixture(autouse=True)
def at_that_time(inside_a_request: Flask) -> Iterator[None]:
    with time_machine.travel(SENT_AT, tick=False):
        yield


def errors(slug: str, language: str = "en", **changes: str | None) -> dict[str, str]:
    """The message beside each question that is wrong."""
    with force_locale(language):
        form = a_form(slug, **changes)
        form.validate()
        return {
            question.name: str(question.errors[0])
            for question in questions(form)
            if question.errors
        }


def timing(**changes: str | None) -> TimingForm:
    form = a_form("timing", answered_at=SENT_AT, **changes)
    assert isinstance(form, TimingForm)
    return form


def test_the_steps_and_their_keys_are_those_of_the_contract() -> None:
    assert SLUGS == ["failure", "timing", "changes", "contact"]
    contract = {
        "failure": [
            "service", "affected", "summary", "error_message", "screenshots", "impact",
        ],
        "timing": [
            "started", "started_at", "started_fold", "approximate", "timezone", "pattern",
            "frequency",
        ],
        "changes": ["changed", "change_description"],
        "contact": [
            "name", "company", "customer_number", "email", "email_affected", "phone",
            "preferred_channel",
        ],
    }  # fmt: skip
    for step in REPORT_STEPS:
        asked = [question.name for question in questions(step.form())]
        known = contract[step.slug]
        assert [name for name in asked if name in known] == known  # others may be added


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (
            "service",
            ["web-hosting", "email", "virtual-server", "dedicated-server", "domains-dns",
             "connectivity", "database", "storage-backup", "other"],
        ),
        ("impact", ["critical", "major", "minor", "question"]),
        ("started", ["just_now", "minutes_15", "hour_1", "at", "unknown"]),
        ("pattern", ["continuous", "intermittent", "over", "unknown"]),
        ("changed", ["no", "yes", "unknown"]),
        ("email_affected", ["no", "yes", "unknown"]),
        ("preferred_channel", ["email", "phone"]),
    ],
)  # fmt: skip
def test_choices_are_those_of_the_contract_and_every_one_is_taken(
    key: str, values: list[str]
) -> None:
    slug = STEP_OF[key]
    assert [choice.value for choice in a_form(slug)[key].iter_choices()] == values
    assert not any(errors(slug, **{key: value}) for value in values)
    message = errors(slug, **{key: "none of them"})[key]
    assert message == "Choose one of the answers shown"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_whole_step_is_valid(slug: str) -> None:
    assert errors(slug) == {}


@pytest.mark.parametrize(
    ("key", "spanish", "english"),
    [
        ("service", "Elija el servicio que falla", "Choose the service that is failing"),
        ("summary", "Cuente en una línea qué ocurre", "Describe in one line what is happening"),
        ("impact", "Indique qué gravedad tiene", "Say how serious it is for you"),
        (
            "started",
            "Indique cuándo empezó, o que no lo sabe",
            "Say when it started, or that you do not know",
        ),
        (
            "started_at",
            "Escriba la fecha y la hora en que empezó",
            "Enter the date and the time it started",
        ),
        ("pattern", "Indique si falla todo el tiempo", "Say whether it is failing all the time"),
        (
            "changed",
            "Indique si cambiaron algo, o que no lo sabe",
            "Say whether you changed anything, or that you do not know",
        ),
        ("change_description", "Cuente qué cambiaron", "Say what you changed"),
        ("name", "Escriba su nombre", "Enter your name"),
        ("email", "Escriba su dirección de correo", "Enter your email address"),
        (
            "email_affected",
            "Indique si la incidencia afecta a ese correo",
            "Say whether the incident affects that email address",
        ),
        (
            "preferred_channel",
            "Elija cómo prefiere que le respondamos",
            "Choose how we should reply",
        ),
    ],
)
def test_a_required_question_says_so_in_both_languages(
    key: str, spanish: str, english: str
) -> None:
    slug = STEP_OF[key]
    assert errors(slug, "es", **{key: None})[key] == spanish
    assert errors(slug, "en", **{key: " "})[key] == english


@pytest.mark.parametrize(
    "key", ["affected", "error_message", "frequency", "company", "customer_number", "timezone"]
)
def test_an_optional_question_may_be_left_blank(key: str) -> None:
    assert errors(STEP_OF[key], **{key: ""}) == {}
    assert errors(STEP_OF[key], **{key: None}) == {}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_question_that_may_be_left_blank_says_so(slug: str) -> None:
    with force_locale("en"):
        form = a_form(slug)
        said = {question.name: question.optional() for question in questions(form)}
    assert [name for name in said if not said[name]] == [
        question.name for question in questions(form) if question.required
    ]
    assert said.get("phone", "") in {"", "(optional, unless we need to call you)"}


@pytest.mark.parametrize(
    ("slug", "wrong"),
    [
        ("failure", {"service", "summary", "impact"}),
        ("timing", {"started", "pattern"}),
        ("changes", {"changed"}),
        ("contact", {"name", "email", "email_affected", "preferred_channel"}),
    ],
)
def test_a_blank_step_shows_every_error_at_once(slug: str, wrong: set[str]) -> None:
    assert set(errors(slug, **BLANK)) == wrong


@pytest.mark.parametrize(
    ("key", "limit"), [("summary", 120), ("error_message", 20_000), ("affected", 2_000)]
)
def test_a_text_has_its_limit(key: str, limit: int) -> None:
    assert errors("failure", **{key: "x" * limit}) == {}
    assert errors("failure", **{key: "x" * (limit + 1)}) == {
        key: f"Use {limit} characters or fewer; you have written {limit + 1}"
    }


@pytest.mark.parametrize("started", ["just_now", "minutes_15", "hour_1", "unknown"])
def test_a_time_is_asked_only_when_it_is_known(started: str) -> None:
    changes = {"started": started, "started_at": "rubbish", "approximate": "yes"}
    assert errors("timing", **changes) == {}
    form = timing(**changes)
    assert form.started_at.value(form) is None
    assert form.approximate.value(form) is None


@pytest.mark.parametrize("pattern", ["continuous", "over", "unknown"])
def test_the_frequency_is_asked_only_of_what_comes_and_goes(pattern: str) -> None:
    form = timing(pattern=pattern)
    assert form.frequency.value(form) is None
    form = timing(pattern="intermittent")
    assert form.frequency.value(form) == "cada 10 minutos"


@pytest.mark.parametrize("blank", [" \r\n", "\u200b", "\u2800", "\u3164", "\u00ad"])
def test_what_nobody_sees_does_not_say_what_changed(blank: str) -> None:
    assert errors("changes", changed="yes", change_description=blank) == {
        "change_description": "Say what you changed"
    }


@pytest.mark.parametrize("changed", ["no", "unknown"])
def test_what_changed_is_asked_only_when_something_did(changed: str) -> None:
    assert errors("changes", changed=changed, change_description=None) == {}
    form = a_form("changes", changed=changed)
    assert form.change_description.value(form) is None


def test_a_zone_the_browser_made_up_is_no_obstacle_while_it_is_not_shown() -> None:
    assert errors("timing", started="just_now", timezone="Etc/Unknown") == {}
    assert set(errors("timing", timezone="Etc/Unknown")) == {"timezone"}
    form = timing(started="just_now", timezone="Etc/Unknown")
    assert form.timezone.value(form) == "Europe/Madrid"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"email_affected": "yes"}, "Enter a phone number: our emails may not reach you"),
        ({"preferred_channel": "phone"}, "Enter the phone number we should call"),
        ({"email_affected": "unknown", "preferred_channel": "email"}, None),
        ({"email_affected": "no", "preferred_channel": "email"}, None),
    ],
)
def test_a_phone_number_is_needed_where_mail_will_not_do(
    changes: dict[str, str], message: str | None
) -> None:
    assert errors("contact", phone="", **changes).get("phone") == message


def test_a_phone_number_without_a_prefix_is_of_the_providers_country(tmp_path: Path) -> None:
    with an_app(tmp_path, PHONE_REGION="CO") as app, app.test_request_context():
        form = a_form("contact", phone="601 2345678")
        assert form.phone.value(form) == "+57 601 2345678"


def test_the_clocks_that_went_forward_refuse_the_time_they_skipped() -> None:
    skipped = {"started_at": "2026-03-29T02:30"}
    assert errors("timing", "en", **skipped) == {
        "started_at": "That time did not exist: the clocks went forward. Check the hour"
    }
    assert errors("timing", "es", **skipped) == {
        "started_at": "Esa hora no existió: se adelantaron los relojes. Revise la hora"
    }
    assert errors("timing", timezone="America/Bogota", **skipped) == {}


def test_the_clocks_that_went_back_ask_which_of_the_two_times() -> None:
    twice = {"started_at": "2026-10-25T02:30"}
    assert errors("timing", "en", **twice) == {"started_fold": "Say which of the two times it was"}
    assert errors("timing", "es", **twice) == {"started_fold": "Indique cuál de las dos horas fue"}
    assert errors("timing", started_fold="both", **twice) == {
        "started_fold": "Choose one of the answers shown"
    }
    for answer, hour in (("earlier", 0), ("later", 1)):
        assert errors("timing", started_fold=answer, **twice) == {}
        moment = timing(started_fold=answer, **twice).moment()
        assert moment
        assert moment.at.astimezone(UTC) == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_which_of_two_times_is_not_asked_of_a_time_that_exists_once() -> None:
    form = timing(started_fold="later")
    assert form.started_fold.value(form) is None
    assert not timing(started="just_now", started_at="2026-10-25T02:30").is_twofold()


@pytest.mark.parametrize("started_at", ["2026-11-23T03:25", "2026-11-24T02:40", "2027-01-01T00:00"])
def test_a_time_in_the_future_is_refused(started_at: str) -> None:
    assert errors("timing", "en", started_at=started_at) == {
        "started_at": "That time is in the future. Check the date and the time zone"
    }
    assert errors("timing", "es", started_at=started_at) == {
        "started_at": "Esa hora aún no ha llegado. Revise la fecha y la zona horaria"
    }


def test_a_clock_two_minutes_ahead_is_not_the_future() -> None:
    assert errors("timing", started_at="2026-11-23T03:24") == {}


def test_the_future_is_told_in_the_customers_zone() -> None:
    assert errors("timing", started_at="2026-11-23T03:00") == {}
    assert set(errors("timing", started_at="2026-11-23T03:00", timezone="America/Bogota")) == {
        "started_at"
    }


@pytest.mark.parametrize("started_at", ["0001-01-01T00:00", "9999-12-31T23:59", "25:59"])
def test_a_time_nobody_can_mean_is_refused(started_at: str) -> None:
    for zone in ("Europe/Madrid", "America/Bogota", "Asia/Tokyo"):
        assert set(errors("timing", started_at=started_at, timezone=zone)) == {"started_at"}


@pytest.mark.parametrize(
    ("started", "ago"),
    [
        ("just_now", timedelta(0)),
        ("minutes_15", timedelta(minutes=15)),
        ("hour_1", timedelta(hours=1)),
    ],
)
def test_a_relative_time_counts_back_from_when_it_was_answered(
    started: str, ago: timedelta
) -> None:
    moment = timing(started=started).moment()
    assert moment
    assert (moment.at, moment.precision) == (SENT_AT - ago, Precision.APPROXIMATE)
    assert moment.at.utcoffset() == timedelta(hours=1)


def test_an_exact_time_is_exact_unless_it_is_called_approximate() -> None:
    exact, roughly = timing().moment(), timing(approximate="yes").moment()
    assert exact
    assert exact.precision == Precision.EXACT
    assert roughly
    assert roughly.precision == Precision.APPROXIMATE
    assert exact.at == datetime(2026, 11, 23, 1, 40, tzinfo=UTC)


def test_not_knowing_when_is_an_answer_and_no_moment() -> None:
    form = timing(started="unknown")
    assert form.moment() is None
    assert form.started.value(form) == "unknown"
    with force_locale("es"):
        assert display(form.started, form, SENT_AT) == "No lo sé"


def test_an_answer_of_not_knowing_is_kept_apart_from_a_blank() -> None:
    with force_locale("en"):
        for slug, key in (
            ("timing", "pattern"),
            ("changes", "changed"),
            ("contact", "email_affected"),
        ):
            form = a_form(slug, **{key: "unknown"})
            assert form[key].value(form) == "unknown"
            assert display(form[key], form, SENT_AT) == "I do not know"


def test_a_relative_time_is_shown_as_an_exact_one_too() -> None:
    form = timing(started="minutes_15")
    with force_locale("es"):
        assert display(form.started, form, SENT_AT) == (
            "Hace unos 15 minutos\n"
            "23 nov 2026 03:07 (Europe/Madrid) · 02:07 UTC · 15 minutos antes de este aviso"
        )


def test_an_exact_time_is_shown_once() -> None:
    form = timing()
    with force_locale("en"):
        assert display(form.started, form, SENT_AT) == ""
        assert display(form.started_at, form, SENT_AT) == (
            "23 Nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutes before this report"
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_choice_and_title_has_words_in_every_language(language: str) -> None:
    with force_locale(language):
        for step in REPORT_STEPS:
            form = step.form()
            assert str(form.title)
            assert str(form.about)
            for question in questions(form):
                assert str(question.label.text)
                choices = getattr(question, "iter_choices", tuple)()
                assert all(str(choice.label) for choice in choices)


def test_services_are_named_as_the_settings_have_it(tmp_path: Path) -> None:
    services = [{"id": "cloud", "name": {"es": "Nube", "en": "Cloud"}}]
    both = ["es", "en"]
    with (
        an_app(tmp_path, SERVICES=services, LANGUAGES=both) as app,
        app.test_request_context(),
    ):
        for language, name in (("es", "Nube"), ("en", "Cloud")):
            with force_locale(language):
                choices = a_form("failure").service.iter_choices()
                assert [(c.value, str(c.label)) for c in choices] == [("cloud", name)]


@pytest.mark.parametrize(
    "ours", ["support@example.com", "SUPPORT@example.com", "<no-reply@example.com>"]
)
def test_an_address_of_our_own_mails_is_no_customers(inside_a_request: Flask, ours: str) -> None:
    sender = inside_a_request.config["MAIL_DEFAULT_SENDER"]
    assert errors("contact", email=ours.replace("no-reply@example.com", sender)) == {
        "email": "That is our address: enter your own"
    }


@pytest.mark.parametrize(
    ("typed", "told"),
    [("09:30", "2026-11-22T09:30:00+01:00"), ("24/11/2025 9:30", "2025-11-24T09:30:00+01:00"),
     ("2:59", "2026-11-23T02:59:00+01:00"), ("24.11.2025 09:30", "2025-11-24T09:30:00+01:00")],
)  # fmt: skip
def test_a_time_is_taken_as_people_type_it(typed: str, told: str) -> None:
    at = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        form = timing(started="at", started_at=typed)
        form.answered_at = at
        assert form.validate(), form.errors
        moment = form.moment()
        assert moment is not None
        assert moment.at.isoformat() == told
