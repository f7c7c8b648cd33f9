"""How much may be sent: all files together, one mail, one request, one disk."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chosen_files import LOG, PNG, add, files_in, kept, names, pdf
from customers import Customer
from details_of import send
from provider import Provider, a_picture, a_provider, block_of, text_of, to_support, twin_of, upload

from reporter.attachments import keeping
from reporter.attachments import store as attachments
from reporter.reports import followups
from reporter.web import bounds

MIB = 1024 * 1024
LIMIT = 6_815_744


def test_all_files_together_have_a_limit_that_can_be_reached_exactly(
    provider: Provider, token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer
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
    assert text_of(files_mail).startswith("MÁS ARCHIVOS: 1 archivo (")
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
    customer.submit("update", kind="info", text="una cosa más")
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
        customer.submit("update", kind="info", text=f"{number} " + "x" * 4000)
    mails = to_support(provider.mails_of(token))[1:]
    assert len(mails) > 1
    assert all(len(mail.as_bytes()) < 40_000 for mail in mails)
    text = "".join(text_of(mail) for mail in mails)
    assert [text.count(f"| {number} x") for number in range(4)] == [1] * 4


def test_as_many_files_as_a_report_may_have_fit_in_a_mail_with_the_fullest_size(
    provider: Provider, token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer
) -> None:
    photos = [(f"IMG_{number}.pdf", pdf(4_500_000)) for number in range(4)]
    page = add(customer, token, *photos, ("nginx.log", LOG), hypothesis="el proxy")
    assert (page.status, set(page.errors)) == (422, {"files"})
    assert page.fields["hypothesis"] == "el proxy"
    assert names(provider, token) == ["IMG_0.pdf", "nginx.log"]


def test_each_file_that_is_refused_is_named_beside_its_field_and_above(
    token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer, button: dict[str, str]
) -> None:
    page = add(customer, token, ("a.exe", b"MZ\x00"), ("b.png", PNG), hypothesis="dns", **button)
    assert page.errors == {
        "files": "a.exe es de un tipo que no aceptamos (EXE): póngalo en un archivo ZIP"
    }
    assert page.fields["hypothesis"] == "dns"
    assert names(provider, token) == ["b.png"]


def test_keeping_a_file_at_once_scolds_for_nothing_that_is_still_being_answered(
    provider: Provider, token: str, customer: Customer
) -> None:
    page = add(customer, token, ("b.png", PNG), last_worked_at="ayer", keep="files")
    assert (page.status, page.action, page.errors) == (200, f"/r/{token}/details/evidence", {})
    assert page.fields["last_worked_at"] == "ayer"
    assert names(provider, token) == ["b.png"]


def test_a_request_that_is_far_too_large_is_answered_in_plain_words(
    provider: Provider, token: str, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(customer, token, hypothesis="el proxy")
    customer.open(f"/r/{token}/details/evidence")
    monkeypatch.setattr(bounds, "FILES_BODY_BYTES", MIB)
    page = customer.submit(files=[("vídeo.pdf", pdf(MIB))])
    assert page.status == 413
    assert "Esos archivos son demasiado grandes" in page.text
    assert "Los archivos pueden ocupar 1 MB en total." in " ".join(page.text.split())
    assert page.links[f"/r/{token}/details/evidence"] == "Volver a la página"
    assert page.links[f"/r/{token}/details/evidence?lang=en"] == "English"
    assert kept(provider, token) == []
    page = customer.open(f"/r/{token}/details/evidence")
    assert page.fields["hypothesis"] == "el proxy"


def test_only_files_may_be_as_large_as_that(token: str, customer: Customer) -> None:
    customer.open(f"/r/{token}/details/evidence")
    page = customer.submit(hypothesis="x" * 3 * MIB)
    assert page.status == 413
    assert "Es demasiado texto para una página" in page.text


@pytest.mark.settings(MAX_ATTACHMENT_BYTES=10_000)
def test_uploads_at_the_same_moment_keep_to_the_limit(on_both_engines: Provider) -> None:
    provider = on_both_engines
    token = provider.report()
    receipt = provider.receipt(token)

    def keep(number: int) -> int:
        with provider.app.test_request_context():
            files = [upload(f"{number}.pdf", pdf(3_000))]
            owner = attachments.Owner(receipt.report_id, reference=receipt.report.reference)
            return len(keeping.keep(owner, files))

    with ThreadPoolExecutor(6) as pool:
        refused = sum(pool.map(keep, range(12)))
    files = kept(provider, token)
    assert (len(files), refused) == (3, 9)
    assert sorted(file.filename.split("-")[2] for file in files) == ["1", "2", "3"]


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
