"""Whatever a customer types, in whatever field, a mail has the shape that we gave it, and the
JSON gives the words back unchanged."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import ANSWERS, REFERENCE, SLUGS, a_report, an_app, body, parsed, values
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reporter import models
from reporter.formats.secrets import holds_secret
from reporter.formats.text import header_text, is_blank, one_line
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.message import ascii_address
from reporter.mail.policy import header_line
from reporter.mail.ticket import compose_ticket
from reporter.mail.ticket_json import schema
from reporter.mail.ticket_text import subject
from reporter.report import Report
from reporter.reports.submission import submit

# What turns the direction of text (Unicode Standard Annex 9, table 4), and the byte order mark.
TURNING = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)

several = settings(max_examples=40)
on_engines = settings(max_examples=15)

# What might be taken for something of ours, by a mail server, a helpdesk, a browser or a log.
TRAPS = [
    "-- ", "--", "__", "- ", "From: eva@evil.example", "From ", "Bcc: eva@evil.example", ".",
    "reference: INC-AAAAAA", "severity: 4-question", "update: 9", "key: value", "QUÉ FALLA",
    "Su nombre", "| x",
    "Fin del aviso INC-AAAAAA.", "--===============0123456789==", "--boundary--",
    "Content-Type: text/html", "Content-Transfer-Encoding: base64", "begin 644 x", "=0A", "=\r\n",
    "=?utf-8?q?=0D=0ABcc:_eva=40evil.example?=", "=?utf-8?b?DQpUbzogeEB5?=", "?=", "[#1]", "##-",
    "On Monday, support wrote:", "> quoted", "<b>", "&amp;", "</textarea>", "{{ 7*7 }}", "%(x)s",
    "{0}", "'; DROP TABLE report; --", "\\u0000", "\\", '"', "eva@evil.example", ", ", "<x@y.es>",
]  # fmt: skip
MARKS = [
    "\r\n", "\n", "\r", "\t", "\v", "\f", "\x00", "\x07", "\x1b[31m", "\x1c", "\x1d", "\x1e",
    "\x7f", "\x85", "\u2028", "\u2029", "\u00a0", "\u3000", "\u00ad", "\u200b", "\u200d", "\ufeff",
    "\ufffe", "\uffff", "\U0010ffff", "\u0301", "\u202e", "\u2066", "\u2069", "\u061c", "\N{FIRE}",
    "👩‍👩‍👧", "🏳️‍🌈", "שלום", "مرحبا", "नमस्ते", "ﷺ", "𝕏", "e\u0301", "ñ", "–", "\r\n\r\n", " ",
]  # fmt: skip
LONG = [one * 20_000 for one in ("x", "ñ", "\N{FIRE}", "\u0301", "-", ".", "a ", "=")]
LONG += ["\n" * 2_000]

pieces = st.one_of(
    st.text(max_size=20), st.sampled_from(TRAPS), st.sampled_from(MARKS), st.sampled_from(LONG)
)
texts = st.lists(pieces, max_size=8).map("".join)
addresses = st.sampled_from(
    [
        "ana@example.com",
        "o'brien+x{y}|z@example.com",
        "ana@straße.example",
        "!#$%&'*+/=^_`{|}~-@example.com",
        "x" * 64 + "@" + "long-label." * 11 + "example.com",
    ]
)
LIMITS = {
    "affected": 2_000,
    "summary": 120,
    "error_message": 20_000,
    "frequency": 200,
    "change_description": 5_000,
    "name": 200,
    "company": 200,
    "customer_number": 200,
}
REQUIRED = {"summary", "name", "change_description"}
SHORT = {"summary", "frequency", "name", "company", "customer_number"}  # one line each


def meant(key: str, text: str) -> str | None:
    """What is kept of *text* as the answer to *key*: all of it, but of a short answer one line
    without what a paste adds; None where there is nothing to see."""
    kept = one_line(text) if key in SHORT else text
    return None if is_blank(kept) else kept


def answer(key: str) -> st.SearchStrategy[str]:
    """A text that the form takes as the answer to *key*."""
    short = texts.map(lambda text: text[: LIMITS[key]])
    return short.map(lambda text: text if meant(key, text) else "x") if key in REQUIRED else short


typed = st.fixed_dictionaries({key: answer(key) for key in LIMITS} | {"email": addresses})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """With the headers that carry the most of a customer's words."""
    folder = tmp_path_factory.mktemp("properties")
    with an_app(folder, TICKET_CC_CUSTOMER=True, HELPDESK_PROFILE="znuny") as app:
        yield app


def headers(report: Report) -> list[str]:
    """The names of all headers of a ticket, in order."""
    return [
        "From", "Reply-To", "To", "Cc", "Subject", "Message-ID", "Date", "MIME-Version",
        "Content-Type", "Content-Language", "Importance", "X-Priority", "X-Incident-Reference",
        "X-Incident-Severity", "X-Incident-Service", "X-OTRS-Priority", "X-OTRS-CustomerUser",
        "X-OTRS-CustomerNo",
    ]  # fmt: skip


def test_the_traps_are_what_they_are_meant_to_be() -> None:
    assert {unicodedata.category(c) for text in MARKS for c in text} >= {
        "Cc", "Cf", "Cn", "Mn", "Zl", "Zp", "Zs", "So",
    }  # fmt: skip


@several
@given(typed)
def test_no_text_forges_a_header(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        report = a_report(**answers)
        content = compose_ticket(report).content
    for reader in (policy.default, policy.compat32, policy.SMTP):
        message = message_from_bytes(content, policy=reader)
        assert list(message.keys()) == headers(report)
        for name, value in message.items():
            shown = (
                str(make_header(decode_header(str(value)))) if reader is policy.compat32 else value
            )
            assert not set("\x00\x85\u2028\u2029") & set(shown), name
            assert not TURNING & set(shown), name
            if reader is not policy.compat32:  # whose values are as they were folded
                assert not {"\r", "\n"} & set(shown), name


@several
@given(typed)
def test_no_text_changes_the_subject_beyond_its_summary(
    app: Flask, answers: dict[str, str]
) -> None:
    with app.test_request_context():
        report = a_report(**answers)
        content = compose_ticket(report).content
        line = subject(report)
    assert len(line) <= 120
    assert re.fullmatch(rf"SEV1( .*)? \| web-hosting \| {REFERENCE}", line)
    assert not set("[]#\r\n") & set(line)
    assert message_from_bytes(content, policy=policy.default)["Subject"] == line
    raw = message_from_bytes(content, policy=policy.compat32)["Subject"]
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", raw)
    assert str(make_header(decode_header(unfolded))) == line


# Words as people write them, many with an accent: folding must not eat the blanks between them.
SPANISH = "la web página Ávila después ñandú “tienda” – 🔥 y conexión 502 más"
BRACKETS = "(502) (caída) C:\\ C:\\año ) ("
prose = st.lists(
    st.sampled_from(f"{SPANISH} {BRACKETS}".split(" ")),
    min_size=1,
    max_size=20,
).map(" ".join)


@settings(max_examples=150)
@given(prose)
def test_the_subject_keeps_every_blank(app: Flask, summary: str) -> None:
    with app.test_request_context():
        report = a_report(summary=summary[:120])
        content = compose_ticket(report).content
        line = subject(report)
    assert message_from_bytes(content, policy=policy.default)["Subject"] == line
    raw = message_from_bytes(content, policy=policy.compat32)["Subject"]
    assert str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", raw)))) == line
    assert content.split(b"\r\nSubject: ")[1].startswith(b"SEV1 ")
    assert_encoded_words_stand_alone(content)


def assert_encoded_words_stand_alone(content: bytes) -> None:
    """Each between blanks, in every header (RFC 2047, section 5), and in a line (section 2)."""
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    for found in re.finditer(r"(.)=\?[^?\s]+\?[QqBb]\?[^?\s]*\?=(.?)", head, re.DOTALL):
        assert found[1].isspace(), found[0]
        assert found[2] in {"", " ", "\r"}, found[0]
    assert all(len(line) <= 76 for line in head.splitlines() if "=?utf-8" in line)


def test_no_encoded_word_is_empty_wherever_a_line_ends() -> None:
    for length in range(1, 90):
        for rest in ("\U0001f600 the shop does not load", "ñ" * 40, "\U0001f600" * 30):
            line = header_line("Subject", f"{'a' * length} {rest}").decode("ascii")
            assert not re.search(r"=\?utf-8\?[qb]\?\?=", line, re.IGNORECASE), line


@settings(max_examples=150)
@given(prose, prose)
def test_encoded_words_stand_alone_in_every_header(app: Flask, one: str, other: str) -> None:
    with app.test_request_context():
        app.config["PROVIDER_NAME"] = other
        report = a_report(summary=one[:120], name=other[:60])
        content = compose_ticket(report).content
    assert_encoded_words_stand_alone(content)


@several
@given(typed)
def test_no_text_forges_a_key_or_a_section(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        report = a_report(**answers)
        text = body(compose_ticket(report))
    lines = text.split("\n")
    assert lines[0].startswith("Alojamiento web, crítico, desde las 02:40 (42 min antes del aviso)")
    assert lines[1] == ""
    end = lines.index("", 2)
    keys = [re.fullmatch(r"([a-z_]+): (\S.*)", line) for line in lines[2:end]]
    assert all(keys)
    block = [(match[1], match[2]) for match in keys if match]
    allowed = [
        "reference", "update", "severity", "service", "affected", "summary", "started_at",
        "started_precision", "pattern", "changed", "reporter_name", "reporter_company",
        "customer_number", "reporter_email", "reporter_phone", "email_affected",
        "preferred_channel", "language", "missing",
    ]  # fmt: skip
    names = [name for name, _ in block]
    assert names == [name for name in allowed if name in names]
    assert dict(block)["reference"] == REFERENCE
    assert dict(block)["severity"] == "1-critical"
    assert dict(block)["update"] == "0"

    ours = [line for line in lines[end:] if line and not line.startswith("| ")]
    assert ours.pop(0).startswith("Falta por preguntar: ")
    expected = []
    answered = [s for s in report.sections["es"] if any(answer.text for answer in s.answers)]
    for section in answered:
        expected.append(section.title.upper())
        expected += [answer.label for answer in section.answers if answer.text]
    expected.append("Responda a este correo: su respuesta llega al cliente.")
    expected.append(f"Fin del aviso {REFERENCE}.")
    assert ours == expected
    for line in lines[end:]:
        assert not line.lstrip().startswith(("-", "_"))
        assert not line.rstrip(" ").endswith("\r")
    assert not {c for c in text if unicodedata.category(c) in {"Cc", "Zl", "Zp"}} - {"\n"}
    assert not TURNING & set(text)


@several
@given(typed)
def test_no_text_forges_a_part_of_the_mail(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        content = compose_ticket(a_report(**answers)).content
    for reader in (policy.default, policy.compat32):
        parts = list(message_from_bytes(content, policy=reader).walk())
        assert [part.get_content_type() for part in parts] == [
            "multipart/mixed", "text/plain", "application/json",
        ]  # fmt: skip
        assert [part.defects for part in parts] == [[], [], []]
        assert [part.get_filename() for part in parts] == [None, None, f"{REFERENCE}.0.json"]


@several
@given(typed)
def test_every_mail_is_short_ascii_lines(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        report = a_report(**answers)
        mails = [compose_ticket(report), compose_acknowledgement(report, "/r/x")]
    for mail in mails:
        assert mail.content.isascii()
        assert b"\x00" not in mail.content
        head, _, text = mail.content.partition(b"\r\n\r\n")
        assert all(len(line) <= 998 for line in head.split(b"\r\n"))
        lines = text.split(b"\r\n")
        assert all(len(line) <= 78 and not {10, 13} & set(line) for line in lines)


@several
@given(typed)
def test_the_answer_goes_to_one_address_whoever_reads_it(
    app: Flask, answers: dict[str, str]
) -> None:
    with app.test_request_context():
        content = compose_ticket(a_report(**answers)).content
    address = ascii_address(answers["email"])
    read: EmailMessage = parsed(content)
    for name in ("Reply-To", "Cc"):
        assert [each.addr_spec for each in read[name].addresses] == [address]
        raw = message_from_bytes(content, policy=policy.compat32).get_all(name)
        assert [found for _, found in getaddresses([str(value) for value in raw or []])] == [
            address
        ]


@several
@given(typed)
def test_the_json_gives_every_answer_back_unchanged(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        content = compose_ticket(a_report(**answers)).content
    (attachment,) = parsed(content).iter_attachments()
    given_back = json.loads(attachment.get_content())
    Draft202012Validator(schema()).validate(given_back)
    for key, text in answers.items():
        assert given_back["answers"][key] == meant(key, text)


@several
@given(typed)
def test_no_text_comes_into_the_acknowledgement(app: Flask, answers: dict[str, str]) -> None:
    with app.test_request_context():
        told = compose_acknowledgement(a_report(**answers), "/r/x")
        plain = compose_acknowledgement(a_report(email=answers["email"]), "/r/x")
    assert told == plain


# A provider's name is a setting: printable, on one line.
names = st.lists(
    st.text(
        st.one_of(
            st.sampled_from(",\"'()<>@;:.\\&-[]=?_ñÑáü雲🔥"),
            st.characters(codec="utf-8", categories=["L", "N"]),
        ),
        min_size=1,
        max_size=25,
    ),
    min_size=1,
    max_size=5,
).map(" ".join)


@settings(max_examples=150)
@given(names)
@example('"Ñ", "B"')
@example("Ñandú, S.L.")
@example("a" * 70 + ", " + "ñ" * 70)
def test_the_providers_name_comes_back_whatever_it_is(app: Flask, name: str) -> None:
    with app.test_request_context():
        kept = app.config["PROVIDER_NAME"]
        app.config["PROVIDER_NAME"] = name
        try:
            content = compose_acknowledgement(a_report(), "/r/x").content
        finally:
            app.config["PROVIDER_NAME"] = kept
    (read,) = parsed(content)["From"].addresses
    assert read.addr_spec == "incident-reporter@example.com"
    # Python's reader keeps the blanks between encoded words, which RFC 2047 (section 6.2) drops.
    assert read.display_name.replace(" ", "") == name.replace(" ", "")
    raw = str(message_from_bytes(content, policy=policy.compat32)["From"])
    ((shown, address),) = getaddresses([re.sub(r"\r?\n(?=[ \t])", "", raw)])
    assert address == "incident-reporter@example.com"
    assert str(make_header(decode_header(shown))) == name


@settings(max_examples=100)
@given(texts)
def test_a_line_is_one_line_and_stays_so(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == one_line(line) == line.strip()
    assert "=?" not in header_text(text)


@settings(max_examples=30)
@given(texts)
def test_looking_for_secrets_never_fails(text: str) -> None:
    assert holds_secret(text) in {True, False}


# Through the database and the form -------------------------------------------------------


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Flask:
    """An application on each engine."""
    app = make_app()
    models.Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    return app


@on_engines
@given(typed)
@example({"affected": "\x00", "summary": "\x00b", "name": "a\x00b"})
def test_a_report_comes_back_from_the_database_unchanged(
    site: Flask, answers: dict[str, str]
) -> None:
    with site.test_request_context():
        sent_in = a_report(**answers)
        submit(f"draft {answers}", sent_in)
        database = site.extensions["sqlalchemy"]
        with database.write() as session:
            row = session.scalars(sa.select(models.Report)).one()
            sent = [message.content for message in row.messages]
            kept = Report.from_json(row.content)
            session.delete(row)
        assert kept == replace(sent_in, reference=row.reference)
        # The link to the desk is dated, and so another one each time.
        told = body(sent[0]).partition("\nPanel de soporte")[0]
        assert told == body(compose_ticket(kept)).partition("\nFin del aviso")[0]
    (attachment,) = parsed(sent[0]).iter_attachments()
    stored = json.loads(attachment.get_content())["answers"]
    for key, text in answers.items():
        assert stored[key] == meant(key, text)


def as_a_browser_sends(text: str) -> str:
    """Line breaks of a form are CRLF."""
    return re.sub(r"\r\n?|\n", "\r\n", text)


@on_engines
@given(typed)
def test_the_form_gives_back_what_was_typed_and_so_does_the_ticket(
    site: Flask, answers: dict[str, str]
) -> None:
    # A browser sends no NUL, and one line of what has one line only.
    several_lines = {"affected", "error_message", "change_description"}
    clean = {
        key: as_a_browser_sends(text)[: LIMITS.get(key)].removesuffix("\r")
        if key in several_lines
        else re.sub(r"[\r\n]", "", text)
        for key, text in ((key, text.replace("\x00", "")) for key, text in answers.items())
    }
    clean = {k: v if k not in REQUIRED or meant(k, v) else "x" for k, v in clean.items()}
    customer = Customer(site)
    for slug in SLUGS:
        sent = values(slug, **clean)
        page = customer.fill(slug, follow=False, **clean)
        assert page.status == 303, page.errors
        shown = customer.open(f"/report/{slug}").fields
        assert {key: shown[key] for key in sent} == sent
    page = customer.open("/report/review")
    assert page.html.count("<script") == 1
    page = customer.submit(follow=False)
    ticket: dict[str, Any] = json.loads(customer.peek(f"{page.location}/ticket.json").html)
    for key, text in {**ANSWERS, **clean, "phone": "+34 600 00 00 00"}.items():
        assert ticket["answers"][key] == meant(key, text)
