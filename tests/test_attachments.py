"""A customer's files: kept at once, sent once, and given back to nobody but their own receipt."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from factories import Customer, Page
from flask import Flask
from PIL import Image
from provider import (
    Provider,
    Visitor,
    a_picture,
    a_provider,
    a_provider_made_by,
    block_of,
    text_of,
    to_support,
    upload,
)
from test_filetypes import a_photo, a_zip, positions

from reporter.attachments import conversion
from reporter.attachments import store as attachments
from reporter.models import Attachment
from reporter.reports import followups
from reporter.web import bounds

MIB = 1024 * 1024
LIMIT = 6_815_744
PNG = a_picture("PNG")
LOG = b"502 Bad Gateway\n"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
def token(provider: Provider) -> str:
    return provider.report()


@pytest.fixture
def customer(provider: Provider, token: str) -> Visitor:
    return provider.customer(token)


def add(customer: Visitor, token: str, *files: tuple[str, bytes], **fields: str) -> Page:
    """Choose *files* in the evidence step and press the button."""
    customer.open(f"/r/{token}/details/evidence")
    return customer.chooses(*files, **fields)


def send(customer: Visitor, token: str) -> Page:
    customer.open(f"/r/{token}/details/review")
    return customer.submit()


def kept(provider: Provider, token: str) -> list[attachments.StoredFile]:
    with provider.database.read() as session:
        return list(attachments.files_of(session, provider.receipt(token).report_id))


def names(provider: Provider, token: str) -> list[str]:
    return [file.name for file in kept(provider, token)]


def files_in(mail: EmailMessage) -> dict[str, bytes]:
    """The attachments but for the JSON, which is the last where there is one."""
    parts = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    assert not any(name.endswith(".json") for name in list(parts)[:-1])
    return {name: content for name, content in parts.items() if not name.endswith(".json")}


def twin_of(mail: EmailMessage) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(list(mail.iter_attachments())[-1].get_content())
    return content


def pdf(size: int) -> bytes:
    return (b"%PDF-1.7\n" + os.urandom(size))[:size]


def remove(page: Page, name: str) -> str:
    """What the button beside a file says to remove it."""
    before, _, _ = page.html.partition(f'<span class="hidden"> {name}</span>')
    return before.rpartition('name="remove" value="')[2].partition('"')[0]


def test_several_files_are_kept_at_once(provider: Provider, token: str, customer: Visitor) -> None:
    page = add(customer, token, ("captura.png", PNG), ("nginx.log", LOG))
    assert customer.page.status == 200
    assert names(provider, token) == ["captura.png", "nginx.log"]
    page = customer.open(f"/r/{token}/details/evidence")
    assert "captura.png (1 kB)" in page.text
    assert "nginx.log (1 kB)" in page.text
    page = add(customer, token, ("otra.gif", a_picture("GIF")))
    assert names(provider, token) == ["captura.png", "nginx.log", "otra.gif"]
    page = customer.open(f"/r/{token}")
    assert page.text.count("(aún sin enviar)") == 3


def test_files_stay_when_another_answer_is_wrong(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(customer, token, ("captura.png", PNG), last_worked_at="ayer", hypothesis="el proxy")
    assert (page.status, set(page.errors)) == (422, {"last_worked_at"})
    assert "captura.png" in page.text
    assert page.fields["hypothesis"] == "el proxy"
    assert names(provider, token) == ["captura.png"]


def test_the_text_stays_when_the_page_is_stale_and_the_files_are_asked_for_again(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(customer, token, ("captura.png", PNG), hypothesis="el proxy", csrf_token="stale")
    assert page.status == 422
    assert "Tendrá que elegir de nuevo los archivos." in page.text
    assert page.fields["hypothesis"] == "el proxy"
    with provider.database.read() as session:
        assert session.scalars(sa.select(Attachment)).all() == []  # a stranger's page keeps none
    add(customer, token, ("captura.png", PNG), hypothesis="el proxy")
    page = customer.open(f"/r/{token}/details/review")
    assert "captura.png" in page.text
    assert "el proxy" in page.text


def test_one_that_cannot_be_taken_does_not_cost_the_others(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(
        customer,
        token,
        ("captura.png", PNG),
        ("todo.rar", b"Rar!\x1a\x07\x01\x00"),
        ("roto.png", b"\x89PNG\r\n\x1a\n"),
        ("algo.bin", bytes(100)),
        ("vacío.txt", b""),
        ("nginx.log", LOG),
    )
    assert page.status == 422
    assert page.errors["files"].split(" Error: ") == [
        "todo.rar es de un tipo que no aceptamos (RAR): póngalo en un archivo ZIP",
        "roto.png está dañado: guárdelo de nuevo o envíe una captura",
        "algo.bin es de un tipo que no conocemos: póngalo en un archivo ZIP o envíe una captura",
        "vacío.txt está vacío: elíjalo de nuevo cuando esté completo",
    ]
    assert names(provider, token) == ["captura.png", "nginx.log"]
    english = Visitor(provider.app, "en")
    page = add(english, token, ("a.exe", b"MZ\x00\x01"))
    assert page.errors["files"] == (
        "a.exe is of a kind that we do not take (EXE): put it in a ZIP file"
    )
    assert page.listed == {"files": page.errors["files"]}


def test_the_content_decides_and_not_the_name(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(
        customer,
        token,
        ("foto.png", LOG),
        ("carta.txt", PNG),
        ("pagina.html", b"<script>alert(1)</script>"),
        ("dibujo.xml", b'<svg onload="alert(1)"/>'),
        ("informe.exe", b"%PDF-1.7\n"),
    )
    assert [(file.filename[11:], file.mime_type) for file in kept(provider, token)] == [
        ("1-foto.txt", "application/octet-stream"),
        ("2-carta.png", "image/png"),
        ("3-pagina.txt", "application/octet-stream"),
        ("4-dibujo.txt", "application/octet-stream"),
        ("5-informe.pdf", "application/pdf"),
    ]
    page = customer.open(f"/r/{token}/details/review")
    for said in (
        "foto.png (1 kB, tomado como texto)",
        "carta.txt (1 kB, tomado como PNG)",
        "informe.exe (1 kB, tomado como PDF)",
        "pagina.html (1 kB)",
    ):
        assert said in page.text
    send(customer, token)
    mail = to_support(provider.work())[-1]
    types = {part.get_filename()[11:]: part.get_content_type() for part in mail.iter_attachments()}
    assert types["3-pagina.txt"] == "application/octet-stream"
    assert types["2-carta.png"] == "image/png"
    assert not any(kind.startswith("text/") for kind in types.values())


def test_a_picture_that_cannot_be_taken_is_told_what_to_do(
    token: str, customer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = add(customer, token, ("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40))
    assert page.errors["files"] == ("IMG_1.HEIC está dañado: guárdelo de nuevo o envíe una captura")
    monkeypatch.setattr("reporter.attachments.pictures.MAXIMUM_PIXELS", 1000)
    page = add(customer, token, ("IMG_2.JPG", a_photo()))
    assert page.errors["files"] == "IMG_2.JPG tiene demasiados píxeles: envíela más pequeña"


def test_a_page_that_is_called_a_picture_is_refused(token: str, customer: Visitor) -> None:
    page = add(customer, token, ("foto.png", b"<script>alert(1)</script>"))
    assert page.errors["files"] == (
        "foto.png es de un tipo que no aceptamos (HTML): póngalo en un archivo ZIP"
    )


@pytest.mark.parametrize(
    ("name", "shown", "sent"),
    [
        ("captura.png", "captura.png", "captura"),
        ("../../etc/passwd", "../../etc/passwd", "passwd"),
        ("C:\\Users\\Íñigo\\foto 1.PNG", "C:\\Users\\Íñigo\\foto 1.PNG", "c-users-inigo-foto-1"),
        ("a\r\nBcc: e@example.com\r\n.png", "a Bcc: e@example.com .png", "a-bcc-e-example-com"),
        ("foto\u202egnp.exe", "fotognp.exe", "fotognp"),
        ("\N{FIRE}\N{FIRE}.png", "\N{FIRE}\N{FIRE}.png", "file"),
        ("caída año.png", "caída año.png", "caida-ano"),
        ("", "png", "file"),
        (".png", ".png", "png"),
        ("a" * 300 + ".png", "a" * 119 + "…", "a" * 40),
        ('"; filename="x.exe', '"; filename="x.exe', "filename-x"),
        ("<b>x</b>.png", "<b>x</b>.png", "b"),
        ("\x00\x1b[31ma.png", "a.png", "a"),
        ("-rf", "-rf", "rf"),
    ],
)  # fmt: skip
def test_a_name_is_safe_and_led_by_the_reference(
    provider: Provider, token: str, name: str, shown: str, sent: str
) -> None:
    receipt = provider.receipt(token)
    reference = receipt.report.reference
    with provider.app.test_request_context():
        owner = attachments.Owner(receipt.report_id, reference=reference)
        assert attachments.keep(owner, [upload(name, PNG)]) == []
    (file,) = kept(provider, token)
    assert file.name == shown
    assert file.filename == f"{reference}-1-{sent}.png"
    assert file.filename.isascii()
    customer = provider.customer(token)
    assert "<b>x</b>" not in customer.page.html
    assert customer.page.html.count(f"/files/{file.id}") == 1
    answer = customer.client.get(f"/r/{token}/files/{file.id}", base_url=customer.base_url)
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f"attachment; filename={file.filename}"
    send(customer, token)
    mail = to_support(provider.work())[-1]
    assert list(files_in(mail)) == [file.filename]
    assert mail["Bcc"] is None
    assert f"\n{file.filename} ({shown})\n" in text_of(mail)


def test_a_nasty_name_comes_through_a_form_too(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(
        customer,
        token,
        ('"; name="a\r\n\r\nb.png', PNG),
        ("x" * 300, LOG),
        ("año \N{FIRE}", LOG * 2),
    )
    assert names(provider, token) == [
        '"; name="a%0D%0A%0D%0Ab.png',
        "x" * 119 + "…",
        "año \N{FIRE}",
    ]
    assert [file.filename[10:] for file in kept(provider, token)] == [
        "-1-name-a-0d-0a-0d-0ab.png",
        f"-2-{'x' * 40}.txt",
        "-3-ano.txt",
    ]


def test_a_file_is_removed_on_its_page(provider: Provider, token: str, customer: Visitor) -> None:
    add(customer, token, ("captura.png", PNG), ("nginx.log", LOG))
    page = customer.open(f"/r/{token}/details/evidence")
    page = customer.submit(remove=remove(page, "captura.png"), hypothesis="a medias")
    assert "captura.png" not in page.text
    assert "nginx.log" in page.text
    assert page.fields["hypothesis"] == "a medias"
    assert names(provider, token) == ["nginx.log"]


def test_a_file_is_removed_on_the_review(provider: Provider, token: str, customer: Visitor) -> None:
    add(customer, token, ("captura.png", PNG), ("nginx.log", LOG))
    page = customer.open(f"/r/{token}/details/review")
    page = customer.submit(remove=remove(page, "nginx.log"))
    assert "nginx.log" not in page.text
    assert names(provider, token) == ["captura.png"]
    customer.submit()
    (mail,) = [mail for mail in provider.work() if mail["In-Reply-To"]]
    assert list(files_in(mail)) == [kept(provider, token)[0].filename]


@pytest.mark.parametrize("page", ["evidence", "review"])
def test_no_file_is_removed_without_a_token(
    provider: Provider, token: str, customer: Visitor, page: str
) -> None:
    add(customer, token, ("captura.png", PNG))
    button = remove(customer.open(f"/r/{token}/details/{page}"), "captura.png")
    answer = customer.submit(remove=button, csrf_token="stale")
    assert answer.status == 422
    assert "Vuelva a pulsar el botón" in answer.text
    assert names(provider, token) == ["captura.png"]
    assert provider.waiting(kind="followup") == []
    customer.submit(remove=button)
    assert names(provider, token) == []


def test_a_file_that_was_sent_is_not_removed(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("captura.png", PNG))
    send(customer, token)
    page = customer.open(f"/r/{token}/details/evidence")
    assert "captura.png" in page.text
    assert "enviado" in page.text
    assert 'name="remove"' not in page.html
    (file,) = kept(provider, token)
    customer.submit(remove=str(file.id))
    assert names(provider, token) == ["captura.png"]
    assert "(aún sin enviar)" not in customer.open(f"/r/{token}").text


def test_nobody_removes_a_file_of_another_receipt(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("captura.png", PNG))
    (file,) = kept(provider, token)
    other = provider.report("another")
    stranger = provider.customer(other)
    for page in ("evidence", "review"):
        stranger.open(f"/r/{other}/details/{page}")
        stranger.submit(remove=str(file.id))
    assert names(provider, token) == ["captura.png"]


@pytest.mark.parametrize("identity", ["0", "-1", "x", "", "2147483648", "9" * 30])
def test_a_file_that_never_was_is_not_there(token: str, customer: Visitor, identity: str) -> None:
    assert customer.open(f"/r/{token}/files/{identity}").status == 404
    for page in ("evidence", "review"):
        customer.open(f"/r/{token}/details/{page}")
        assert customer.submit(remove=identity).status == 200


def test_a_file_comes_back_as_a_download_and_to_its_own_receipt_only(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page_of_theirs = b"<script>alert(document.cookie)</script>"
    add(customer, token, ("captura.png", PNG), ("pagina.html", page_of_theirs))
    other = provider.report("another")
    for file, content in zip(kept(provider, token), (PNG, page_of_theirs), strict=True):
        answer = customer.client.get(f"/r/{token}/files/{file.id}", base_url=customer.base_url)
        assert answer.data == content
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=INC-")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        stranger = Customer(provider.app)
        for wrong in (other, token[:-1], token.swapcase(), "x"):
            assert stranger.open(f"/r/{wrong}/files/{file.id}").status == 404
    ours = customer.open(f"/r/{token}").links
    assert {text for address, text in ours.items() if "/files/" in address} == {
        "captura.png",
        "pagina.html",
    }


def test_a_photo_is_sent_and_given_back_without_its_position(
    provider: Provider, token: str, customer: Visitor
) -> None:
    photo = a_photo()
    assert positions(photo)
    add(customer, token, ("IMG_2040.JPG", photo))
    (file,) = kept(provider, token)
    answer = customer.client.get(f"/r/{token}/files/{file.id}", base_url=customer.base_url)
    send(customer, token)
    (sent,) = files_in(to_support(provider.work())[-1]).values()
    for content in (answer.data, sent):
        assert positions(content) == []
        assert Image.open(io.BytesIO(content)).getexif()[0x0112] == 6
    assert file.size == len(sent)
    assert file.sha256 == hashlib.sha256(sent).hexdigest()


def test_the_same_file_twice_is_kept_once(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(customer, token, ("captura.png", PNG), ("captura (1).png", PNG))
    assert page.status == 200
    add(customer, token, ("captura.png", PNG))
    assert names(provider, token) == ["captura.png"]
    other = provider.report("another")
    add(Visitor(provider.app), other, ("captura.png", PNG))
    assert names(provider, other) == ["captura.png"]


def test_all_files_together_have_a_limit_that_can_be_reached_exactly(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("uno.pdf", pdf(LIMIT - 1000)))
    page = add(customer, token, ("dos.pdf", pdf(1001)))
    assert page.status == 422
    assert page.errors["files"] == (
        "dos.pdf no cabe: los archivos pueden ocupar 6,8 MB en total. Redúzcalo o póngalo en un "
        "archivo ZIP"
    )
    page = add(customer, token, ("tres.pdf", pdf(1000)))
    assert page.status == 200
    assert sum(file.size for file in kept(provider, token)) == LIMIT
    page = add(customer, token, ("una captura.gif", a_picture("GIF")))
    assert page.status == 422
    assert names(provider, token) == ["uno.pdf", "tres.pdf"]


def test_a_file_over_the_limit_is_refused_beside_its_field_and_the_text_stays(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(customer, token, ("grande.pdf", pdf(LIMIT + 1)), hypothesis="el proxy")
    assert (page.status, set(page.errors)) == (422, {"files"})
    assert page.fields["hypothesis"] == "el proxy"
    assert kept(provider, token) == []


def test_the_fullest_mail_stays_under_9_mib(provider: Provider) -> None:
    token = provider.report(error_message="502 Bad Gateway: upstream\n" * 200)
    customer = provider.customer(token)
    add(customer, token, ("todo.pdf", pdf(LIMIT)), tests_done="1. Reiniciar: igual\n" * 50)
    send(customer, token)
    provider.work()
    sent = max(provider.smtp.received, key=lambda each: len(each.content))
    assert sent.recipients == ("support@example.com",)
    assert 8.5 * MIB < len(sent.content) < 9 * MIB
    assert max(len(line) for line in sent.content.split(b"\r\n")) <= 998


FULL_TEXT = "\U0001f525" * 5000
FULL = dict.fromkeys(("tests_done", "hypothesis"), FULL_TEXT)


def test_files_that_leave_no_room_for_the_text_go_in_a_mail_of_their_own(
    provider: Provider,
) -> None:
    token = provider.report(error_message="\U0001f525" * 20_000, change_description=FULL_TEXT)
    customer = provider.customer(token)
    everything = pdf(LIMIT)
    add(customer, token, ("todo.pdf", everything), **FULL)
    send(customer, token)
    provider.work()
    *_rest, state, files = [message.content for message in provider.smtp.received]
    assert len(state) < 9 * MIB
    assert len(files) < 9 * MIB
    *_, state_mail, files_mail = to_support(provider.mails_of(token))
    assert [block_of(mail)["update"] for mail in (state_mail, files_mail)] == ["1", "2"]
    assert block_of(files_mail)["news"] == "files"
    assert text_of(files_mail).startswith("MÁS ARCHIVOS, 1 archivo")
    assert twin_of(state_mail)["answers"]["tests_done"] == FULL_TEXT
    assert files_in(state_mail) == {}
    (file,) = kept(provider, token)
    assert files_in(files_mail) == {file.filename: everything}
    provider.later(minutes=10)
    assert provider.work() == []


def sent_with_files_for_two_mails(provider: Provider) -> str:
    """The token of a report whose details have one file too many for the mail of its state."""
    token = provider.report()
    customer = provider.customer(token)
    half = LIMIT // 2
    add(customer, token, ("uno.pdf", pdf(half)), ("dos.pdf", pdf(half - 1)), **FULL)
    send(customer, token)
    return token


def test_of_several_files_those_that_fit_go_with_the_text(provider: Provider) -> None:
    token = sent_with_files_for_two_mails(provider)
    provider.work()
    assert all(len(message.content) < 9 * MIB for message in provider.smtp.received)
    *_, state, rest = to_support(provider.mails_of(token))
    assert [file.number for file in kept(provider, token)] == [1, 2]
    assert [len(files_in(mail)) for mail in (state, rest)] == [1, 1]


def test_what_comes_after_such_a_mail_joins_it_with_the_state_again(provider: Provider) -> None:
    token = sent_with_files_for_two_mails(provider)
    customer = provider.customer(token)
    customer.submit(kind="info", text="una cosa más")
    *_, last = to_support(provider.mails_of(token))
    assert block_of(last)["news"] == "files, info"
    assert twin_of(last)["answers"]["tests_done"] == FULL_TEXT
    assert len(files_in(last)) == 1


def test_updates_that_do_not_fit_in_a_mail_begin_another(
    provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followups, "MAIL_BYTES", 40_000)
    customer = provider.customer(token)
    for number in range(4):
        customer.submit(kind="info", text=f"{number} " + "x" * 4000)
    mails = to_support(provider.mails_of(token))[1:]
    assert len(mails) > 1
    assert all(len(mail.as_bytes()) < 40_000 for mail in mails)
    text = "".join(text_of(mail) for mail in mails)
    assert [text.count(f"| {number} x") for number in range(4)] == [1] * 4


def test_as_many_files_as_a_report_may_have_fit_in_a_mail_with_the_fullest_size(
    provider: Provider, token: str, customer: Visitor
) -> None:
    each = LIMIT // 50
    for number in range(50):
        name = "x" * 120 + f"{number}.pdf"
        assert add(customer, token, (name, pdf(each - number))).status == 200
    page = add(customer, token, ("otro.txt", b"otro"))
    assert page.errors["files"] == "otro.txt no cabe: un aviso puede tener 50 archivos"
    send(customer, token)
    provider.work()
    assert all(len(message.content) < 9 * MIB for message in provider.smtp.received)
    sent = [files_in(mail) for mail in to_support(provider.mails_of(token))]
    assert sum(len(files) for files in sent) == 50


def test_photos_that_are_too_much_together_cost_neither_the_text_nor_those_that_fit(
    provider: Provider, token: str, customer: Visitor
) -> None:
    photos = [(f"IMG_{number}.pdf", pdf(4_500_000)) for number in range(4)]
    page = add(customer, token, *photos, ("nginx.log", LOG), hypothesis="el proxy")
    assert (page.status, set(page.errors)) == (422, {"files"})
    assert page.fields["hypothesis"] == "el proxy"
    assert names(provider, token) == ["IMG_0.pdf", "nginx.log"]


def test_each_file_that_is_refused_is_named_beside_its_field_and_above(
    token: str, customer: Visitor
) -> None:
    page = add(
        customer,
        token,
        ("a.exe", b"MZ\x00"),
        ("grande.pdf", pdf(LIMIT + 1)),
        ("b.7z", b"7z\xbc\xaf\x27\x1c"),
    )
    said = [
        "a.exe es de un tipo que no aceptamos (EXE): póngalo en un archivo ZIP",
        "grande.pdf no cabe: los archivos pueden ocupar 6,8 MB en total. Redúzcalo o póngalo en "
        "un archivo ZIP",
        "b.7z es de un tipo que no aceptamos (7Z): póngalo en un archivo ZIP",
    ]
    assert page.errors == {"files": " Error: ".join(said)}
    for each in said:
        assert f'<li><a href="#f-files">{each}</a></li>' in page.html


@pytest.mark.parametrize("button", [{"go": "back"}, {"lang": "en"}, {"keep": "files"}], ids=str)
def test_a_file_that_is_refused_is_told_of_whatever_is_pressed(
    provider: Provider, token: str, customer: Visitor, button: dict[str, str]
) -> None:
    page = add(customer, token, ("a.exe", b"MZ\x00"), ("b.png", PNG), hypothesis="dns", **button)
    assert page.errors == {
        "files": "a.exe es de un tipo que no aceptamos (EXE): póngalo en un archivo ZIP"
    }
    assert page.fields["hypothesis"] == "dns"
    assert names(provider, token) == ["b.png"]


def test_keeping_a_file_at_once_scolds_for_nothing_that_is_still_being_answered(
    provider: Provider, token: str, customer: Visitor
) -> None:
    page = add(customer, token, ("b.png", PNG), last_worked_at="ayer", keep="files")
    assert (page.status, page.action, page.errors) == (200, f"/r/{token}/details/evidence", {})
    assert page.fields["last_worked_at"] == "ayer"
    assert names(provider, token) == ["b.png"]


def test_a_request_that_is_far_too_large_is_answered_in_plain_words(
    provider: Provider, token: str, customer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(customer, token, hypothesis="el proxy")
    customer.open(f"/r/{token}/details/evidence")
    monkeypatch.setattr(bounds, "FILES_BODY_BYTES", MIB)
    page = customer.chooses(("vídeo.pdf", pdf(MIB)))
    assert page.status == 413
    assert "Esos archivos son demasiado grandes" in page.text
    assert "Los archivos pueden ocupar 1 MB en total." in " ".join(page.text.split())
    assert page.links[f"/r/{token}/details/evidence"] == "Volver a la página"
    assert page.links[f"/r/{token}/details/evidence?lang=en"] == "English"
    assert kept(provider, token) == []
    page = customer.open(f"/r/{token}/details/evidence")
    assert page.fields["hypothesis"] == "el proxy"


def test_only_files_may_be_as_large_as_that(token: str, customer: Visitor) -> None:
    customer.open(f"/r/{token}/details/evidence")
    page = customer.submit(hypothesis="x" * 3 * MIB)
    assert page.status == 413
    assert "Es demasiado texto para una página" in page.text


def test_a_follow_up_carries_the_files_that_are_new(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("captura.png", PNG))
    send(customer, token)
    (first,) = [mail for mail in provider.work() if mail["In-Reply-To"]]
    provider.later(minutes=1)
    add(customer, token, ("nginx.log", LOG))
    send(customer, token)
    (second,) = provider.work()
    picture, log = kept(provider, token)
    assert files_in(first) == {picture.filename: PNG}
    assert files_in(second) == {log.filename: LOG}
    assert (picture.number, log.number) == (1, 2)
    for mail, file in ((first, picture), (second, log)):
        assert twin_of(mail)["attachment"] == [
            {
                "name": file.filename,
                "mimeType": file.mime_type,
                "size": file.size,
                "sha256": file.sha256,
            }
        ]
        assert f"ARCHIVOS\n{file.filename} ({file.name})\n" in text_of(mail)
    # What was sent before is not attached again.
    assert twin_of(second)["answers"]["files"] == ["captura.png", "nginx.log"]


def test_news_sends_no_file_that_was_not_reviewed(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("captura.png", PNG))
    customer.open(f"/r/{token}")
    page = customer.submit(kind="info", text="Va cada vez peor")
    assert "(aún sin enviar)" in page.text
    provider.later(minutes=1)
    mail = to_support(provider.work())[-1]
    assert block_of(mail)["news"] == "info"
    assert files_in(mail) == {}
    review = f"/r/{token}/details/review"
    assert page.links[review] == "Revisar los detalles y enviar los archivos"
    assert remove(customer.open(review), "captura.png")
    assert review not in send(customer, token).links
    mail = to_support(provider.work())[-1]
    assert block_of(mail)["news"] == "details"
    assert list(files_in(mail).values()) == [PNG]


def test_files_of_one_follow_up_are_all_in_it(
    provider: Provider, token: str, customer: Visitor
) -> None:
    """A second one that comes while the mail waits is composed into it."""
    provider.work()
    customer.submit(kind="info", text="uno")
    add(customer, token, ("captura.png", PNG))
    customer.open(f"/r/{token}")
    customer.submit(kind="info", text="dos")
    add(customer, token, ("nginx.log", LOG))
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "info, info, details"
    assert list(files_in(mail).values()) == [PNG, LOG]


@pytest.fixture
def on_both_engines(make_app: Callable[..., Flask]) -> Iterator[Provider]:
    with a_provider_made_by(make_app, MAX_ATTACHMENT_BYTES=10_000) as provider:
        yield provider


def test_uploads_at_the_same_moment_keep_to_the_limit(on_both_engines: Provider) -> None:
    provider = on_both_engines
    token = provider.report()
    receipt = provider.receipt(token)

    def keep(number: int) -> int:
        with provider.app.test_request_context():
            files = [upload(f"{number}.pdf", pdf(3_000))]
            owner = attachments.Owner(receipt.report_id, reference=receipt.report.reference)
            return len(attachments.keep(owner, files))

    with ThreadPoolExecutor(6) as pool:
        refused = sum(pool.map(keep, range(12)))
    files = kept(provider, token)
    assert (len(files), refused) == (3, 9)
    assert sorted(file.filename.split("-")[2] for file in files) == ["1", "2", "3"]


HAR = b'{"log": {"entries": [' + b'{"request": {"method": "GET"}},' * 300_000 + b"]}}"


def test_a_har_that_no_mail_holds_is_kept_packed_for_the_desk(
    provider: Provider, token: str, customer: Visitor
) -> None:
    assert len(HAR) > 8_700_000
    assert add(customer, token, ("red.har", HAR)).status == 200
    (file,) = kept(provider, token)
    assert (file.name, file.filename[11:], file.for_desk) == (
        "red.har.gz",
        "1-red.har.gz",
        True,
    )
    with provider.database.read() as session:
        found = attachments.read(session, provider.receipt(token).report_id, file.id)
    assert found is not None
    assert gzip.decompress(found[1]) == HAR
    assert add(customer, token, ("red.har", HAR)).status == 200
    assert len(kept(provider, token)) == 1


def test_what_is_for_the_desk_is_told_of_and_in_no_mail(
    provider: Provider, token: str, customer: Visitor
) -> None:
    add(customer, token, ("todo.zip", a_zip()), ("captura.png", PNG))
    send(customer, token)
    (mail,) = [mail for mail in provider.work() if mail["In-Reply-To"]]
    assert list(files_in(mail).values()) == [PNG]
    assert "-1-todo.zip (todo.zip, solo en el panel)\n" in text_of(mail)
    assert [each["name"][11:] for each in twin_of(mail)["attachment"]] == ["2-captura.png"]
    assert all(file.is_sent for file in kept(provider, token))
    assert "Nada ha cambiado" in send(customer, token).text


def test_files_for_the_desk_have_a_limit_of_their_own(tmp_path: Path) -> None:
    with a_provider(tmp_path, MAX_DESK_FILE_BYTES=1_000, MAX_ATTACHMENT_BYTES=2_000) as provider:
        token = provider.report()
        customer = provider.customer(token)
        at_it = b"PK\x03\x04" + os.urandom(996)
        assert add(customer, token, ("a.zip", at_it)).status == 200
        page = add(customer, token, ("b.zip", b"PK\x03\x04" + os.urandom(100)))
        assert page.errors["files"] == (
            "b.zip no cabe: los archivos de ese tipo pueden ocupar 1 kB en total. Envíe una parte"
        )
        assert add(customer, token, ("c.png", PNG)).status == 200


def test_without_space_on_the_disk_files_are_declined_and_reports_are_not(tmp_path: Path) -> None:
    with a_provider(tmp_path, MIN_FREE_BYTES=2**62) as provider:
        token = provider.report()
        customer = provider.customer(token)
        page = add(customer, token, ("captura.png", PNG), hypothesis="el proxy")
        assert page.errors["files"] == (
            "No hemos podido guardar captura.png: ahora no tenemos espacio para archivos. Envíe su "
            "aviso sin él y añádalo más tarde"
        )
        assert page.fields["hypothesis"] == "el proxy"


def test_a_photo_of_a_phone_becomes_one_that_every_program_shows(
    provider: Provider, token: str, customer: Visitor
) -> None:
    heic = (Path(__file__).parent / "pictures/photo.heic").read_bytes()
    add(customer, token, ("IMG_2040.HEIC", heic))
    page = customer.open(f"/r/{token}/details/evidence")
    (file,) = kept(provider, token)
    assert (file.filename[11:], file.mime_type) == ("1-img-2040.jpg", "image/jpeg")
    assert "IMG_2040.HEIC (1 kB, tomado como JPG)" in page.text
    add(customer, token, ("otra.heic", heic))
    assert len(kept(provider, token)) == 1


def test_one_picture_is_decoded_at_a_time_and_none_that_is_there_already(
    provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = provider.receipt(token)
    owner = attachments.Owner(receipt.report_id, reference=receipt.report.reference)
    now, most, decoded = 0, 0, 0
    saved = conversion._saved

    def watched(*of: Any) -> Any:
        nonlocal now, most, decoded
        now, decoded = now + 1, decoded + 1
        most = max(most, now)
        found = saved(*of)
        now -= 1
        return found

    monkeypatch.setattr(conversion, "_saved", watched)
    bitmaps = [a_picture("BMP", color) for color in ("red", "green", "blue", "white")]

    def keep(content: bytes) -> list[str]:
        with provider.app.test_request_context():
            return attachments.keep(owner, [upload("a.bmp", content)])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(keep, bitmaps)) == [[]] * 4
    assert (most, decoded) == (1, 4)
    assert keep(bitmaps[0]) == []
    assert decoded == 4


def test_a_secret_in_a_text_file_and_a_place_in_a_video_are_pointed_out_and_not_refused(
    provider: Provider, token: str, customer: Visitor
) -> None:
    har = b'{"headers": [{"name": "Authorization", "value": "Bearer 4f3cA9b81d0ee2c7d1"}]}'
    key = "clave\r\n-----BEGIN PRIVATE KEY-----\r\n".encode("utf-16-le")
    video = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isommp41\x00\x12\xa9xyz+40.41-003.70/"
    add(customer, token, ("red.har", har), ("id.txt", key), ("a.mp4", video), ("nginx.log", LOG))
    assert len(kept(provider, token)) == 4
    page = customer.open(f"/r/{token}/details/review")
    said = page.html.partition('<div class="caution">')[2].partition("</div>")[0]
    for name in ("red.har", "id.txt"):
        assert f"{name} parece contener una contraseña, una clave o una sesión." in said
    assert "a.mp4 puede decir dónde se grabó." in said
    assert "nginx.log" not in said
