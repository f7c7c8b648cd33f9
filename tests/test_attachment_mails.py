"""Which mail carries which file, and which stay for the desk."""

from __future__ import annotations

import gzip

from chosen_files import LOG, PNG, add, files_in, kept, remove
from customers import Customer
from details_of import send
from provider import Provider, block_of, text_of, to_support, twin_of
from test_filetypes import a_zip

from reporter.attachments import store as attachments


def test_a_follow_up_carries_the_files_that_are_new(
    provider: Provider, token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer
) -> None:
    add(customer, token, ("captura.png", PNG))
    customer.open(f"/r/{token}")
    page = customer.submit("update", kind="info", text="Va cada vez peor")
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
    provider: Provider, token: str, customer: Customer
) -> None:
    """A second one that comes while the mail waits is composed into it."""
    provider.work()
    customer.submit("update", kind="info", text="uno")
    add(customer, token, ("captura.png", PNG))
    customer.open(f"/r/{token}")
    customer.submit("update", kind="info", text="dos")
    add(customer, token, ("nginx.log", LOG))
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "info, info, details"
    assert list(files_in(mail).values()) == [PNG, LOG]


HAR = b'{"log": {"entries": [' + b'{"request": {"method": "GET"}},' * 300_000 + b"]}}"


def test_a_har_that_no_mail_holds_is_kept_packed_for_the_desk(
    provider: Provider, token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer
) -> None:
    add(customer, token, ("todo.zip", a_zip()), ("captura.png", PNG))
    send(customer, token)
    (mail,) = [mail for mail in provider.work() if mail["In-Reply-To"]]
    assert list(files_in(mail).values()) == [PNG]
    assert "-1-todo.zip (todo.zip, solo en el panel)\n" in text_of(mail)
    assert [each["name"][11:] for each in twin_of(mail)["attachment"]] == ["2-captura.png"]
    assert all(file.is_sent for file in kept(provider, token))
    assert "No hay nada nuevo que enviar" in send(customer, token).text
