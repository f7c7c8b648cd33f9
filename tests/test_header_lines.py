"""How a header is written: beside its name, in lines that fit, with every blank there."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address

import pytest

from reporter.mail.policy import attachment_line, header_line


def lines(name: str, value: str | Address) -> list[str]:
    """Without the ends of the lines, the last of which is there."""
    written = header_line(name, value).decode("ascii")
    assert written.endswith("\r\n")
    return written[:-2].split("\r\n")


def read(line: bytes, name: str) -> str:
    """As both readers of the standard library have it."""
    shown = str(message_from_bytes(line + b"\r\n", policy=policy.default)[name])
    raw = message_from_bytes(line + b"\r\n", policy=policy.compat32)[name]
    assert str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", raw)))) == shown
    return shown


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("La tienda no carga", ["Subject: La tienda no carga"]),
        ("", ["Subject: "]),
        # ASCII stays as it is up to the blank before the first other word.
        (
            "La web – error 502 en la web",
            ["Subject: La web =?utf-8?q?=E2=80=93_error_502_en_la_web?="],
        ),
        ("ñ", ["Subject: =?utf-8?b?w7E=?="]),
        ("ñ\tb", ["Subject: =?utf-8?b?w7EJYg==?="]),
        # The shorter of the two encodings.
        ("ñandú", ["Subject: =?utf-8?b?w7FhbmTDug==?="]),
        ("aaññbbb", ["Subject: =?utf-8?b?YWHDscOxYmJi?="]),
        # What RFC 2047 lets stand as it is in a name too, and nothing else.
        (
            "–AZaz09!*+-/ _=" + "x" * 20,
            ["Subject: =?utf-8?q?=E2=80=93AZaz09!*+-/_=5F=3Dxxxxxxxxxxxxxxxxxxxx?="],
        ),
        # A line ends behind a blank where it can.
        (
            "La tienda no carga – error 502 | web-hosting | INC-KX7M9Q",
            [
                "Subject: La tienda no carga =?utf-8?q?=E2=80=93_error_502_=7C_?=",
                " =?utf-8?q?web-hosting_=7C_INC-KX7M9Q?=",
            ],
        ),
        (
            "SEV1 " + "ñandú " * 12,
            [
                "Subject: SEV1 =?utf-8?b?w7FhbmTDuiDDsWFuZMO6IMOxYW5kw7ogw7FhbmTDuiA=?=",
                " =?utf-8?b?w7FhbmTDuiDDsWFuZMO6IMOxYW5kw7ogw7FhbmTDuiDDsWFuZMO6IA==?=",
                " =?utf-8?b?w7FhbmTDuiDDsWFuZMO6IMOxYW5kw7og?=",
            ],
        ),
        # Where there is none, between two characters.
        (
            "SEV1 " + "雲" * 27,
            [
                "Subject: SEV1 =?utf-8?b?6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy?=",
                " =?utf-8?b?6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy6Zuy?=",
                " =?utf-8?b?6Zuy?=",
            ],
        ),
    ],
)
def test_a_text_is_written_beside_its_name(value: str, written: list[str]) -> None:
    assert lines("Subject", value) == written


def test_a_line_before_an_encoded_word_is_filled_up_to_76_characters() -> None:
    assert lines("Subject", "x" * 68) == ["Subject: " + "x" * 68]
    mixed = lines("Subject", "word " * 13 + "xx ñ")
    assert mixed == ["Subject: " + "word " * 13 + "xx", " =?utf-8?b?w7E=?="]
    assert lines("Subject", "word " * 13 + "xxx ñ")[0] == "Subject: " + "word " * 12 + "word"


def test_an_encoded_word_takes_all_the_room_there_is() -> None:
    cloud = "6Zuy"
    for word, first in (
        ("a" * 7, [f"{'a' * 7} =?utf-8?b?{cloud * 11}?=", cloud]),
        ("a" * 40, ["a" * 40, cloud * 15, cloud]),
    ):
        beside, *below = first
        value = f"{word} {'雲' * (12 if len(word) == 7 else 16)}"
        written = [f"Subject: {beside}", *(f" =?utf-8?b?{each}?=" for each in below)]
        assert lines("Subject", value) == written


def test_an_encoded_word_is_begun_in_a_line_only_where_a_character_of_any_size_has_room() -> None:
    ten = "ñ" * 10
    assert lines("Subject", f"{'a' * 39} {ten}") == [
        f"Subject: {'a' * 39} =?utf-8?b?w7HDscOxw7E=?=",
        " =?utf-8?b?w7HDscOxw7HDscOx?=",
    ]
    assert lines("Subject", f"{'a' * 40} {ten}") == [
        f"Subject: {'a' * 40}",
        " =?utf-8?b?w7HDscOxw7HDscOxw7HDscOxw7E=?=",
    ]


@pytest.mark.parametrize("begin", ["", "SEV1 ", "a" * 30 + " ", "word " * 9])
@pytest.mark.parametrize("letter", ["ñ", "aaaañ", "雲", "🔥", "ñ a"])
def test_every_length_comes_back_whole_from_lines_that_fit(begin: str, letter: str) -> None:
    for count in range(1, 60):
        value = begin + letter * count
        assert read(header_line("Subject", value), "Subject") == value
        written = lines("Subject", value)
        assert max(map(len, written)) <= 76
        assert len(written) <= 1 + 0.2 * len("".join(written)) / 10, written


@pytest.mark.parametrize(
    ("name", "address", "written"),
    [
        ("", "a@example.com", ["Reply-To: a@example.com"]),
        ("Ana", "a@example.com", ["Reply-To: Ana <a@example.com>"]),
        ("Ejemplo, S.L.", "a@example.com", ['Reply-To: "Ejemplo, S.L." <a@example.com>']),
        (
            "Íñigo Muñoz",
            "inigo@example.com",
            ["Reply-To: =?utf-8?b?w43DsWlnbyBNdcOxb3o=?= <inigo@example.com>"],
        ),
        (
            "Compañía de Alojamiento y Servicios de Internet del Sur",
            "inigo@example.com",
            [
                "Reply-To: =?utf-8?q?Compa=C3=B1=C3=ADa_de_Alojamiento_y_Servicios_de_?=",
                " =?utf-8?q?Internet_del_Sur?= <inigo@example.com>",
            ],
        ),
        ("Ñ\tx", "a@example.com", ["Reply-To: =?utf-8?b?w5EJeA==?= <a@example.com>"]),
        ("x" * 80, "a@example.com", ["Reply-To: " + "x" * 80, " <a@example.com>"]),
    ],
)
def test_an_address_stands_behind_its_name(name: str, address: str, written: list[str]) -> None:
    local, _at, domain = address.partition("@")
    assert lines("Reply-To", Address(name, username=local, domain=domain)) == written
    assert lines("From", Address(name, username=local, domain=domain)) == lines(
        "From", Address(name, addr_spec=address)
    )


def test_our_own_address_is_written_like_any_other() -> None:
    ours = Address("Ejemplo Hosting", username="incidents", domain="example.com")
    assert lines("From", ours) == ["From: Ejemplo Hosting <incidents@example.com>"]


@pytest.mark.parametrize("value", ["a\nBcc: b", "a\rBcc: b", "ñ\r\nBcc: b", "ñ\nb"])
def test_a_value_of_several_lines_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        header_line("Subject", value)


@pytest.mark.parametrize(
    ("filename", "written"),
    [
        ("INC-KX7M9Q-1.png", 'attachment; filename="INC-KX7M9Q-1.png"'),
        ("a_b+c.d", 'attachment; filename="a_b+c.d"'),
        ("a" * 48, f'attachment; filename="{"a" * 48}"'),
        ("a" * 49, f'attachment;\r\n filename="{"a" * 49}"'),
        ('a "b".png', 'attachment; filename="a \\"b\\".png"'),
        ("año.png", "attachment; filename*=utf-8''a%C3%B1o.png"),
    ],
)
def test_a_file_is_named_in_ascii_with_other_letters_as_rfc_2231_has_them(
    filename: str, written: str
) -> None:
    line = attachment_line(filename)
    assert line.decode("ascii") == f"Content-Disposition: {written}\r\n"
    assert message_from_bytes(line + b"\r\n").get_filename() is not None
    assert message_from_bytes(line + b"\r\n", policy=policy.default).get_filename() == filename
