"""Email addresses as people paste them: what is taken off, what is refused and why."""

from __future__ import annotations

import pytest

from reporter.formats.addresses import Fault, NotAnAddress, meant, parse_address, readable


@pytest.mark.parametrize(
    "pasted",
    [
        "  ana@example.com\t",
        "\u200bana@example.com\ufeff",
        "\u202aana@example.com\u202c",
        "ana@exam\u00adple.com",
        "ana@example.com\u00a0",
        "mailto:ana@example.com",
        "MAILTO:ana@example.com?subject=x",
        "<ana@example.com>",
        "Ana López <ana@example.com>,",
        '"ana@example.com"',
        "«ana@example.com».",
        "(ana@example.com);",
        "mailto:ana@example.com?subject=x?body=y",
        "<mailto:ana@example.com>",
        "ana＠example．com",
    ],
)
def test_what_a_paste_adds_is_taken_off(pasted: str) -> None:
    assert parse_address(pasted) == "ana@example.com"


@pytest.mark.parametrize(
    ("text", "fault", "part"),
    [
        ("ana", Fault.NO_AT, ""),
        ("", Fault.NO_AT, ""),
        ("@example.com", Fault.NO_NAME, ""),
        ("ana@example.com, eva@example.com", Fault.SEVERAL, ""),
        ("ana@example.com eva@example.com", Fault.SEVERAL, ""),
        ("ana@example.com\r\nBcc: eva@example.com", Fault.SEVERAL, ""),
        ("ana lopez@example.com", Fault.SPACE, ""),
        ("ana@exam ple.com", Fault.SPACE, ""),
        ("josé@example.com", Fault.LETTERS, "é"),
        ("añá@example.com", Fault.LETTERS, "ñá"),
        ("ana@empresa", Fault.UNFINISHED, "empresa"),
        ("ana@", Fault.UNFINISHED, ""),
        ("x@empresa.local", Fault.INSIDE, "empresa.local"),
        ("x@mail.empresa.LAN", Fault.INSIDE, "mail.empresa.LAN"),
        ("x@localhost", Fault.INSIDE, "localhost"),
        ("ana@@example.com", Fault.ATS, ""),
        ("ana@example..com", Fault.DOTS, ""),
        ("ana..lopez@example.com", Fault.DOTS, ""),
        ("ana.@example.com", Fault.DOTS, ""),
        ("ana@.example.com", Fault.DOTS, ""),
        ("ana,lopez@example.com", Fault.LETTERS, ","),
        ("ana@192.168.1.1", Fault.DOMAIN, "192.168.1.1"),
        ("ana@[192.168.1.1]", Fault.DOMAIN, "[192.168.1.1"),
        ("ana@-example.com", Fault.DOMAIN, "-example.com"),
        ("ana@exam_ple.com", Fault.DOMAIN, "exam_ple.com"),
        ("=?utf-8?q?x?=@example.com", Fault.OTHER, ""),
        (f"{'x' * 65}@example.com", Fault.LONG, ""),
    ],
)
def test_a_refusal_says_which_of_its_causes_it_is(text: str, fault: Fault, part: str) -> None:
    with pytest.raises(NotAnAddress) as refused:
        parse_address(text)
    assert (refused.value.fault, refused.value.part) == (fault, part)


@pytest.mark.parametrize(
    ("address", "better"),
    [
        ("ana@gmail.con", "ana@gmail.com"),
        ("ana@gmial.com", "ana@gmail.com"),
        ("ana@gmail.cm", "ana@gmail.com"),
        ("ana@hotmal.es", "ana@hotmail.es"),
        ("ana@outlok.com", "ana@outlook.com"),
        ("ana@yahooo.es", "ana@yahoo.es"),
        ("ana@empresa.con", "ana@empresa.com"),
        ("ana@empresa.cmo", "ana@empresa.com"),
        ("ana@empresa.ogr", "ana@empresa.org"),
        ("ana@gmail.co", "ana@gmail.com"),
        ("ana@gmail.comm", "ana@gmail.com"),
        ("ana@gmaul.com", "ana@gmail.com"),
        ('"a@b"@gmail.con', '"a@b"@gmail.com'),
        ('"a@b"@gmial.com', '"a@b"@gmail.com'),
        ("ana@correo.empresa.con", "ana@correo.empresa.com"),
    ],
)
def test_what_looks_like_a_slip_is_known(address: str, better: str) -> None:
    assert meant(address) == better


@pytest.mark.parametrize(
    "address",
    ["ana@gmail.com", "ana@GMAIL.com", "ana@mail.com", "ana@empresa.co", "ana@empresa.cm",
     "ana@example.com", "ana@correo.empresa.es", "ana@me.com", "ana@gmx.es",
     "ana@gmail.co.uk", "ana@hotmail.es.com", "ana@gmaxx.com"],
)  # fmt: skip
def test_what_may_well_be_right_is_left_alone(address: str) -> None:
    assert meant(address) == ""


def test_a_domain_is_shown_as_people_read_it() -> None:
    assert readable("ana@xn--strae-oqa.example") == "ana@straße.example"
    assert readable("ana@correo.españa.example") == "ana@correo.españa.example"
    assert readable('"a@b"@xn--strae-oqa.example') == '"a@b"@straße.example'
    assert readable("ana@EXAMPLE.com") == "ana@EXAMPLE.com"
    assert readable("ana@xn--.example") == "ana@xn--.example"
