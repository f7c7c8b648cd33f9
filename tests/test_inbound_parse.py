"""What a mail that came in is taken for."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from reporter.inbound.authentication import passes_for
from reporter.inbound.parse import Ears, Sort, originators, parse
from reporter.web.bounds import MAIL_PARTS, MAIL_READ_BYTES

SUPPORT = "support@example.com"
SECRET = "copies-7Q2fX@example.com"
TICKET = "<INC-KX7M9Q.0.0123456789abcdef@example.com>"
EARS = Ears("incident-reporter@example.com", SUPPORT, SECRET, "mx.example.com")
PASSES = "mx.example.com; dmarc=pass (p=none dis=none) header.from=example.com"


def an_answer(**headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Soporte <support@example.com>"
    mail["To"] = "inigo@cliente.example"
    mail["Subject"] = "Re: SEV1 La tienda no carga | web-hosting | INC-KX7M9Q"
    mail["Message-ID"] = "<answer-1@helpdesk.example.com>"
    mail["In-Reply-To"] = TICKET
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content("Estamos en ello.")
    return mail.as_bytes()


def a_bounce(
    action: str = "failed", returned: str = "message/rfc822", mime_id: str = TICKET
) -> bytes:
    return f"""\
From: MAILER-DAEMON@relay.example.net
To: incident-reporter@example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-of-{mime_id[1:-1]}@relay.example.net>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; inigo@cliente.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such
    mailbox

--b
Content-Type: {returned}

From: incident-reporter@example.com
Message-ID: {mime_id}
Subject: INC-KX7M9Q

--b--
""".encode()


def test_an_answer_to_the_secret_address_counts() -> None:
    heard = parse(an_answer(), [SECRET.upper()], EARS)
    assert heard.sort == Sort.ANSWER
    assert heard.key == "<answer-1@helpdesk.example.com>"
    assert (heard.mime_ids, heard.references) == ((TICKET,), ("INC-KX7M9Q",))


def test_an_answer_that_our_server_has_found_to_be_of_support_counts() -> None:
    content = an_answer(Authentication_Results=PASSES)
    assert parse(content, ["incident-reporter@example.com"], EARS).sort == Sort.ANSWER


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"To": SECRET},  # in a header anybody can write it
        {"Authentication_Results": PASSES.replace("mx.", "evil.")},
        {"Authentication_Results": PASSES.replace("pass", "fail")},
        {"Authentication_Results": PASSES.replace("=example.com", "=evil.example")},
        {"Authentication_Results": PASSES, "From": "eva@example.com"},
        {"Authentication_Results": PASSES, "From": "support@example.com, eva@evil.example"},
        {"Authentication_Results": PASSES, "From": "<support@example.com> eva@evil.example"},
    ],
)
def test_a_stranger_who_knows_everything_but_the_secret_changes_nothing(
    headers: dict[str, str],
) -> None:
    content = an_answer(**headers)
    assert parse(content, ["incident-reporter@example.com", SUPPORT], EARS).sort == Sort.UNPROVEN


def test_without_its_settings_nothing_counts() -> None:
    deaf = Ears("incident-reporter@example.com", SUPPORT)
    content = an_answer(Authentication_Results=PASSES)
    assert parse(content, [SECRET, ""], deaf).sort == Sort.UNPROVEN


@pytest.mark.parametrize(
    ("results", "passes"),
    [
        (["mx.example.com; dkim=pass header.d=example.com"], True),
        (["mx.example.com 1; dkim=pass header.i=@example.com header.s=x"], True),
        (["mx.example.com; spf=pass smtp.mailfrom=support@example.com"], True),
        (["mx.example.com;\r\n dkim=none;\r\n dmarc=pass header.from=Example.COM"], True),
        (["mx.example.com; spf=pass smtp.mailfrom=example.com"], False),
        (["mx.example.com; spf=pass smtp.mailfrom=eva@example.com"], False),
        (["mx.example.com; dkim=pass header.d=evil.example"], False),
        (["mx.example.com; dkim=fail header.d=example.com; spf=none"], False),
        (["mx.example.com; auth=pass smtp.auth=support@example.com"], False),
        (["mx.example.com; dkim=fail (dkim=pass header.d=example.com)"], False),
        (["mx.example.com; none", "mx.example.com; dmarc=pass header.from=example.com"], False),
        (["other.example; none", "mx.example.com; dmarc=pass header.from=example.com"], True),
        (["", ";", "mx.example.com"], False),
        (
            ['mx.example.com; spf=pass smtp.mailfrom="a; dmarc=pass header.from=example.com"@x'],
            False,
        ),
        (['mx.example.com; dkim=fail reason="no; dmarc=pass header.from=example.com"'], False),
        (["mx.example.com; dkim=fail (a (b) ; dmarc=pass header.from=example.com )"], False),
        ([r'mx.example.com; spf=fail (of "a\") ; dmarc=pass header.from=example.com "@x)'], False),
        (['mx.example.com; spf=fail (of "a) ; dmarc=pass header.from=example.com "@x is)'], False),
        (['mx.example.com; spf=pass smtp.mailfrom="support"@example.com'], True),
        (['mx.example.com; dkim=pass (2048; x) header.d="example.com" header.b="a;b"'], True),
    ],
)
def test_only_what_our_own_server_wrote_on_top_is_believed(
    results: list[str], passes: bool
) -> None:
    assert passes_for(SUPPORT, results, "mx.example.com") == passes


@pytest.mark.parametrize("value", ["auto-replied", "auto-generated", "auto-notified; x=y", "Auto"])
def test_what_says_that_it_is_automatic_is_left(value: str) -> None:
    assert parse(an_answer(Auto_Submitted=value), [SECRET], EARS).sort == Sort.AUTOMATIC


@pytest.mark.parametrize("value", ["no", "No (a person wrote it)"])
def test_what_says_that_a_person_wrote_it_is_not(value: str) -> None:
    assert parse(an_answer(Auto_Submitted=value), [SECRET], EARS).sort == Sort.ANSWER


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Re=3A_SEV1_Se_cay=C3=B3_=7C_INC-KX7M9Q?=",
        "Re: =?UTF-8?B?U0VWMSBTZSBjYXnDsyB8IElOQy1LWDdNOVE=?=",
        "=?utf-8?q?Se_cay=C3=B3_=7C_INC-KX?=\n =?utf-8?q?7M9Q?=",
        "=?iso-8859-1*es?q?Se_cay=F3?= | INC-KX7M9Q",
        "=?klingon?q?Se_cay=F3_INC-KX7M9Q?=",
        "=?hex?q?Se_cay=F3_INC-KX7M9Q?=",
        "Se cay\u00f3 | INC-KX7M9Q",
    ],
)
def test_a_reference_is_read_in_a_subject_that_is_encoded(subject: str) -> None:
    lines = [f"Subject: {subject}", "From: support@example.com", "", "Estamos en ello."]
    assert parse("\n".join(lines).encode(), [SECRET], EARS).references == ("INC-KX7M9Q",)


@pytest.mark.parametrize("subject", ["=?utf-8?b?abc?= INC-KX7M9Q", "=?utf-8?b?=?= INC-KX7M9Q"])
def test_a_subject_that_cannot_be_decoded_is_read_as_it_is(subject: str) -> None:
    assert parse(f"Subject: {subject}\n\n".encode(), [SECRET], EARS).references


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Incident_Reference": "INC-KX7M9Q"},
        {"From": "Ejemplo Hosting <Incident-Reporter@example.com>"},
    ],
)
def test_a_mail_of_our_own_come_round_is_left(headers: dict[str, str]) -> None:
    assert parse(an_answer(**headers), [SECRET], EARS).sort == Sort.OWN


@pytest.mark.parametrize(
    "returned", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"]
)
def test_a_bounce_names_the_mail_and_the_reason(returned: str) -> None:
    heard = parse(a_bounce(returned=returned), ["incident-reporter@example.com"], EARS)
    assert heard.sort == Sort.BOUNCE
    assert heard.mime_ids == (TICKET,)
    assert heard.reason == "5.1.1 smtp; 550 5.1.1 no such mailbox"


def as_mail_servers_say_it() -> dict[str, tuple[bytes, str]]:
    """Bounces of the shapes that are out there, and the reason that each gives."""
    head = (
        "From: MAILER-DAEMON@mx.example\nTo: incident-reporter@example.com\nSubject: Undelivered\n"
    )
    report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    failed = "Final-Recipient: rfc822; inigo@cliente.example\nAction: failed\nStatus: 5.1.1\n"
    returned = f"Received: from relay\nSubject: INC-KX7M9Q\nMessage-ID: {TICKET}\n\nText.\n"
    dsn = f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{failed}"
    shapes = {
        # Its own Message-ID, notification first, and the mail whole.
        "Postfix": (
            f"{head}Auto-Submitted: auto-replied\nMessage-ID: <1@mx.example>\n{report}--b\n\n"
            f"This is the mail system.\n\n--b\n{dsn}Diagnostic-Code: smtp; 550 5.1.1 unknown\n\n"
            f"--b\nContent-Description: Undelivered Message\nContent-Type: message/rfc822\n\n"
            f"{returned}--b--\n",
            "5.1.1 smtp; 550 5.1.1 unknown",
        ),
        # Text and HTML first; headers of its own that are longer than a line may be.
        "Exchange": (
            f"{head}Message-ID: <2@mx.example>\n{report}--b\n"
            'Content-Type: multipart/alternative; boundary="c"\n\n--c\n\nUnknown.\n--c\n'
            f"Content-Type: text/html\n\n<p>Unknown.</p>\n--c--\n\n--b\n{dsn}"
            "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound\n"
            "X-Display-Name: Inigo\n\n--b\nContent-Type: message/rfc822\n\n"
            f"X-MS-Exchange-Diagnostics: {'1;x' * 700}\n{returned}--b--\n",
            "5.1.1 smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound",
        ),
        # The headers alone, and the identifier on a line of its own.
        "Gmail": (
            f"{head}X-Failed-Recipients: inigo@cliente.example\nAuto-Submitted: auto-replied\n"
            f"{report}--b\nContent-Type: multipart/related; boundary=c\n\n--c\n\nNot found.\n"
            f"--c--\n--b\n{dsn}Diagnostic-Code: smtp; 550-5.1.1 no such account\n"
            " 550 5.1.1 learn more\n\n--b\nContent-Type: message/rfc822\n\n"
            f"Subject: INC-KX7M9Q\nMessage-Id:\n {TICKET}\n\n--b--\n",
            "5.1.1 smtp; 550-5.1.1 no such account 550 5.1.1 learn more",
        ),
        "Sendmail": (
            f"{head}Auto-Submitted: auto-generated (failure)\n{report}--b\n\nErrors.\n\n--b\n"
            f"{dsn}Remote-MTA: DNS; mx.cliente.example\n\n--b\n"
            f"Content-Type: text/rfc822-headers\n\n{returned}\n--b--\n",
            "5.1.1",
        ),
        # No delivery-status at all: the mail stands below what is said.
        "Exim": (
            f"{head}X-Failed-Recipients: inigo@cliente.example\nAuto-Submitted: auto-replied\n\n"
            "This message was created automatically by mail delivery software.\n\n"
            "  inigo@cliente.example\n    550 5.1.1 unknown\n\n"
            f"------ This is a copy of the message. ------\n\n{returned}",
            "failed for inigo@cliente.example",
        ),
        # The blanks that fold its lines were lost on the way, and with them the headers.
        "a gateway": (
            f"{head}{report}--b\n\nFailed.\n--b\n{dsn}\n--b\nContent-Type: message/rfc822\n\n"
            f"DKIM-Signature: v=1;\nbh=abc\n{returned}--b--\n",
            "5.1.1",
        ),
    }
    return {name: (text.encode(), reason) for name, (text, reason) in shapes.items()}


@pytest.mark.parametrize("server", as_mail_servers_say_it())
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bounce_is_read_as_each_mail_server_says_it(server: str, end: bytes) -> None:
    content, reason = as_mail_servers_say_it()[server]
    heard = parse(content.replace(b"\n", end), ["incident-reporter@example.com"], EARS)
    assert (heard.sort, heard.mime_ids, heard.reason) == (Sort.BOUNCE, (TICKET,), reason)


def test_an_automatic_answer_that_quotes_our_mail_is_no_bounce() -> None:
    quoting = an_answer(Auto_Submitted="auto-replied") + f"Message-ID: {TICKET}\r\n".encode()
    assert parse(quoting, [SECRET], EARS).sort == Sort.AUTOMATIC


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_anything_but_failure_is_left(action: str) -> None:
    assert parse(a_bounce(action), [SECRET], EARS).sort == Sort.AUTOMATIC


def test_a_mail_without_a_name_is_known_by_its_content() -> None:
    first, second = an_answer(Message_ID=""), an_answer(Message_ID="", Subject="otro INC-AAAAAA")
    keys = {parse(each, [SECRET], EARS).key for each in (first, second, first)}
    assert len(keys) == 2


def test_a_name_that_no_database_keeps_is_none() -> None:
    """PostgreSQL refuses NUL: the mail server would bring the same mail again for days."""
    content = b"Message-ID: <a\x00b@c>\r\nReferences: <x\x07@y> <d@e>\r\n\r\nmessage-id: <f\x00@g>"
    heard = parse(content, [], EARS)
    assert heard.mime_ids == ("<d@e>",)
    assert "\x00" not in heard.key


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 1000,
        b"From: " + b"a@b.example, " * 200_000,
        b"References: " + b"<x@y> " * 300_000 + b"\r\n\r\n",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n--b--",
        b"Content-Type: multipart/report; " + b"a*0=b; " * 300_000 + b"\r\n\r\n",
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
            for each in range(90)
        )
        + b"--c\r\n" * 400_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 100_000,
        b"From: " + b"(" * 100_000 + b"\r\nRT-Originator: " + b"(" * 100_000 + b"\r\n\r\n",
        b"Authentication-Results: mx.example.com; " + b"(" * 100_000 + b"\r\n\r\n",
        b"Content-Type: text/plain\r\n\r\n" + b"x" * (MAIL_READ_BYTES * 2),
    ],
)
def test_whatever_comes_is_read_within_bounds_and_proves_nothing(content: bytes) -> None:
    heard = parse(content, ["incident-reporter@example.com"], EARS)
    assert heard.sort in {Sort.UNPROVEN, Sort.AUTOMATIC}
    assert len(heard.mime_ids) <= 100
    assert originators(content) == ()


def test_of_a_mail_with_too_many_parts_the_headers_are_read_alone() -> None:
    def with_parts(mail: bytes, more: int) -> bytes:
        return mail.replace(b"\n--b\n", b"\n--b\n\nx" * more + b"\n--b\n", 1)

    of_its_own = 6  # three parts, the two blocks of the status, and the mail that is given back
    taken = parse(with_parts(a_bounce(), MAIL_PARTS - of_its_own), [], EARS)
    assert (taken.sort, taken.mime_ids) == (Sort.BOUNCE, (TICKET,))
    over = parse(with_parts(a_bounce(), MAIL_PARTS - of_its_own + 1), [], EARS)
    assert over.sort == Sort.AUTOMATIC

    nested = b"".join(
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
        % (each, each)
        for each in range(2_000)
    )
    answer = an_answer().partition(b"MIME-Version")[0] + nested
    heard = parse(answer, [SECRET], EARS)
    assert (heard.sort, heard.mime_ids) == (Sort.ANSWER, (TICKET,))


def test_of_a_long_mail_the_beginning_is_read() -> None:
    bounce = b"X-Failed-Recipients: a@b.example\n" + an_answer()
    given_back = b"\nMessage-ID: " + TICKET.encode() + b"\n"
    room = MAIL_READ_BYTES - len(bounce) - len(given_back)
    assert parse(bounce + b"." * room + given_back, [], EARS).sort == Sort.BOUNCE
    assert parse(bounce + b"." * (room + 3) + given_back, [], EARS).sort != Sort.BOUNCE

    named = b"In-Reply-To: " + TICKET.encode()
    before = b"X-Padding: ".ljust(MAIL_READ_BYTES - len(named) - 1, b".") + b"\n"
    assert parse(before + named + b"\n\n", [], EARS).mime_ids == (TICKET,)
    assert parse(b"." + before + named + b"\n\n", [], EARS).mime_ids == ()
