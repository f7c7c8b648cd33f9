"""Each bound of bounds.py, one by one: what is at it is taken, and what is over it is answered as
docs/security.md says, in an answer that does not grow with what came."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
import time_machine
from customers import Customer, Page
from factories import SENT_AT, an_app, values
from flask import Flask
from PIL import Image
from webtest import TestResponse

from reporter import models
from reporter.models import Author, Quota, UpdateKind
from reporter.serving import server
from reporter.web import bounds, mailboxes, piecewise, quotas, uploads
from reporter.web.crowding import Crowding

FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=x"
PAGE_BYTES = 60_000  # an error page, or a form with what was typed in it, and not what came

Case = Callable[[Flask], None]
CASES: dict[str, Case] = {}
# Tried at and over it where the server, or a whole outbox, is there already.
ELSEWHERE = {
    "HEADER_BYTES": ("functional/test_slow_clients.py", "test_headers_have_a_bound"),
    "HOOK_BYTES": ("test_hook.py", "test_a_body_has_a_bound"),
    "PICTURE_PIXELS": (
        "test_filetypes.py",
        "test_a_picture_that_would_fill_the_memory_is_refused_unopened",
    ),
    "DECODED_PIXELS": (
        "test_filetypes.py",
        "test_a_rare_picture_with_too_many_pixels_is_refused_before_it_is_decoded",
    ),
    "CONVERTED_PIXELS": (
        "test_attachments.py",
        "test_one_client_has_its_part_of_the_line_and_of_the_time_for_pictures",
    ),
    "MAIL_BYTES": ("test_inbound.py", "test_a_mail_has_a_bound_and_so_has_a_line_of_it"),
    "MAIL_LINE_BYTES": ("test_inbound.py", "test_a_mail_has_a_bound_and_so_has_a_line_of_it"),
    "MAIL_READ_BYTES": ("test_inbound_parse.py", "test_of_a_long_mail_the_beginning_is_read"),
    "MAIL_PARTS": (
        "test_inbound_parse.py",
        "test_of_a_mail_with_too_many_parts_the_headers_are_read_alone",
    ),
    "TO_ALL": ("test_acknowledgements.py", "test_all_together_are_sent_six_hundred_an_hour"),
}


def names() -> list[str]:
    """Those of the table."""
    kept = [(name, value) for name, value in vars(bounds).items() if name.isupper()]
    return [n for n, v in kept if isinstance(v, int | str) and not n.endswith("_WITHIN")]


def of(name: str) -> Callable[[Case], Case]:
    def register(case: Case) -> Case:
        CASES[name] = case
        return case

    return register


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        yield app


@pytest.mark.parametrize("name", names())
def test_a_bound_takes_what_is_at_it_and_answers_what_is_over_it(app: Flask, name: str) -> None:
    if name in ELSEWHERE:
        file, test = ELSEWHERE[name]
        assert f"def {test}(" in (Path(__file__).parent / file).read_text("utf-8")
    else:
        CASES[name](app)  # a bound without a case has to be given one
    assert uploads.arriving.held == 0


def refused(page: Page, status: int, words: str, beside: str = "") -> None:
    assert page.status == status, page.text[:300]
    assert words in (page.errors[beside] if beside else page.text)
    assert len(page.html.encode()) < PAGE_BYTES


def posted(app: Flask, path: str, content: bytes, content_type: str = FORM) -> Page:
    headers = {"Content-Type": content_type}
    return Customer(app, "en").ask("POST", path, content, headers=headers)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """A client has another name each day, by which what it had is counted."""
    with time_machine.travel(SENT_AT.replace(hour=12)):
        yield


def at_a_step(app: Flask, slug: str = "failure") -> Customer:
    customer = Customer(app, "en")
    customer.open(f"/report/{slug}")
    return customer


def spend(app: Flask, quota: Quota, of_account: str = "") -> None:
    """Leave one of what the client, or an account, may have."""
    most, within = quotas.ALLOWED[quota]
    now = datetime.now(UTC)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        name = quotas._names(of_account, now, within)[0]
    minute = now.replace(second=0, microsecond=0)
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.delete(models.Tally))
        session.add(models.Tally(quota=quota, client=name, minute=minute, count=most - 1))


def count(app: Flask, model: type[models.Base]) -> int:
    with app.extensions["sqlalchemy"].read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


# One request


@of("BODY_BYTES")
def body_bytes(app: Flask) -> None:
    text = b"a" * (bounds.BODY_BYTES - 5)
    assert posted(app, "/report/changes", b"text=" + text).status == 422
    for more in (b"a", b"a" * 1_000_000):
        refused(posted(app, "/report/changes", b"text=" + text + more), 413, "too much text")


@of("FILES_BODY_BYTES")
def files_body_bytes(app: Flask) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="screenshots"; filename="a.zip"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    content = head + b"x" * (bounds.FILES_BODY_BYTES - len(head) - len(tail)) + tail
    assert posted(app, "/report/failure", content, FILES).status == 422
    refused(posted(app, "/report/failure", content + b"\n", FILES), 413, "files are too large")
    assert count(app, models.Attachment) == 0


@of("FIELDS")
def fields(app: Flask) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    for path in ("/report/failure", "/report/whole", "/desk/sign-in", "/hooks/x", "/r/x/updates"):
        assert posted(app, path, b"&".join([b"a=1"] * bounds.FIELDS)).status != 413
        for many in (bounds.FIELDS + 1, 500_000):
            page = posted(app, path, b"&".join([b"a=1"] * many))
            assert page.status in {413, 404, 405}
            assert len(page.html) < PAGE_BYTES
    at, over = (part * each + b"--x--\r\n" for each in (bounds.FIELDS, bounds.FIELDS + 1))
    assert posted(app, "/report/failure", at, FILES).status == 422
    refused(posted(app, "/report/failure", over, FILES), 413, "too much text")
    visitor = Customer(app, "en")
    assert visitor.peek("/?" + "&".join(["a=1"] * bounds.FIELDS)).status == 200
    refused(visitor.peek("/?" + "&".join(["a=1"] * (bounds.FIELDS + 1))), 413, "too much text")


@of("PART_HEADER_BYTES")
def part_header_bytes(app: Flask) -> None:
    before = b'Content-Disposition: form-data; name="screenshots"; filename="'
    for size, status in ((0, 422), (1, 413), (900_000, 413)):
        quotes = b'\\"' * ((bounds.PART_HEADER_BYTES + size - len(before) - 1) // 2)
        padding = b"a" * (bounds.PART_HEADER_BYTES + size - len(before) - 1 - len(quotes))
        header = before + padding + quotes + b'"'
        assert len(header) == bounds.PART_HEADER_BYTES + size
        content = b"--x\r\n" + header + b"\r\n\r\nUn registro\r\n--x--\r\n"
        page = posted(app, "/report/failure", content, FILES)
        assert (page.status, len(page.html) < PAGE_BYTES) == (status, True)


@of("FORM_HEADER_BYTES")
def form_header_bytes(app: Flask) -> None:
    most = bounds.FORM_HEADER_BYTES // 16
    assert most < bounds.PART_HEADER_BYTES
    before, after = b'Content-Disposition: form-data; name="', b'"'
    for more, status in ((0, 422), (1, 413)):
        names = [b"a" * (most - len(before + after))] * 15
        names.append(names[0] + b"a" * more)
        parts = [b"--x\r\n" + before + each + after + b"\r\n\r\n1\r\n" for each in names]
        page = posted(app, "/report/failure", b"".join(parts) + b"--x--\r\n", FILES)
        assert (page.status, len(page.html) < PAGE_BYTES) == (status, True)


@of("GIVEN_BACK_BYTES")
def given_back_bytes(app: Flask) -> None:
    """On the page of a step, and on an error page, of what costs most in HTML."""
    customer = at_a_step(app)
    short = values("failure") | {"summary": "La tienda no carga"}
    rest = sum(len(value.encode()) for value in (short | {"draft_key": "1-2-3-4-5"}).values())
    sent = short | {"draft_key": "1-2-3-4-5", "csrf_token": "", "error_message": ""}
    rest = sum(len(value.encode()) for value in sent.values()) - len(short["error_message"])
    fits = '"' * (bounds.GIVEN_BACK_BYTES - rest - 400)
    for path, whole in (
        ("/report/failure", "Only its beginning"),
        ("/report/whole", "did not fit"),
    ):
        page = customer.ask("POST", path, sent | {"error_message": fits})
        assert (page.fields["error_message"], page.fields["summary"]) == (fits, short["summary"])
        assert whole not in page.text
        sizes = []
        for more in ("", fits[:100_000]):
            page = customer.ask("POST", path, sent | {"error_message": fits * 2 + more})
            assert whole in page.text
            assert page.fields["summary"] == short["summary"]
            assert len(page.fields.get("error_message", "")) <= bounds.GIVEN_BACK_BYTES
            sizes.append(len(page.html.encode()))
        assert max(sizes) < 5 * bounds.GIVEN_BACK_BYTES + PAGE_BYTES
        assert sizes[1] < sizes[0] + 1_000
    # A field that nobody sees, and what is asked with another answer only. Whoever keeps no cookies
    # is shown it twice, to copy it.
    for name in ("topic", "change_description"):
        page = posted(app, "/report/changes", f"changed=no&{name}=".encode() + b'"' * 2_000_000)
        assert len(page.html.encode()) < 10 * bounds.GIVEN_BACK_BYTES + PAGE_BYTES


# One draft, one receipt


@of("KEPT_TIMES")
def kept_times(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.fill("failure")
    customer.fill("timing")
    with app.test_request_context():
        from reporter.web.question import questions
        from reporter.wizard.steps import REPORT_STEPS

        (form,) = [step.form for step in REPORT_STEPS if step.slug == "changes"]
        most = sum(each.max_length for each in questions(form(meta={"csrf": False})))
    fits = "x" * (bounds.KEPT_TIMES * most - len("yes"))
    told = "This page was not saved"
    page = customer.submit(changed="yes", change_description=fits)
    assert told not in page.errors["change_description"]
    page = customer.submit(changed="yes", change_description=fits + "x")
    refused(page, 422, told, beside="change_description")
    with app.extensions["sqlalchemy"].read() as session:
        (steps,) = session.scalars(sa.select(models.Draft.steps))
    assert steps["changes"]["answers"]["change_description"] == [fits]


@of("UPDATES_SHOWN")
def updates_shown(app: Flask) -> None:
    customer = Customer(app, "en")
    receipt = customer.report().path

    def add(many: int) -> Page:
        with app.extensions["sqlalchemy"].write() as session:
            report_id = session.scalars(sa.select(models.Report.id)).one()
            row = {"report_id": report_id, "author": Author.CUSTOMER, "kind": UpdateKind.INFO}
            row |= {"created_at": datetime.now(UTC), "content": {"text": "Sigue así."}}
            session.execute(sa.insert(models.Update), [row] * many)
        return customer.open(receipt)

    page = add(bounds.UPDATES_SHOWN)
    assert (page.text.count("Sigue así."), "said before" in page.text) == (50, False)
    size = len(page.html)
    for more in (1, 2_050):
        page = add(more)
        assert (page.text.count("Sigue así."), "said before" in page.text) == (50, True)
        assert len(page.html) < size + 1_000
    long = "Sigue así." + '"' * (5_000 - len("Sigue así."))  # what costs most in HTML
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.update(models.Update).values(content={"text": long}))
    for path in (receipt, f"{receipt}?earlier=1"):
        page = customer.open(path)
        assert page.text.count("Sigue así.") == 50
        assert len(page.html) < 50 * 5 * len(long) + PAGE_BYTES


# One process


@of("ARRIVING_BYTES")
def arriving_bytes(app: Flask) -> None:
    file = b"Un registro, de una vez.\n" * 100
    for taken, over in ((bounds.ARRIVING_BYTES - len(file), False), (bounds.ARRIVING_BYTES, True)):
        uploads.arriving.held = taken
        try:
            customer = at_a_step(app)
            page = customer.submit(files=[("a.txt", file)], **values("failure", summary="Se ve"))
            assert uploads.arriving.held == taken
        finally:
            uploads.arriving.held = 0
        if over:
            refused(page, 422, "no space for files right now", beside="screenshots")
            assert page.fields["summary"] == "Se ve"
        else:
            assert (page.status, count(app, models.Attachment)) == (200, 1)
    # A form that is refused half-way gives back what it took at once, whoever knows it still.
    named = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    parts = (named + b"Un registro\r\n") * (bounds.FIELDS + 1) + b"--x--\r\n"
    arrived: list[uploads.Upload] = []

    def noted(make: type[uploads.Upload] = uploads.Upload) -> uploads.Upload:
        arrived.append(make())
        return arrived[-1]

    with patch.object(uploads, "Upload", noted):
        assert posted(app, "/report/failure", parts, FILES).status == 413
    assert (len(arrived), uploads.arriving.held) == (bounds.FIELDS, 0)


@of("CLIENT_ARRIVING_BYTES")
def client_arriving_bytes(app: Flask) -> None:
    file = b"Un registro, de una vez.\n" * 100

    def submit(taken: int, address: str = "2001:db8::2") -> Page:
        uploads.arriving.held_of["2001:db8::/64"] = taken  # by a neighbour
        try:
            customer = Customer(app, "en", REMOTE_ADDR=address)
            customer.open("/report/failure")
            page = customer.submit(files=[("a.txt", file)], **values("failure", summary="Se ve"))
            assert dict(uploads.arriving.held_of) == {"2001:db8::/64": taken}
        finally:
            uploads.arriving.held_of.clear()
        return page

    most = bounds.CLIENT_ARRIVING_BYTES
    assert 4 * most <= bounds.ARRIVING_BYTES  # others are served by the rest
    assert (submit(most - len(file)).status, count(app, models.Attachment)) == (200, 1)
    page = submit(most)
    refused(page, 422, "no space for files right now", beside="screenshots")
    assert page.fields["summary"] == "Se ve"
    assert submit(most, "2001:db8:0:1::1").status == 200
    app.config["RATELIMIT_ENABLED"] = False
    assert submit(most).status == 200


@of("UNREAD_BYTES")
def unread_bytes(app: Flask) -> None:
    answer = served_picture(app)
    size = len(answer().body)
    assert size > piecewise.PIECE
    for held, status in ((bounds.UNREAD_BYTES - size, 200), (bounds.UNREAD_BYTES - size + 1, 429)):
        piecewise.unread.held = held
        try:
            assert answer().status_int == status
            assert piecewise.unread.held == held
        finally:
            piecewise.unread.held = 0


@of("CLIENT_UNREAD_BYTES")
def client_unread_bytes(app: Flask) -> None:
    answer = served_picture(app)
    most, neighbours = bounds.CLIENT_UNREAD_BYTES - len(answer().body), "2001:db8::/64"
    assert 2 * most <= bounds.UNREAD_BYTES  # others are served by the rest
    for held, status in ((most, 200), (most + 1, 429)):
        piecewise.unread.held_of[neighbours] = held
        try:
            assert answer().status_int == status
            assert piecewise.unread.held_of == {neighbours: held}
        finally:
            piecewise.unread.held_of.clear()


def served_picture(app: Flask) -> Callable[[], TestResponse]:
    """What asks for one that a browser has in its draft."""
    customer = Customer(app, "en", REMOTE_ADDR="2001:db8::2")
    customer.open("/report/failure")
    picture = Image.effect_noise((300, 300), 100)
    content = io.BytesIO()
    picture.save(content, "PNG")
    customer.submit(files=[("a.png", content.getvalue())], **values("failure"))
    page = customer.open("/report/failure")
    address = page.html.partition('class="thumbnail" src="')[2].partition('"')[0]
    return lambda: customer.ask("GET", address.replace("&amp;", "&")).response


def crowding(told: list[str]) -> Crowding:
    return Crowding(lambda _environ, _start: told.append("in") or [], str)  # type: ignore[func-returns-value]


@of("UNDER_WAY")
def under_way(app: Flask) -> None:
    told: list[str] = []
    doors = crowding(told)

    def ask(address: str) -> list[bytes]:
        environ = {"REMOTE_ADDR": address, "wsgi.input": None}  # which nobody reads
        return list(doors(environ, lambda status, _headers: told.append(status)))  # type: ignore[arg-type]

    most = bounds.UNDER_WAY * 2 // 3
    assert most >= 200  # customers of one company, at once
    doors.of_all = doors.under_way["192.0.2.7"] = most - 1
    assert ask("192.0.2.7") == []
    doors.of_all = doors.under_way["192.0.2.7"] = most
    assert b"Wait a moment" in ask("192.0.2.7")[0]
    of_the_rest = (bounds.UNDER_WAY - most) * 2 // 3
    doors.under_way["2001:db8::/64"] = of_the_rest
    doors.of_all += of_the_rest
    assert b"Wait a moment" in ask("2001:db8::1:2")[0]
    assert ask("192.0.2.8") == []
    assert told == ["in", "429 Too Many Requests", "429 Too Many Requests", "in"]
    assert doors.under_way == {"192.0.2.7": most, "2001:db8::/64": of_the_rest}
    assert doors.of_all == most + of_the_rest


@of("UNDER_WAY_AT_LEAST")
def under_way_at_least(app: Flask) -> None:
    """Twenty clients take what they can, in whatever order; a twenty-first has its own."""
    for order in (range(20), range(19, -1, -1)):
        doors = crowding([])
        for client in [*order] * bounds.UNDER_WAY:
            if doors.under_way[str(client)] < doors.share(str(client)):
                doors.under_way[str(client)] += 1
                doors.of_all += 1
        assert doors.of_all == sum(doors.under_way.values()) < server.THREADS * 0.95
        assert min(doors.under_way.values()) >= bounds.UNDER_WAY_AT_LEAST
        assert doors.share("21") == bounds.UNDER_WAY_AT_LEAST
    doors = crowding([])
    for client in range(20):  # and one after the other
        doors.under_way[str(client)] = doors.share(str(client))
        doors.of_all += doors.under_way[str(client)]
    assert doors.of_all < server.THREADS * 0.95


# One client


@of("REQUESTS")
def requests(app: Flask) -> None:
    """Counted before the token is looked at, and by every address of one IPv6 /64."""
    most = int(bounds.REQUESTS.split()[0])
    client = app.test_client()

    def post(address: str) -> int:
        there = {"REMOTE_ADDR": address}
        return client.post("/desk/sign-out", data={"a": "1"}, environ_overrides=there).status_code

    assert {post(f"2001:db8::{number:x}") for number in range(most)} == {400}
    neighbour = Customer(app, "en", REMOTE_ADDR="2001:db8::ffff")
    refused(neighbour.ask("POST", "/desk/sign-out", {"a": "1"}), 429, "Please wait a moment")
    assert post("2001:db8:0:1::1") == 400


@of("DRAFTS")
def drafts(app: Flask) -> None:
    spend(app, Quota.DRAFTS)
    assert at_a_step(app).submit(**values("failure")).status == 200
    page = at_a_step(app).submit(**values("failure"))
    refused(page, 429, "Please wait a moment")
    assert page.fields["summary"] == values("failure")["summary"]
    assert count(app, models.Draft) == 1


@of("REPORTS")
def reports(app: Flask) -> None:
    customers = [Customer(app, "en") for _ in range(2)]
    for each in customers:
        each.fill_all()
    spend(app, Quota.REPORTS)
    assert customers[0].submit().path.startswith("/r/")
    refused(customers[1].submit(), 429, "Please wait a moment")
    assert (count(app, models.Report), count(app, models.Draft)) == (1, 1)


@of("UPDATES")
def updates(app: Flask) -> None:
    customer = Customer(app, "en")
    receipt = customer.report().path
    spend(app, Quota.UPDATES)
    assert "Va a peor" in customer.submit("update", kind="worse", text="Va a peor").text
    page = customer.submit("update", kind="worse", text="Mucho peor")
    refused(page, 429, "Please wait a moment")
    assert page.fields["text"] == "Mucho peor"
    customer.open(f"{receipt}/details/evidence")
    customer.submit(hypothesis="El proxy")
    customer.open(f"{receipt}/details/review")
    refused(customer.submit(), 429, "Please wait a moment")
    assert count(app, models.Update) == 1


@of("FOLLOWERS")
def followers(app: Flask) -> None:
    cli = app.test_cli_runner()
    opened = cli.invoke(args=["notice", "open", "--service", "email", "--text", "Lo vemos"])
    key = opened.output.split()[-1]
    spend(app, Quota.FOLLOWERS)
    for name, status in (("ana", 200), ("eva", 429)):
        customer = Customer(app, "en")
        customer.open(f"/notices/{key}")
        page = customer.submit(name=name, contact=f"{name}@example.com")
        assert page.status == status, opened.output
    refused(page, 429, "Please wait a moment")
    assert count(app, models.Follower) == 1


def sign_in(app: Flask, email: str) -> Page:
    customer = Customer(app, "en")
    customer.open("/desk/sign-in")
    return customer.submit(email=email, password="un intento como otro")


@of("SIGN_INS")
def sign_ins(app: Flask) -> None:
    spend(app, Quota.SIGN_INS)
    assert sign_in(app, "ana@example.com").status == 422
    refused(sign_in(app, "eva@example.com"), 429, "Too many attempts. Wait a few minutes")


@of("WRONG_PASSWORDS")
def wrong_passwords(app: Flask) -> None:
    spend(app, Quota.WRONG_PASSWORDS, "ana@example.com ")
    assert sign_in(app, "Ana@example.com").status == 422
    refused(sign_in(app, "ANA@example.com"), 429, "Too many attempts. Wait a few minutes")
    assert sign_in(app, "eva@example.com").status == 422


@of("UNSENT_BYTES")
def unsent_bytes(app: Flask) -> None:
    file = b"Un registro, de una vez."
    customer = at_a_step(app)
    customer.submit(files=[("a.txt", file)], **values("failure"))
    with app.extensions["sqlalchemy"].write() as session:
        (kept,) = session.scalars(sa.select(models.Attachment))
        kept.size = bounds.UNSENT_BYTES - len(file)
    other = at_a_step(app)
    assert other.submit(files=[("b.txt", file[::-1])], **values("failure")).status == 200
    other.open("/report/failure")
    page = other.submit(files=[("c.txt", b"x")], **values("failure", summary="Se ve"))
    told = "c.txt was not kept: from one connection we keep 100 MB of files"
    refused(page, 422, told, beside="screenshots")
    assert (page.fields["summary"], count(app, models.Attachment)) == ("Se ve", 2)


# One mailbox


def due(app: Flask, sent: list[datetime], address: str) -> timedelta:
    """How long the next one waits, after those."""
    now = SENT_AT
    with app.app_context(), app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.delete(models.Message))
        for number, at in enumerate(sent):
            session.add(
                models.Message(
                    kind="acknowledgement",
                    reference="INC-KX7M9Q",
                    recipient=address,
                    rank=9,
                    mailbox=mailboxes.names_of(address)[0],
                    mime_id=str(number),
                    content=b"",
                    due_at=at,
                    created_at=at,
                )
            )
        session.flush()
        spelt = address.upper().replace("A", "A.", 1).replace("@", "+b@")
        return mailboxes.due_at(session, mailboxes.names_of(spelt), now) - now


@of("TO_A_MAILBOX")
def to_a_mailbox(app: Flask) -> None:
    before = [SENT_AT - timedelta(minutes=59)] * bounds.TO_A_MAILBOX
    assert due(app, before[1:], "ana@example.com") == timedelta()
    assert due(app, before, "ana@example.com") == timedelta(minutes=1)


@of("TO_A_MAILBOX_A_DAY")
def to_a_mailbox_a_day(app: Flask) -> None:
    before = [SENT_AT - timedelta(hours=23)] * bounds.TO_A_MAILBOX_A_DAY
    assert due(app, before[1:], "ana@example.com") == timedelta()
    assert due(app, before, "ana@example.com") == timedelta(hours=1)


def test_every_bound_is_tried_at_and_over_it() -> None:
    assert {*CASES, *ELSEWHERE} == set(names())
    assert not {*CASES} & {*ELSEWHERE}
    assert len(names()) >= 20
