"""The kinds of question, in a form made for them: what each takes, keeps and says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from factories import LANGUAGES, SENT_AT
from flask import Flask
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from reporter.web.contact_fields import Email, Phone
from reporter.web.fields import Checkbox, Checkboxes, Radios, TextArea, TextInput
from reporter.web.question import Question, display, questions
from reporter.web.tokens import TokenForm
from reporter.wizard.step import StepForm
from reporter.wizard.time_fields import LocalTime, Started, Zone


class Trial(StepForm):
    title = "Trial"
    about = "one of each"

    line = TextInput("Line", required="Say it", max_length=10)
    text = TextArea("Text", max_length=20)
    choice = Radios("Choice", choices=[SelectChoice("a", "The first"), SelectChoice("b", "B")])
    started = Started("Started", choices=[SelectChoice("unknown", "Unknown")])
    several = Checkboxes(
        "Several", choices=[SelectChoice("a", "The first"), SelectChoice("b", "B")]
    )
    under = TextInput("Under", asked_with=("choice", "a"), required="Say more")
    deeper = TextInput("Deeper", asked_with=("under", "yes"), required="Say even more")
    needed = TextInput("Needed", required_with={("choice", "b"): "B needs it"})
    box = Checkbox("Box")
    when = LocalTime("When")
    zone = Zone("Zone")
    email = Email("Email")
    phone = Phone("Phone")


@pytest.fixture(autouse=True)
def in_english(inside_a_request: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


def trial(**typed: str) -> Trial:
    """The form with *typed*, validated."""
    form = Trial(MultiDict({"line": "x", **typed}), meta={"csrf": False})
    form.validate()
    return form


def error(name: str, **typed: str) -> str | None:
    errors = trial(**typed)[name].errors
    return str(errors[0]) if errors else None


def value(name: str, **typed: str) -> str | None:
    form = trial(**typed)
    question: Question = form[name]
    return question.value(form)


def words(name: str, **typed: str) -> str:
    form = trial(**typed)
    return display(form[name], form, SENT_AT)


@pytest.mark.parametrize("blank", ["", "  ", "\r\n\t", "\u200b", "\u2800", "\u3164", "\u00ad"])
def test_a_required_question_says_what_it_wants_when_it_is_left_blank(blank: str) -> None:
    assert error("line", line=blank) == "Say it"
    assert value("line", line=blank) is None
    assert words("line", line=blank) == ""


def test_an_answer_is_kept_as_it_was_typed_but_for_what_a_paste_adds_to_a_line() -> None:
    assert value("line", line="  a\u200b\u00a0 <b> ") == words("line", line=" a <b>") == "a <b>"
    assert value("text", text="one\r\n\r\n two") == "one\r\n\r\n two"


def test_an_answer_has_the_length_the_question_allows_and_no_more() -> None:
    assert error("line", line="x" * 10) is None
    assert error("line", line="x" * 11) == "Use 10 characters or fewer; you have written 11"
    with force_locale("es"):
        assert error("line", line="x" * 11) == "Use 10 caracteres como máximo; ha escrito 11"


def test_a_line_break_counts_as_one_character() -> None:
    assert error("text", text="x" * 18 + "\r\n" + "y") is None
    assert error("text", text="x" * 19 + "\r\n" + "y") is not None


def test_an_emoji_counts_as_one_character() -> None:
    assert error("line", line="\N{FIRE}" * 10) is None


def test_a_question_that_is_not_asked_is_neither_checked_nor_answered() -> None:
    assert error("under", choice="b", under="left over", needed="x") is None
    assert value("under", choice="b", under="left over") is None
    assert words("under", choice="b", under="left over") == ""


def test_a_question_that_is_asked_is_checked() -> None:
    assert error("under", choice="a") == "Say more"
    assert value("under", choice="a", under="more") == "more"


def test_a_question_under_one_that_is_not_asked_is_not_asked() -> None:
    assert error("deeper", choice="a", under="yes") == "Say even more"
    assert error("deeper", choice="b", under="yes", needed="x") is None


def test_an_answer_can_make_another_question_required() -> None:
    assert error("needed", choice="b") == "B needs it"
    assert error("needed", choice="a", under="x") is None
    assert error("needed") is None


def test_a_choice_is_one_of_those_shown() -> None:
    assert error("choice", choice="c") == "Choose one of the answers shown"
    assert error("choice") is None
    assert (value("choice", choice="a", under="x"), words("choice", choice="a", under="x")) == (
        "a",
        "The first",
    )


@pytest.mark.parametrize(
    ("question", "sent", "words"),
    [
        ("choice", ["gone"], "gone"),
        ("started", ["gone"], "gone"),
        ("several", ["gone", "b", "a"], "The first\nB\ngone"),
    ],
)
def test_a_choice_that_is_gone_is_told_as_it_was_sent(
    question: str, sent: list[str], words: str
) -> None:
    form = Trial(MultiDict([(question, each) for each in sent]), meta={"csrf": False})
    assert display(form[question], form, SENT_AT) == words


def test_a_choice_left_open_is_no_answer() -> None:
    assert value("choice") is None
    assert words("choice") == ""


@pytest.mark.parametrize(
    ("sent", "answer"),
    [({"box": "yes"}, "yes"), ({"box": "no"}, "no"), ({"box": ""}, "no"), ({}, "no")],
)
def test_a_box_is_yes_or_no_and_never_blank(sent: dict[str, str], answer: str) -> None:
    assert value("box", **sent) == answer
    assert words("box", **sent) == ("Yes" if answer == "yes" else "")


def test_a_local_time_that_is_none_is_refused_with_an_example() -> None:
    assert error("when", when="yesterday") == (
        "Enter the date and the time, for example 2026-11-23 02:40"
    )
    assert error("when", when="2026-11-23T02:40") is None


def test_half_a_time_stays_on_the_page_and_says_what_lacks() -> None:
    for half in ("2026-11-23", "24/11/2025", "ayer"):
        shown = trial(when=half).when
        assert (shown.attributes()["type"], shown.data) == ("text", half)
    assert error("when", when="2026-11-23") == (
        "Add the time to the date, for example 24/11/2025 09:30"
    )
    assert trial(when="2026-11-23T02:40").when.attributes()["type"] == "datetime-local"
    assert trial().when.attributes()["type"] == "datetime-local"


def test_a_zone_is_told_by_its_iana_name_however_it_was_typed() -> None:
    assert value("zone", zone="madrid") == "Europe/Madrid"
    assert words("zone", zone="Bogotá") == "America/Bogota"
    assert (value("zone", zone="UTC+2"), words("zone", zone="UTC+2")) == ("Etc/GMT-2", "UTC+2")


def test_a_zone_nobody_knows_is_refused() -> None:
    assert error("zone", zone="Atlantis") == (
        "Enter a time zone or its city, for example Europe/Madrid, Bogotá or UTC-5"
    )


@pytest.mark.parametrize("typed", [{}, {"zone": ""}, {"zone": "  "}])
def test_a_zone_left_blank_is_the_providers(typed: dict[str, str]) -> None:
    assert value("zone", **typed) == "Europe/Madrid"


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com",
        "ana.lopez@example.com",
        "ana+avisos@sub.example.co.uk",
        "o'brien@example.ie",
        "ana@straße.example",
        "ana@xn--strae-oqa.example",
        "ana@correo.españa.example",
        "ana@this-domain-does-not-resolve.example",
    ],
)
def test_an_address_is_checked_for_its_form_and_never_by_dns(address: str) -> None:
    assert error("email", email=address) is None
    assert value("email", email=address) == address


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ana", "Enter an email address with an @, for example name@example.com"),
        ("@example.com", "Enter what goes before the @ too, for example name@example.com"),
        ("ana@", "Enter everything that goes after the @, for example name@example.com"),
        ("ana@example", "Enter everything that goes after the @, for example name@example.com"),
        ("ana@@example.com", "An email address has one @ only: take the other one out"),
        (
            "ana..lopez@example.com",
            "An email address has no two dots together, and none beside the @: check its dots",
        ),
        (f"{'x' * 65}@example.com", "What goes before the @ is too long: check it"),
        ("ana@192.168.1.1", "“192.168.1.1” cannot be what goes after the @: check it"),
        ("ana lopez@example.com", "An email address has no spaces: take them out"),
        ("ana@exa\x00mple.com", "An email address has no spaces: take them out"),
        ("ana@example.com, eva@example.com", "Enter one email address only"),
        ("ana@example.com\r\nBcc: eva@example.com", "Enter one email address only"),
        (
            "añá@example.com",
            "We cannot write to an address with “ñá” before the @: enter another one",
        ),
        (
            "x@empresa.local",
            "empresa.local works only inside your network: enter an address that works from "
            "outside",
        ),
        (
            "=?utf-8?q?x?=@example.com",
            "Enter an email address in full, for example name@example.com",
        ),
    ],
)
def test_what_is_no_address_is_refused_with_its_cause(address: str, message: str) -> None:
    assert error("email", email=address) == message


@pytest.mark.parametrize(
    "pasted", ["<ana@example.com>", "mailto:ana@example.com", "\u200bana@example.com\ufeff,"]
)
def test_what_a_paste_adds_to_an_address_is_taken_off(pasted: str) -> None:
    assert error("email", email=pasted) is None
    assert value("email", email=pasted) == words("email", email=pasted) == "ana@example.com"


def test_a_domain_in_other_letters_is_shown_in_them() -> None:
    assert words("email", email="ana@xn--strae-oqa.example") == "ana@straße.example"


def test_blanks_around_an_address_are_dropped() -> None:
    assert value("email", email="  ana@example.com\t") == "ana@example.com"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("600 000 000", "+34 600 00 00 00"),
        ("600-000-000", "+34 600 00 00 00"),
        ("(600) 00.00.00", "+34 600 00 00 00"),
        ("+34600000000", "+34 600 00 00 00"),
        ("0034 600 000 000", "+34 600 00 00 00"),
        ("tel: 600000000", "+34 600 00 00 00"),
        ("912 345 678", "+34 912 34 56 78"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
        ("+57 601 2345678", "+57 601 2345678"),
        ("912 345 678 ext. 12", "+34 912 34 56 78 ext. 12"),
        ("٦٠٠٠٠٠٠٠٠", "+34 600 00 00 00"),
    ],
)
def test_a_phone_number_is_read_in_any_form_and_told_in_the_international_one(
    typed: str, told: str
) -> None:
    assert error("phone", phone=typed) is None
    assert (value("phone", phone=typed), words("phone", phone=typed)) == (told, told)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("no tengo", "Enter a phone number in digits, for example +34 600 000 000"),
        ("1-800-FLOWERS", "Write “FLOWERS” in digits, for example +34 600 000 000"),
        (
            "600 00",
            "“600 00” has too few digits: enter the whole number, for example +34 600 000 000",
        ),
        (
            "600 000 0000",
            "“600 000 0000” has too many digits: enter one number, for example +34 600 000 000",
        ),
        ("+999 123", "“+999 123” begins with a country code that does not exist: check it"),
    ],
)
def test_a_refused_number_is_told_by_the_part_that_was_not_understood(
    typed: str, message: str
) -> None:
    assert (error("phone", phone=typed) or "").replace("\xa0", " ") == message


def test_words_beside_a_number_are_shown_with_it_and_are_no_part_of_it() -> None:
    assert value("phone", phone="600 000 000 (tardes)") == "+34 600 00 00 00"
    assert words("phone", phone="600 000 000 (tardes)") == "+34 600 00 00 00 (tardes)"
    assert value("phone", phone="+49 30 12345 Max") == "+49 30 12345"


def test_the_questions_of_a_form_are_those_declared_in_their_order() -> None:
    assert [question.name for question in questions(trial())] == [
        "line", "text", "choice", "started", "several", "under", "deeper", "needed", "box", "when",
        "zone", "email", "phone",
    ]  # fmt: skip


def test_a_screen_reader_says_the_hint_and_the_error_of_a_question() -> None:
    class Hinted(StepForm):
        title = about = "Hinted"
        line = TextInput("Line", hint="Like this", required="Say it")
        plain = TextInput("Plain")

    form = Hinted(MultiDict({"line": ""}), meta={"csrf": False})
    assert form.line.described_by() == "h-line"
    form.validate()
    assert form.line.described_by() == "h-line e-line"
    assert form.line.attributes()["aria-invalid"] == "true"
    assert "aria-describedby" not in form.plain.attributes()


def every_form(kind: type[TokenForm] = TokenForm) -> Iterator[type[TokenForm]]:
    """Of the package; those that stand alone, and those with languages of their own."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("reporter."):
            yield each
            yield from every_form(each)


# What is no prose: addresses, numbers, codes, and what a machine said.
VERBATIM = {
    *("affected", "error_message", "tests_done", "timezone", "customer_number", "email", "phone"),
    "contact",
}


def test_a_text_begins_from_either_side_and_no_browser_mends_what_is_no_prose(
    unchanged_app: Flask,
) -> None:
    with unchanged_app.test_request_context():
        written = [
            question
            for form in every_form()
            for question in questions(form())
            if isinstance(question, TextInput | TextArea)
        ]
    assert {question.name for question in written} >= VERBATIM
    for question in written:
        found = question.attributes()
        is_text = found.get("type", "text") == "text"
        assert found.get("dir") == ("auto" if is_text else None), question.name
        if question.name in VERBATIM:
            kept_off = (found["spellcheck"], found["autocapitalize"], found["autocorrect"])
            assert kept_off == ("false", "none", "off"), question.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_above_a_form_no_two_of_its_questions_say_the_same(
    unchanged_app: Flask, language: str
) -> None:
    """Neither of what is left blank, nor of what is too long: each names its question."""
    with unchanged_app.test_request_context(), force_locale(language):
        for form in every_form():
            said = [
                question.in_summary(str(error))
                for question in questions(form())
                for error in ["!", question.required, *question.required_with.values()]
                if error and question.control != "files"  # which name the file
            ]
            assert len(said) == len(set(said)), form


def test_what_names_its_question_is_said_as_it_is() -> None:
    assert trial().line.in_summary("Say it") == "Say it"
    assert trial().line.in_summary("Too long") == "Line: too long"
    assert trial().line.in_summary("Line 3 is too long") == "Line 3 is too long"
