"""The text of a ticket: its subject, the block that programs read, and the whole body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from factories import SENT_AT, a_report, an_app
from flask import Flask

from reporter.mail.key_block import block, missing
from reporter.mail.ticket_text import copy_text, subject, ticket_text

BODY = """\
Nueva incidencia INC-KX7M9Q, enviada por el cliente con el formulario web. \
Falta por preguntar: a cuántas personas afecta; qué han probado, por orden, y qué ocurrió; \
qué podemos hacer sin volver a preguntarle.

reference: INC-KX7M9Q
update: 0
severity: 1-critical
service: web-hosting
affected: tienda.example.com, www.example.com
summary: La tienda no carga – error 502
started_at: 2026-11-23T02:40:00+01:00
started_precision: exact
pattern: intermittent
changed: yes
reporter_name: Íñigo Muñoz
reporter_company: Tienda Muñoz, S.L.
customer_number: C-1042
reporter_email: inigo@example.com
reporter_phone: +34 600 00 00 00
email_affected: no
preferred_channel: phone
language: es
missing: users affected, tests done, allowed actions

QUÉ FALLA
¿Qué servicio falla?
  Alojamiento web
¿A qué afecta?
  tienda.example.com
  www.example.com
¿Qué ocurre, en una línea?
  La tienda no carga – error 502
El mensaje de error, tal como aparece
  502 Bad Gateway
  nginx/1.24.0
¿Cómo de grave es para ustedes?
  Crítico: no podemos trabajar, o nuestros clientes no pueden acceder

DESDE CUÁNDO
Fecha y hora
  23 nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutos antes de este aviso
Su zona horaria
  Europe/Madrid
¿Falla todo el tiempo?
  Va y viene
¿Con qué frecuencia?
  cada 10 minutos

QUÉ HA CAMBIADO
¿Cambiaron algo poco antes?
  Sí
¿Qué cambiaron, y cuándo?
  Actualizamos el módulo de pago

CÓMO CONTACTAR CON USTED
Su nombre
  Íñigo Muñoz
Empresa
  Tienda Muñoz, S.L.
Número de cliente
  C-1042
Correo electrónico
  inigo@example.com
¿Depende esa dirección de lo que falla?
  No
Teléfono
  +34 600 00 00 00
¿Cómo prefiere que le respondamos?
  Por teléfono

Responda a este correo: la respuesta va al cliente.
Marcar como vista: https://incidents.example.com/desk/x
Fin del informe INC-KX7M9Q."""
DESK = "https://incidents.example.com/desk/x"

# What somebody in a hurry leaves out.
SHORT = dict.fromkeys(
    ["affected", "error_message", "frequency", "company", "customer_number", "phone"], ""
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with an_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture(autouse=True)
def inside_a_request(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def test_the_whole_body() -> None:
    assert ticket_text(a_report(), "es", DESK) == BODY


def test_the_sections_are_in_the_language_of_support_and_the_block_is_not_translated() -> None:
    english = ticket_text(a_report(language="es"), "en")
    assert english.startswith("New incident INC-KX7M9Q, sent by the customer with the web form. ")
    assert "WHAT FAILS\nWhich service fails?\n  Web hosting\n" in english
    assert "23 Nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutes before this" in english
    assert "\nQUÉ FALLA" not in english
    spanish_block = BODY.split("\n\n")[1]
    assert english.split("\n\n")[1] == spanish_block


@pytest.mark.parametrize(
    ("impact", "line"),
    [
        ("critical", "INC-KX7M9Q SEV1 web-hosting: La tienda no carga – error 502"),
        ("major", "INC-KX7M9Q SEV2 web-hosting: La tienda no carga – error 502"),
        ("minor", "INC-KX7M9Q SEV3 web-hosting: La tienda no carga – error 502"),
        ("question", "INC-KX7M9Q SEV4 web-hosting: La tienda no carga – error 502"),
    ],
)
def test_the_subject_has_the_reference_the_severity_the_service_and_the_summary(
    impact: str, line: str
) -> None:
    assert subject(a_report(impact=impact)) == line


@pytest.mark.parametrize(
    ("summary", "end"),
    [
        ("[Ticket#123] no carga", ": Ticket123 no carga"),
        ("#1 [urgente]", ": 1 urgente"),
        ("a\r\nBcc: eva@example.com", ": a Bcc: eva@example.com"),
        ("a\u2028b\u202ec\x00d", ": a bc d"),
        ("[#]", ":"),
        ("a  [ ]  b", ": a b"),
        ("=[?utf-8?q?Bcc:_x?=", ": = ?utf-8?q?Bcc:_x?="),
        ("=?utf-8?q?Bcc:_x?=", ": = ?utf-8?q?Bcc:_x?="),
    ],
)
def test_no_mark_of_a_helpdesk_or_a_header_is_left_in_the_subject(summary: str, end: str) -> None:
    assert subject(a_report(summary=summary)) == f"INC-KX7M9Q SEV1 web-hosting{end}"


def test_the_subject_has_at_most_120_characters() -> None:
    line = subject(a_report(summary="x" * 120))
    assert len(line) == 120
    assert line == "INC-KX7M9Q SEV1 web-hosting: " + "x" * 90 + "…"
    assert len(subject(a_report(service="storage-backup", summary="\N{FIRE}" * 120))) == 120


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


def test_the_customers_words_are_set_in_under_their_question() -> None:
    text = ticket_text(a_report(error_message="-- \r\nreference: INC-AAAAAA\r\n\r\n_ x"), "es")
    assert (
        "El mensaje de error, tal como aparece\n  - --\n  reference: INC-AAAAAA\n\n  - _ x\n"
    ) in text


def test_the_customers_copy_is_the_same_without_the_words_for_support() -> None:
    copy = copy_text(a_report(), "es")
    assert copy.startswith("Su aviso INC-KX7M9Q.\n\nreference: INC-KX7M9Q\n")
    assert copy.endswith("\n\nFin del informe INC-KX7M9Q.")
    assert copy.split("\n\n")[2:-1] == BODY.split("\n\n")[2:-1]
    assert "Responda" not in copy


def test_a_report_that_was_stored_gives_the_same_text() -> None:
    report = a_report(at=SENT_AT, started_at="2026-10-25T02:30", started_fold="later")
    again = type(report).from_json(report.to_json())
    assert again == report
    assert ticket_text(again, "es") == ticket_text(report, "es")
    assert dict(block(again))["started_at"] == "2026-10-25T02:30:00+01:00"
