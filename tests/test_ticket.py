"""The text of a ticket: its subject, the block that programs read, and the whole body."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from factories import SENT_AT, a_report
from flask_babel import force_locale

from reporter.mail.first_line import followup_line
from reporter.mail.followup_text import followup_text
from reporter.mail.key_block import block, missing
from reporter.mail.ticket_text import copy_text, subject, ticket_text
from reporter.models import Channel, UpdateKind
from reporter.report import CustomerUpdate, Followup, Section, Similar

pytestmark = pytest.mark.usefixtures("inside_a_request")

# What somebody in a hurry leaves out.
SHORT = dict.fromkeys(
    ["affected", "error_message", "frequency", "company", "customer_number", "phone"], ""
)


def test_the_sections_are_in_the_language_of_support_and_the_block_is_not_translated() -> None:
    spanish, english = (ticket_text(a_report(language="es"), each) for each in ("es", "en"))
    assert english.startswith("Web hosting, critical, since 02:40 (42 min before the report): La ")
    assert "WHAT IS WRONG\nWhich service is failing?\n| Web hosting\n\n" in english
    assert "23 Nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutes before this" in english
    assert "\nQUÉ FALLA" not in english
    assert english.split("\n\n")[1] == spanish.split("\n\n")[1]


# The first line, which a list of mails shows


@pytest.mark.parametrize(
    ("impact", "spanish", "english"),
    [
        ("critical", "crítico", "critical"),
        ("major", "grave", "major"),
        ("minor", "leve", "minor"),
        ("question", "consulta", "a question"),
    ],
)
def test_the_first_line_says_how_serious_it_is(impact: str, spanish: str, english: str) -> None:
    report = a_report(impact=impact)
    assert ticket_text(report, "es").startswith(f"Alojamiento web, {spanish}, desde ")
    assert ticket_text(report, "en").startswith(f"Web hosting, {english}, since ")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "Alojamiento web, crítico, desde las 02:40 (42 min antes del aviso): La tienda no carga"
            " – error 502. Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
        (
            {"impact": "minor", "preferred_channel": "email", "approximate": "yes"},
            "Alojamiento web, leve, desde alrededor de las 02:40 (42 min antes del aviso): La"
            " tienda no carga – error 502. Escribir a Íñigo Muñoz, inigo@example.com.",
        ),
        (
            {"preferred_channel": "email", "email_affected": "yes", "started": "unknown"},
            "Alojamiento web, crítico, no se sabe desde cuándo: La tienda no carga – error 502."
            " Llamar a Íñigo Muñoz, +34 600 00 00 00: el correo puede no llegarle.",
        ),
        (
            {"started_at": "2026-11-20T23:20", "summary": "¿Está caído?"},
            "Alojamiento web, crítico, desde el 20 nov 23:20 (2 d 4 h antes del aviso): "
            "¿Está caído? Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
        (
            {"started_at": "2026-11-20T23:20", "approximate": "yes"},
            "Alojamiento web, crítico, desde alrededor del 20 nov 23:20 (2 d 4 h antes del aviso): "
            "La tienda no carga – error 502. Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
        (
            {"started": "just_now", "service": "email", "summary": "No hay correo..."},
            "Correo electrónico, crítico, desde alrededor de las 03:22 (justo antes del aviso): "
            "No hay correo. Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
        (
            {"started_at": "2026-11-23T01:30"},
            "Alojamiento web, crítico, desde la 01:30 (1 h 52 min antes del aviso): La tienda no"
            " carga – error 502. Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
        (
            {"timezone": "America/Bogota", "started_at": "2026-11-22T20:00"},
            "Alojamiento web, crítico, desde las 02:00 (1 h 22 min antes del aviso): La tienda no"
            " carga – error 502. Llamar a Íñigo Muñoz, +34 600 00 00 00.",
        ),
    ],
)
def test_the_first_line_says_what_since_when_and_whom_to_call(
    changes: dict[str, str], line: str
) -> None:
    assert ticket_text(a_report(**changes), "es").splitlines()[0] == line


@pytest.mark.parametrize(
    ("kinds", "files", "line"),
    [
        (["better"], 0, "VA MEJOR: uno (actualización 2 de INC-KX7M9Q)"),
        (["info", "better"], 0, "VA MEJOR: dos; y 1 más (actualización 2 de INC-KX7M9Q)"),
        (
            ["info"] * 3,
            1,
            "MÁS INFORMACIÓN, 1 archivo: tres; y 2 más (actualización 2 de INC-KX7M9Q)",
        ),
        (["files"], 1, "MÁS ARCHIVOS: 1 archivo (actualización 2 de INC-KX7M9Q)"),
        (["files", "files"], 3, "MÁS ARCHIVOS: 3 archivos (actualización 2 de INC-KX7M9Q)"),
        (["info", "files"], 2, "MÁS INFORMACIÓN, 2 archivos: uno (actualización 2 de INC-KX7M9Q)"),
        (
            ["unreachable"],
            0,
            "NUESTRO CORREO NO LLEGA AL CLIENTE: Íñigo Muñoz no dejó teléfono"
            " (actualización 2 de INC-KX7M9Q)",
        ),
    ],
)
def test_the_first_line_of_a_follow_up_is_its_news_and_how_many_there_are(
    kinds: list[str], files: int, line: str
) -> None:
    report = a_report(phone="")
    told = [
        CustomerUpdate(UpdateKind(kind), text, SENT_AT)
        for kind, text in zip(kinds, ("uno", "dos", "tres"), strict=False)
    ]
    followup = Followup(2, told, [], report, solved=False)
    with force_locale("es"):
        assert followup_line(report, followup, [], files) == line


def test_a_list_shows_how_bad_and_what_in_25_characters() -> None:
    assert subject(a_report())[:25] == "SEV1 La tienda no carga –"


@pytest.mark.parametrize(
    ("impact", "level"), [("critical", 1), ("major", 2), ("minor", 3), ("question", 4)]
)
def test_the_subject_has_the_severity_the_summary_the_service_and_the_reference(
    impact: str, level: int
) -> None:
    assert subject(a_report(impact=impact)) == (
        f"SEV{level} La tienda no carga – error 502 | web-hosting | INC-KX7M9Q"
    )


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("[Ticket#123] no carga", " Ticket123 no carga"),
        ("#1 [urgente]", " 1 urgente"),
        ("XEN #1", " XEN 1"),
        ("a\r\nBcc: eva@example.com", " a Bcc: eva@example.com"),
        ("a\u2028b\u202ec\x00d", " a bc d"),
        ("no\u200b car\u00adga\u2060", " no carga"),
        ("می\u200cخواهم 👩\u200d👧", " می\u200cخواهم 👩\u200d👧"),
        ("a\u200d b\u200c", " a b"),
        ("[#]", ""),
        ("a  [ ]  b", " a b"),
        ("=[?utf-8?q?Bcc:_x?=", " = ?utf-8?q?Bcc:_x?="),
        ("=?utf-8?q?Bcc:_x?=", " = ?utf-8?q?Bcc:_x?="),
    ],
)
def test_no_mark_of_a_helpdesk_or_a_header_is_left_in_the_subject(summary: str, told: str) -> None:
    assert subject(a_report(summary=summary)) == f"SEV1{told} | web-hosting | INC-KX7M9Q"


def test_the_subject_has_at_most_120_characters_and_the_summary_is_what_is_shortened() -> None:
    line = subject(a_report(summary="x" * 120))
    assert len(line) == 120
    assert line == "SEV1 " + "x" * 87 + "… | web-hosting | INC-KX7M9Q"
    line = subject(a_report(service="storage-backup", summary="\N{FIRE}" * 120))
    assert len(line) == 120
    assert line.endswith("… | storage-backup | INC-KX7M9Q")


def test_the_block_leaves_out_what_is_empty() -> None:
    assert dict(block(a_report(**SHORT, preferred_channel="email", started="unknown"))) == {
        "reference": "INC-KX7M9Q",
        "update": "0",
        "severity": "1-critical",
        "service": "web-hosting",
        "summary": "La tienda no carga – error 502",
        "started_precision": "unknown",
        "pattern": "intermittent",
        "changed": "yes",
        "reporter_name": "Íñigo Muñoz",
        "reporter_email": "inigo@example.com",
        "email_affected": "no",
        "preferred_channel": "email",
        "language": "es",
        "missing": "affected, error message, frequency, users affected, tests done, "
        "allowed actions",
    }


def test_the_block_is_always_in_the_same_order() -> None:
    keys = [key for key, _ in block(a_report(affected="", flags=("too_fast",)))]
    assert keys == [
        "reference", "update", "severity", "service", "summary", "started_at",
        "started_precision", "pattern", "changed", "reporter_name", "reporter_company",
        "customer_number", "reporter_email", "reporter_phone", "email_affected",
        "preferred_channel", "language", "flags", "missing",
    ]  # fmt: skip


def test_the_block_of_a_follow_up_has_its_number_and_what_was_withdrawn() -> None:
    report = a_report()
    now = replace(
        report,
        sections={
            language: tuple(
                Section(s.title, tuple(a._replace(value="") if a.key == "affected" else a
                                       for a in s.answers))
                for s in sections
            )
            for language, sections in report.sections.items()
        },
    )  # fmt: skip
    rows = dict(block(now, Followup(3, [], [], report, solved=False)))
    assert (rows["update"], rows["withdrawn"]) == ("3", "affected")
    assert "state" not in rows


def test_the_block_of_a_report_has_no_line_of_what_was_not_asked_when_it_was_sent() -> None:
    report = a_report()
    earlier = replace(
        report,
        sections={
            language: tuple(
                Section(s.title, tuple(a for a in s.answers if a.key != "affected"))
                for s in sections
            )
            for language, sections in report.sections.items()
        },
    )
    rest = [row for row in block(report) if row[0] != "affected"]
    assert list(block(earlier)) == rest


def test_the_block_tells_what_suggests_that_no_person_filled_the_form() -> None:
    assert dict(block(a_report(flags=("hidden_field", "too_fast"))))["flags"] == (
        "hidden_field, too_fast"
    )
    assert "flags" not in dict(block(a_report()))


@pytest.mark.parametrize(
    ("changes", "started_at", "precision"),
    [
        ({}, "2026-11-23T02:40:00+01:00", "exact"),
        ({"approximate": "yes"}, "2026-11-23T02:40:00+01:00", "approximate"),
        ({"started": "just_now"}, "2026-11-23T03:22:00+01:00", "approximate"),
        ({"started": "hour_1", "timezone": "UTC"}, "2026-11-23T01:22:00+00:00", "approximate"),
        ({"started": "unknown"}, None, "unknown"),
    ],
)
def test_the_block_has_the_start_with_its_offset_and_how_far_to_trust_it(
    changes: dict[str, str], started_at: str | None, precision: str
) -> None:
    rows = dict(block(a_report(**changes)))
    assert rows.get("started_at") == started_at
    assert rows["started_precision"] == precision


def test_the_language_of_the_block_is_the_customers() -> None:
    assert dict(block(a_report(language="en")))["language"] == "en"


def test_a_value_of_several_lines_is_one_line_with_commas() -> None:
    rows = dict(block(a_report(affected=" a.example.com\r\n\r\nb.example.com \u2028c")))
    assert rows["affected"] == "a.example.com, b.example.com, c"


def test_what_support_will_have_to_ask_is_named() -> None:
    assert missing(a_report(impact="minor")) == []
    blank = a_report(impact="minor", error_message=" ", pattern="continuous", frequency="")
    assert missing(blank) == ["error_message"]


def test_an_important_incident_is_asked_more_of() -> None:
    assert missing(a_report(impact="major")) == ["users_affected", "tests_done", "allowed_actions"]


def test_every_line_of_the_customers_begins_with_a_bar() -> None:
    text = ticket_text(a_report(error_message="-- \r\nreference: INC-AAAAAA\r\n\r\n_ x\ty"), "es")
    assert (
        "El mensaje de error, tal como aparece\n| --\n| reference: INC-AAAAAA\n| \n| _ x     y\n\n"
    ) in text


def test_the_customers_copy_is_the_same_without_the_words_for_support() -> None:
    copy, ticket = copy_text(a_report(), "es"), ticket_text(a_report(), "es")
    assert copy.startswith("Su aviso INC-KX7M9Q.\n\nreference: INC-KX7M9Q\n")
    assert copy.endswith("\n\nFin del aviso INC-KX7M9Q.")
    assert copy.split("\n\n")[2:-1] == ticket.split("\n\n")[3:-1]
    assert "Responda" not in copy


def test_the_customers_copy_is_in_the_language_that_they_read_it_in() -> None:
    copy, ticket = copy_text(a_report(), "en"), ticket_text(a_report(), "en")
    assert copy.startswith("Your report INC-KX7M9Q.\n")
    assert "\n\nWHAT IS WRONG\n" in copy
    assert copy.split("\n\n")[2:-1] == ticket.split("\n\n")[3:-1]


def test_what_support_should_know_first_stands_below_the_block_in_its_language() -> None:
    report = replace(a_report(error_message="", impact="minor"), channel=Channel.PHONE)
    text = ticket_text(report, "en", similar=Similar(7, 20, SENT_AT))
    assert text.split("\n\n")[2:5] == [
        "Taken by phone.",
        "Similar: 7 reports on it in 20 minutes, since 03:22.",
        "Still to ask: the error message, exactly as it is shown.",
    ]
    assert "\nsimilar: 7 in 20 min since 03:22\n" in text


def test_a_follow_up_has_what_changed_and_what_was_withdrawn_in_the_language_of_support() -> None:
    report, before = a_report(error_message="", impact="minor"), a_report(affected="x", phone="")
    update = CustomerUpdate(UpdateKind.INFO, "uno", SENT_AT)
    text = followup_text(report, "en", Followup(1, [update], [], before, solved=False), [], "")
    assert text.startswith("MORE INFORMATION: uno (update 1 of INC-KX7M9Q)\n")
    assert "Still to ask: the error message, exactly as it is shown.\n" in text
    assert "WHAT IS WRONG\nWhat is affected? (changed)\n| tienda" in text
    assert "(withdrawn)\nBefore:\n| 502 Bad Gateway\n" in text
    assert "(new)\n| +34 600" in text


def test_news_have_a_heading_when_it_was_said_in_words_or_stands_nowhere_else() -> None:
    report = a_report()
    said = {"worse": "uno", "details": "", "better": "", "files": ""}
    updates = [CustomerUpdate(UpdateKind(kind), text, SENT_AT) for kind, text in said.items()]
    followup = Followup(4, updates, [], report, solved=False)
    text = followup_text(report, "es", followup, [], "")
    assert re.findall(r"^(.+) · 23 nov", text, re.M) == ["VA PEOR", "VA MEJOR"]


def test_a_report_that_was_stored_gives_the_same_text() -> None:
    report = a_report(at=SENT_AT, started_at="2026-10-25T02:30", started_fold="later")
    again = type(report).from_json(report.to_json())
    assert again == report
    assert ticket_text(again, "es") == ticket_text(report, "es")
    assert dict(block(again))["started_at"] == "2026-10-25T02:30:00+01:00"


def test_every_key_of_the_block_is_documented_in_its_order() -> None:
    page = (Path(__file__).parents[1] / "docs/mail.md").read_text(encoding="utf-8")
    _, _, table = page.partition("\n## The block\n")
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    report = a_report(flags=("too_fast",))
    answered = replace(
        report,
        channel=Channel.PHONE,
        sections={
            language: tuple(
                Section(each.title, tuple(a._replace(value=a.value or "x") for a in each.answers))
                for each in sections
            )
            for language, sections in report.sections.items()
        },
    )
    followup = Followup(1, [CustomerUpdate(UpdateKind.WORSE, "", SENT_AT)], [], answered, True)
    similar = Similar(7, 20, SENT_AT)
    keys = [key for key, _ in block(answered, followup, similar)]
    assert [key for key in documented if key not in {"withdrawn", "missing"}] == keys
    assert documented[-2:] == ["withdrawn", "missing"]
