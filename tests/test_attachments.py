"""Files of a customer: which are taken, by whom they are seen, and how they are removed."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from chosen_files import LOG, PNG, add, files_in, kept, names, remove
from customers import Customer, Page
from details_of import send
from PIL import Image
from provider import Provider, a_picture, text_of, to_support, upload
from test_filetypes import a_photo, positions

from reporter.attachments import conversion, keeping, reading
from reporter.attachments import store as attachments
from reporter.attachments.turns import CONVERTED_PIXELS, Busy, Spending, Turn
from reporter.models import Attachment
from reporter.web import bounds


def test_several_files_are_kept_at_once(provider: Provider, token: str, customer: Customer) -> None:
    page = add(customer, token, ("captura.png", PNG), ("nginx.log", LOG))
    assert customer.page.status == 200
    assert names(provider, token) == ["captura.png", "nginx.log"]
    page = customer.open(f"/r/{token}/details/evidence")
    assert "captura.png (1\xa0kB)" in page.text
    assert "nginx.log (1\xa0kB)" in page.text
    page = add(customer, token, ("otra.gif", a_picture("GIF")))
    assert names(provider, token) == ["captura.png", "nginx.log", "otra.gif"]
    page = customer.open(f"/r/{token}")
    assert page.text.count("(aún sin enviar)") == 3


def test_files_stay_when_another_answer_is_wrong(
    provider: Provider, token: str, customer: Customer
) -> None:
    page = add(customer, token, ("captura.png", PNG), last_worked_at="ayer", hypothesis="el proxy")
    assert (page.status, set(page.errors)) == (422, {"last_worked_at"})
    assert "captura.png" in page.text
    assert page.fields["hypothesis"] == "el proxy"
    assert names(provider, token) == ["captura.png"]


def test_the_text_stays_when_the_page_is_stale_and_the_files_are_asked_for_again(
    provider: Provider, token: str, customer: Customer
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
    provider: Provider, token: str, customer: Customer
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
    english = Customer(provider.app, "en")
    page = add(english, token, ("a.exe", b"MZ\x00\x01"))
    assert page.errors["files"] == (
        "a.exe is a kind of file that we do not accept (EXE): put it in a ZIP file"
    )
    assert page.listed == {"files": page.errors["files"]}


def test_the_content_decides_and_not_the_name(
    provider: Provider, token: str, customer: Customer
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
        "foto.png (1\xa0kB, guardado como texto)",
        "carta.txt (1\xa0kB, guardado como PNG)",
        "informe.exe (1\xa0kB, guardado como PDF)",
        "pagina.html (1\xa0kB)",
    ):
        assert said in page.text
    send(customer, token)
    mail = to_support(provider.work())[-1]
    types = {part.get_filename()[11:]: part.get_content_type() for part in mail.iter_attachments()}
    assert types["3-pagina.txt"] == "application/octet-stream"
    assert types["2-carta.png"] == "image/png"
    assert not any(kind.startswith("text/") for kind in types.values())


def test_a_picture_that_cannot_be_taken_is_told_what_to_do(
    token: str, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = add(customer, token, ("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40))
    assert page.errors["files"] == ("IMG_1.HEIC está dañado: guárdelo de nuevo o envíe una captura")
    monkeypatch.setattr("reporter.attachments.pictures.MAXIMUM_PIXELS", 1000)
    page = add(customer, token, ("IMG_2.JPG", a_photo()))
    wanted = "IMG_2.JPG tiene demasiados píxeles: envíe una versión más pequeña"
    assert page.errors["files"] == wanted


def test_a_page_that_is_called_a_picture_is_refused(token: str, customer: Customer) -> None:
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
        assert keeping.keep(owner, [upload(name, PNG)]) == []
    (file,) = kept(provider, token)
    assert file.name == shown
    assert file.filename == f"{reference}-1-{sent}.png"
    assert file.filename.isascii()
    customer = provider.customer(token)
    assert "<b>x</b>" not in customer.page.html
    assert customer.page.html.count(f"/files/{file.id}") == 1
    answer = customer.ask("GET", f"/r/{token}/files/{file.id}")
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f"attachment; filename={file.filename}"
    send(customer, token)
    mail = to_support(provider.work())[-1]
    assert list(files_in(mail)) == [file.filename]
    assert mail["Bcc"] is None
    assert f"\n{file.filename} ({shown})\n" in text_of(mail)


def test_a_nasty_name_comes_through_a_form_too(
    provider: Provider, token: str, customer: Customer
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


def test_a_file_is_removed_on_its_page(provider: Provider, token: str, customer: Customer) -> None:
    add(customer, token, ("captura.png", PNG), ("nginx.log", LOG))
    page = customer.open(f"/r/{token}/details/evidence")
    page = customer.submit(remove=remove(page, "captura.png"), hypothesis="a medias")
    assert "captura.png" not in page.text
    assert "nginx.log" in page.text
    assert page.fields["hypothesis"] == "a medias"
    assert names(provider, token) == ["nginx.log"]


def test_a_file_is_removed_on_the_review(
    provider: Provider, token: str, customer: Customer
) -> None:
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
    provider: Provider, token: str, customer: Customer, page: str
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
    provider: Provider, token: str, customer: Customer
) -> None:
    add(customer, token, ("captura.png", PNG))
    send(customer, token)
    page = customer.open(f"/r/{token}/details/evidence")
    assert "captura.png" in page.text
    assert "enviado" in page.text
    assert 'name="remove"' not in page.html
    (file,) = kept(provider, token)
    customer.forge(remove=str(file.id))
    assert names(provider, token) == ["captura.png"]
    assert "(aún sin enviar)" not in customer.open(f"/r/{token}").text


def test_nobody_reads_a_file_by_another_receipt(
    provider: Provider, token: str, customer: Customer
) -> None:
    add(customer, token, ("captura.png", PNG))
    (file,) = kept(provider, token)
    other = provider.report("another")
    for kind in ("files", "pictures"):
        assert customer.peek(f"/r/{token}/{kind}/{file.id}").status == 200
        assert customer.peek(f"/r/{other}/{kind}/{file.id}").status == 404
    assert customer.peek(f"/report/pictures/{file.id}").status == 404


def test_nobody_removes_a_file_of_another_receipt(
    provider: Provider, token: str, customer: Customer
) -> None:
    add(customer, token, ("captura.png", PNG))
    (file,) = kept(provider, token)
    other = provider.report("another")
    stranger = provider.customer(other)
    for page in ("evidence", "review"):
        stranger.open(f"/r/{other}/details/{page}")
        stranger.forge(remove=str(file.id))
    assert names(provider, token) == ["captura.png"]


@pytest.mark.parametrize("identity", ["0", "-1", "x", "", "2147483648", "9" * 30])
def test_a_file_that_never_was_is_not_there(token: str, customer: Customer, identity: str) -> None:
    assert customer.open(f"/r/{token}/files/{identity}").status == 404
    for page in ("evidence", "review"):
        customer.open(f"/r/{token}/details/{page}")
        assert customer.forge(remove=identity).status == 200
    customer.open("/report/failure")
    assert customer.forge(remove=identity).status == 200


def test_a_file_comes_back_as_a_download_and_to_its_own_receipt_only(
    provider: Provider, token: str, customer: Customer
) -> None:
    page_of_theirs = b"<script>alert(document.cookie)</script>"
    add(customer, token, ("captura.png", PNG), ("pagina.html", page_of_theirs))
    other = provider.report("another")
    for file, content in zip(kept(provider, token), (PNG, page_of_theirs), strict=True):
        answer = customer.ask("GET", f"/r/{token}/files/{file.id}")
        assert answer.response.body == content
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
    provider: Provider, token: str, customer: Customer
) -> None:
    photo = a_photo()
    assert positions(photo)
    add(customer, token, ("IMG_2040.JPG", photo))
    (file,) = kept(provider, token)
    answer = customer.ask("GET", f"/r/{token}/files/{file.id}")
    send(customer, token)
    (sent,) = files_in(to_support(provider.work())[-1]).values()
    for content in (answer.response.body, sent):
        assert positions(content) == []
        assert Image.open(io.BytesIO(content)).getexif()[0x0112] == 6
    assert file.size == len(sent)
    assert file.sha256 == hashlib.sha256(sent).hexdigest()


def test_the_same_file_twice_is_kept_once(
    provider: Provider, token: str, customer: Customer
) -> None:
    page = add(customer, token, ("captura.png", PNG), ("captura (1).png", PNG))
    assert page.status == 200
    add(customer, token, ("captura.png", PNG))
    assert names(provider, token) == ["captura.png"]
    other = provider.report("another")
    add(Customer(provider.app), other, ("captura.png", PNG))
    assert names(provider, other) == ["captura.png"]


def test_two_pictures_that_are_equal_only_as_they_are_kept_are_both_kept(
    provider: Provider, token: str, customer: Customer
) -> None:
    """Each was sent, and nobody is told that one of them is not there."""
    picture, there = Image.open(io.BytesIO(a_picture("BMP"))), io.BytesIO()
    picture.save(there, "BMP", dpi=(300, 300))
    page = add(customer, token, ("a.bmp", a_picture("BMP")), ("b.bmp", there.getvalue()))
    assert page.errors == {}
    first, second = kept(provider, token)
    assert (first.name, second.name) == ("a.bmp", "b.bmp")
    assert first.sha256 == second.sha256


def test_a_photo_of_a_phone_becomes_one_that_every_program_shows(
    provider: Provider, token: str, customer: Customer
) -> None:
    heic = (Path(__file__).parent / "pictures/photo.heic").read_bytes()
    add(customer, token, ("IMG_2040.HEIC", heic))
    page = customer.open(f"/r/{token}/details/evidence")
    (file,) = kept(provider, token)
    assert (file.filename[11:], file.mime_type) == ("1-img-2040.jpg", "image/jpeg")
    assert "IMG_2040.HEIC (1\xa0kB, guardado como JPG)" in page.text
    add(customer, token, ("otra.heic", heic))
    assert len(kept(provider, token)) == 1


@pytest.mark.settings(MAX_ATTACHMENT_BYTES=60_000)
def test_a_photo_that_would_grow_over_what_is_left_is_made_smaller_and_not_refused(
    provider: Provider, token: str, customer: Customer
) -> None:
    photo = io.BytesIO()
    Image.effect_noise((640, 480), 60).save(photo, "AVIF", quality=20, speed=10)
    page = add(customer, token, ("IMG_1.AVIF", photo.getvalue()))
    assert page.errors == {}
    (file,) = kept(provider, token)
    assert (file.mime_type, 0 < file.size <= 60_000) == ("image/jpeg", True)


def test_one_picture_is_decoded_at_a_time_and_none_that_is_there_already(
    provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = provider.receipt(token)
    owner = attachments.Owner(receipt.report_id, reference=receipt.report.reference)
    now, most, decoded = 0, 0, 0
    made = conversion.Decoder.convert

    def watched(*of: Any) -> Any:
        nonlocal now, most, decoded
        now, decoded = now + 1, decoded + 1
        most = max(most, now)
        found = made(*of)
        now -= 1
        return found

    monkeypatch.setattr(conversion.Decoder, "convert", watched)
    bitmaps = [a_picture("BMP", color) for color in ("red", "green", "blue", "white")]

    def keep(content: bytes) -> list[str]:
        with provider.app.test_request_context():
            return keeping.keep(owner, [upload("a.bmp", content)])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(keep, bitmaps)) == [[]] * 4
    assert (most, decoded) == (1, 4)
    assert keep(bitmaps[0]) == []
    assert decoded == 4


def test_whoever_sends_a_large_file_waits_and_is_never_told_to_come_back(
    provider: Provider, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of one client stand in line; of each other client one is before them."""
    monkeypatch.setattr("reporter.attachments.reading.LARGE", 0)
    provider.app.config["RATELIMIT_ENABLED"] = True
    places = bounds.CLIENT_ARRIVING_BYTES // (8 * 2**20)  # as many as can arrive of one client
    answers: list[Page] = []

    def send(number: int, address: str) -> None:
        someone = Customer(provider.app, REMOTE_ADDR=address)
        page = add(someone, token, (f"{number}.log", f"Un registro, {number}\n".encode()))
        answers.append(page)

    with reading.large.taken("198.51.100.1"):
        threads = [
            Thread(target=send, args=(number, "198.51.100.2")) for number in range(places)
        ] + [Thread(target=send, args=(places, "198.51.100.3"))]
        for thread in threads:
            before = reading.large._here.total()
            thread.start()
            while reading.large._here.total() == before:
                thread.join(0.001)
                assert thread.is_alive()
        assert answers == []
    for thread in threads:
        thread.join()
    assert {page.status for page in answers} == {200}
    assert len(kept(provider, token)) == places + 1
    assert names(provider, token).index(f"{places}.log") == 1
    assert not reading.large._here


def test_one_client_has_its_part_of_the_line_and_of_the_time_for_pictures() -> None:
    turn = Turn()

    def ask(client: str) -> bool:
        """Whether it may stand in line, where it then is for as long as the test takes."""
        try:
            turn._stand(client)
        except Busy:
            return False
        return True

    stand = {client: sum(ask(client) for _ in range(40)) for client in ("a", "b", "c", "d")}
    assert stand == {"a": 22, "b": 7, "c": 2, "d": 1}
    assert ask("e")
    for client in ("a", "b", "c", "d", "e"):
        for _ in range(stand.get(client, 1)):
            turn._leave(client)
    assert not turn._here
    assert not turn._lines

    seconds = 0.0
    most = CONVERTED_PIXELS
    had = Spending(most, within_seconds=600, clock=lambda: seconds)
    had.spend("a", most - 40)
    with pytest.raises(Busy):
        had.spend("a", 41)
    had.spend("a", 40)
    had.spend("b", most)
    had.spend("", most + 1)  # clients are not limited
    had.spend("c", 1)
    had.add("c", most)  # what turned out to be more than was asked for
    had.add("c", -1)
    with pytest.raises(Busy):
        had.spend("c", 1)
    seconds = 600.0
    had.spend("a", most)


def test_whoever_comes_waits_for_one_picture_of_each_other_client_however_many_they_have() -> None:
    turn, served = Turn(), []

    def convert(client: str) -> None:
        with turn.taken(client):
            served.append(client)

    threads = []
    with turn.taken("stranger"):
        for client in (*["stranger"] * 9, "ana", "stranger", "luis", "ana"):
            before = turn._here.total()
            threads.append(Thread(target=convert, args=(client,)))
            threads[-1].start()
            while turn._here.total() == before:
                threads[-1].join(0.001)
                assert threads[-1].is_alive()
        assert served == []
    for thread in threads:
        thread.join()
    assert served[:5] == ["stranger", "ana", "luis", "stranger", "ana"]
    assert served[5:] == ["stranger"] * 8


@pytest.mark.parametrize("why", ["the line is full", "the client has had its part"])
def test_a_picture_that_there_is_no_time_for_is_kept_as_it_came_and_the_page_says_so(
    why: str, customer: Customer, token: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    heic = (Path(__file__).parent / "pictures/photo.heic").read_bytes()
    provider.app.config["RATELIMIT_ENABLED"] = True
    turn = Turn(waiting=0)
    monkeypatch.setattr("reporter.attachments.conversion.decoding", turn)
    if "full" in why:
        with turn.taken():
            page = add(customer, token, ("IMG_1.HEIC", heic), hypothesis="el proxy")
    else:
        monkeypatch.setattr("reporter.attachments.conversion.converted", Spending(1, 600))
        page = add(customer, token, ("IMG_1.HEIC", heic), hypothesis="el proxy")
    assert (page.status, page.errors) == (200, {})
    said = customer.open(f"/r/{token}/details/evidence").text
    assert "IMG_1.HEIC (1\xa0kB, guardado tal cual, solo para el panel de soporte)" in said
    assert "IMG_1.HEIC puede decir dónde se grabó o se tomó." in (
        customer.open(f"/r/{token}/details/review").text
    )
    (file,) = kept(provider, token)
    assert (file.for_desk, file.mime_type) == (True, "application/octet-stream")
    assert file.sha256 == hashlib.sha256(heic).hexdigest()


def test_a_secret_in_a_text_file_and_a_place_in_a_video_are_pointed_out_and_not_refused(
    provider: Provider, token: str, customer: Customer
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
    assert "a.mp4 puede decir dónde se grabó o se tomó." in said
    assert "nginx.log" not in said
