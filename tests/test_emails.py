"""The mails a report causes: every header that must be there, and every one that must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.utils import getaddresses
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import a_report, an_app, body, parsed
from flask import Flask
from flask_babel import force_locale

from reporter.database import Database
from reporter.delivery.mail import Mail
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.message import ascii_address, mailbox, mime_id, readdressed
from reporter.mail.ticket import compose_ticket, safe_name
from reporter.models import Base, Message
from reporter.reports.submission import submit

NEVER = [
    "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "X-Loop", "Sender", "Bcc",
    "List-Id", "List-Unsubscribe", "List-Post", "In-Reply-To", "References",
]  # fmt: skip
OF_MIME = {"mime-version", "content-type", "content-transfer-encoding"}
POLICIES = [policy.default, policy.compat32]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@contextmanager
def request(folder: Path, **settings: object) -> Iterator[Flask]:
    with an_app(folder, **settings) as app, app.test_request_context():
        yield app


def headers(content: bytes) -> list[tuple[str, str]]:
    """Every header that is not of the MIME structure, in order."""
    return [(k, str(v)) for k, v in parsed(content).items() if k.lower() not in OF_MIME]


def test_the_ticket_has_every_header_of_the_contract_in_order(folder: Path) -> None:
    with request(folder):
        mail = compose_ticket(a_report())
    assert headers(mail.content) == [
        ("From", "Ejemplo Hosting <incident-reporter@example.com>"),
        ("Reply-To", "Íñigo Muñoz <inigo@example.com>"),
        ("To", "support@example.com"),
        ("Subject", "SEV1 La tienda no carga – error 502 | web-hosting | INC-KX7M9Q"),
        ("Message-ID", mail.mime_id),
        ("Date", "Mon, 23 Nov 2026 02:22:00 +0000"),
        ("Content-Language", "es"),
        ("Importance", "high"),
        ("X-Priority", "1"),
        ("X-Incident-Reference", "INC-KX7M9Q"),
        ("X-Incident-Severity", "1-critical"),
        ("X-Incident-Service", "web-hosting"),
    ]
    assert mail.recipient == "support@example.com"


def test_what_cannot_be_seen_is_in_no_line_that_programs_read(folder: Path) -> None:
    """But for the joiners within a word or an emoji, which change what is seen."""
    typed = "La\u200b tienda\u202e no\ufeff carga\x07 👨\u200d👩\u200d👧 می\u200cخواهم"
    seen = "La tienda no carga 👨\u200d👩\u200d👧 می\u200cخواهم"
    with request(folder):
        mail = compose_ticket(a_report(summary=typed))
    assert parsed(mail)["Subject"] == f"SEV1 {seen} | web-hosting | INC-KX7M9Q"
    assert f"summary: {seen}" in body(mail).splitlines()


@pytest.mark.parametrize(
    ("impact", "importance", "priority", "severity"),
    [
        ("critical", "high", "1", "1-critical"),
        ("major", "high", "2", "2-major"),
        ("minor", None, None, "3-minor"),
        ("question", None, None, "4-question"),
    ],
)
def test_only_the_two_upper_severities_are_marked_important(
    folder: Path, impact: str, importance: str | None, priority: str | None, severity: str
) -> None:
    with request(folder):
        mail = parsed(compose_ticket(a_report(impact=impact)))
    assert (mail["Importance"], mail["X-Priority"]) == (importance, priority)
    assert mail["X-Incident-Severity"] == severity


@pytest.mark.parametrize("name", NEVER)
def test_the_ticket_has_no_mark_of_automatic_mail(folder: Path, name: str) -> None:
    with request(folder):
        assert name not in parsed(compose_ticket(a_report()))


def test_the_customer_is_named_in_cc_when_asked_for_and_still_receives_nothing(
    folder: Path,
) -> None:
    with request(folder):
        assert "Cc" not in parsed(compose_ticket(a_report()))
    with request(folder, TICKET_CC_CUSTOMER=True):
        mail = compose_ticket(a_report())
    assert [name for name, _ in headers(mail.content)][:5] == [
        "From", "Reply-To", "To", "Cc", "Subject",
    ]  # fmt: skip
    assert parsed(mail)["Cc"] == "Íñigo Muñoz <inigo@example.com>"
    assert mail.recipient == "support@example.com"


def test_headers_of_the_settings_are_added_or_take_the_place_of_ours(folder: Path) -> None:
    extra = {"X-Queue": "Incidents", "x-priority": "5", "Importance": "low"}
    with request(folder, HELPDESK_HEADERS=extra):
        mail = parsed(compose_ticket(a_report()))
    assert mail["X-Queue"] == "Incidents"
    assert mail.get_all("X-Priority") == ["5"]
    assert mail.get_all("Importance") == ["low"]


def test_the_language_of_the_ticket_is_that_of_support(folder: Path) -> None:
    with request(folder, SUPPORT_LOCALE="en"):
        mail = compose_ticket(a_report(language="es"))
    assert parsed(mail)["Content-Language"] == "en"
    assert body(mail).startswith("Web hosting, critical, since 02:40 (42 min before the report): ")
    assert "\nlanguage: es\n" in body(mail)


def test_the_ticket_is_plain_text_and_its_json_twin(folder: Path) -> None:
    with request(folder):
        mail = parsed(compose_ticket(a_report()))
    assert mail.get_content_type() == "multipart/mixed"
    text, twin = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text["Content-Transfer-Encoding"] == "quoted-printable"
    assert not text.is_attachment()
    assert twin.get_content_type() == "application/json"
    assert twin.is_attachment()
    assert twin.get_filename() == "INC-KX7M9Q.0.json"


def test_mails_are_ascii_lines_that_every_relay_takes(folder: Path) -> None:
    with request(folder):
        report = a_report(error_message="ñ" * 20_000, affected="x" * 2_000)
        mails = [compose_ticket(report), compose_acknowledgement(report, "/r/x")]
    for mail in mails:
        assert mail.content.isascii()
        assert mail.content.endswith(b"\r\n")
        lines = mail.content.split(b"\r\n")
        assert max(len(line) for line in lines) <= 998
        assert not any(b"\r" in line or b"\n" in line for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        "Ejemplo Hosting",
        "Ejemplo, S.L.",
        'The "Best" Hosting',
        "Ñandú Hosting",
        "Ñandú, S.L.",
        'Ñandú "Cloud", S.A. (Grupo)',
        "Back\\slash; colon: <x@example.org>",
        "Compañía de Alojamiento y Servicios de Internet del Mediterráneo y el Atlántico, S.A.",
        "雲ホスティング、株式会社",
        "🔥 Hosting",
        "a" * 90,
    ],
)
@pytest.mark.parametrize("reader", POLICIES, ids=["default", "compat32"])
def test_the_providers_name_comes_back_as_it_was_set(
    folder: Path, name: str, reader: policy.Policy
) -> None:
    with request(folder, PROVIDER_NAME=name):
        report = a_report()
        mails = [compose_ticket(report), compose_acknowledgement(report, "/r/x")]
    for mail in mails:
        assert addresses(mail.content, "From", reader) == [(name, "incident-reporter@example.com")]


def addresses(content: bytes, header: str, reader: policy.Policy) -> list[tuple[str, str]]:
    """The names and addresses of a header as a reader of that kind has them."""
    message = message_from_bytes(content, policy=reader)
    if reader is policy.default:
        # It keeps the blank between two encoded words, which RFC 2047 (section 6.2) drops.
        return [
            (" ".join(each.display_name.split()), each.addr_spec)
            for value in message.get_all(header, [])
            for each in value.addresses
        ]
    from email.header import decode_header, make_header

    found = getaddresses([str(value) for value in message.get_all(header, [])])
    return [(str(make_header(decode_header(name))), address) for name, address in found]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Íñigo Muñoz", "inigo@example.com"),
        ("Muñoz, Íñigo", "inigo@example.com"),
        ('"Eva" <eva@evil.example>, x', "inigo@example.com"),
        ("a@b.example", "o'brien+x@example.com"),
        ("=?utf-8?q?eva=40evil.example?=", "inigo@example.com"),
        ("x" * 200, "x" * 64 + "@" + "long-label." * 10 + "example.com"),
        ("ñ" * 200, "x" * 64 + "@" + "long-label." * 10 + "example.com"),
        ("@@@", "ana@straße.example"),
    ],
)
@pytest.mark.parametrize("reader", POLICIES, ids=["default", "compat32"])
def test_the_answer_goes_to_the_customer_and_nobody_else(
    folder: Path, name: str, address: str, reader: policy.Policy
) -> None:
    with request(folder):
        mail = compose_ticket(a_report(name=name, email=address))
        (found,) = addresses(mail.content, "Reply-To", reader)
        assert found[1] == ascii_address(address)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Íñigo Muñoz", "Íñigo Muñoz"),
        ("I\u0301n\u0303igo", "Íñigo"),
        ("O'Brien-Smith Jr.", "O'Brien-Smith Jr."),
        ("नमस्ते", "नमस्ते"),
        ("Ana, <eva@example.com>", "Ana eva example.com"),
        ("a\r\nBcc: b", "a Bcc b"),
        ("\u202eana", "ana"),
        ("=?utf-8?q?x?=", "utf-8 q x"),
        ("x" * 100, "x" * 60),
        ("@", ""),
    ],
)
def test_a_name_holds_nothing_that_could_pass_for_an_address(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("address", "ascii_form"),
    [
        ("ana@example.com", "ana@example.com"),
        ("Ana@EXAMPLE.com", "Ana@example.com"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@españa.example", "ana@xn--espaa-rta.example"),
    ],
)
def test_an_international_domain_is_written_in_ascii(address: str, ascii_form: str) -> None:
    assert ascii_address(address) == ascii_form


@pytest.mark.parametrize("former", [b"ana@example.com", b"a@x.example,\r\n b@x.example,\r\n\tc@x"])
def test_a_mail_to_another_address_is_the_same_in_all_else(former: bytes) -> None:
    content = (
        b"From: us@example.com\r\nTo: %s\r\nSubject: s\r\nTo: twice\r\n\r\n"
        b"To: ana@example.com\r\n\r\nEnd.\r\n"
    )
    mail = Mail("ana@example.com", "<1@example.com>", content % former)
    assert readdressed(mail, "eva@straße.example") == Mail(
        "eva@xn--strae-oqa.example", "<1@example.com>", content % b"eva@xn--strae-oqa.example"
    )


def test_a_mailbox_is_all_before_the_last_at_sign() -> None:
    box = mailbox('"a@b"@example.com', "Ana")
    assert (box.display_name, box.domain) == ("Ana", "example.com")
    assert mailbox("ana@example.com").display_name == ""


def test_a_message_id_is_always_the_same_and_cannot_be_guessed(folder: Path) -> None:
    with request(folder):
        first, again, other = (mime_id("INC-KX7M9Q", n) for n in ("0", "0", "1"))
    with request(folder, SECRET_KEY="another" * 6):
        elsewhere = mime_id("INC-KX7M9Q", "0")
    assert first == again
    assert first.startswith("<INC-KX7M9Q.0.")
    assert first.endswith("@example.com>")
    assert len(first.split(".")[2].split("@")[0]) == 16
    proofs = {each.split(".")[2] for each in (first, other, elsewhere)}
    assert len(proofs) == 3


def test_a_message_id_has_the_domain_of_the_sender(folder: Path) -> None:
    with request(folder, MAIL_DEFAULT_SENDER="form@mail.example.net"):
        mail = compose_ticket(a_report())
    assert mail.mime_id.endswith("@mail.example.net>")
    assert parsed(mail)["From"] == "Ejemplo Hosting <form@mail.example.net>"


def test_the_acknowledgement_has_every_header_of_the_contract_in_order(folder: Path) -> None:
    with request(folder):
        report = a_report()
        mail, ticket = compose_acknowledgement(report, "/r/x"), compose_ticket(report)
    assert headers(mail.content) == [
        ("From", "Ejemplo Hosting <incident-reporter@example.com>"),
        ("Reply-To", "support@example.com"),
        ("To", "inigo@example.com"),
        ("Subject", "INC-KX7M9Q: hemos recibido su aviso"),
        ("Message-ID", mail.mime_id),
        ("Date", "Mon, 23 Nov 2026 02:22:00 +0000"),
        ("References", ticket.mime_id),
        ("Content-Language", "es"),
        ("Auto-Submitted", "auto-replied"),
        ("X-Auto-Response-Suppress", "AutoReply, OOF, DR, RN, NRN"),
    ]
    assert mail.recipient == "inigo@example.com"
    assert mail.mime_id != ticket.mime_id
    assert mail.mime_id.startswith("<INC-KX7M9Q.")


def test_the_acknowledgement_is_in_the_customers_language(folder: Path) -> None:
    with request(folder), force_locale("es"):
        mail = compose_acknowledgement(a_report(language="en"), "https://incidents.example.com/r/x")
    assert parsed(mail)["Subject"] == "INC-KX7M9Q: we have your report"
    assert parsed(mail)["Content-Language"] == "en"
    assert "Reference: INC-KX7M9Q\n" in body(mail)


def test_the_acknowledgement_has_the_reference_the_link_and_the_phone_number(folder: Path) -> None:
    with request(folder):
        text = body(compose_acknowledgement(a_report(), "https://incidents.example.com/r/x"))
    assert "INC-KX7M9Q" in text
    assert "https://incidents.example.com/r/x" in text
    assert "+34 900 000 000" in text
    with request(folder, SUPPORT_PHONE=""):
        assert "llame al" not in body(
            compose_acknowledgement(a_report(), "https://incidents.example.com/r/x")
        )


def test_no_word_that_a_visitor_typed_is_in_the_acknowledgement(folder: Path) -> None:
    typed = dict.fromkeys(
        ["affected", "summary", "error_message", "frequency", "change_description", "name",
         "company", "customer_number"],
        "Compre en spam.example",
    )  # fmt: skip
    with request(folder):
        plain = compose_acknowledgement(a_report(), "https://incidents.example.com/r/x")
        spam = compose_acknowledgement(
            a_report(**typed, phone="+34 611 111 111"), "https://incidents.example.com/r/x"
        )
    assert b"spam" not in spam.content.lower()
    assert spam.content == plain.content


def test_no_acknowledgement_is_sent_where_the_settings_say_so(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(SEND_ACKNOWLEDGEMENT=False)
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    with app.test_request_context():
        submit("draft", a_report())
        database: Database = app.extensions["sqlalchemy"]
        with database.read() as session:
            kinds = session.scalars(sa.select(Message.kind)).all()
    assert kinds == ["ticket"]
