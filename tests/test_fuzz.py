"""Whatever somebody sends, in whatever order: no error of ours, no word lost, no other's shown.

A short form of `make fuzz`, which sets FUZZ_EXAMPLES higher.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from customers import Customer, Page
from factories import LANGUAGES, SETTINGS, SLUGS, make_tables, values
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from werkzeug.datastructures import FileStorage
from werkzeug.routing import Rule

from reporter.attachments import reading
from reporter.attachments.reading import Reading, Room
from reporter.attachments.refusals import Refused
from reporter.formats.times import localize, parse_past
from reporter.models import Draft, Report, Update

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
GARBAGE = [
    b"",
    b"\x00",
    b"a=%00&b=%ff%fe&csrf_token=%00",
    b"draft_key=1-2-3-4-5&service=%00&started_at=9999-99-99T99:99&age=nan&remove=x",
    b"age=1e999&remove=-1&notice=%00&kind=%00&wanted=%00&text=%f0%9f%92%a9%00",
    b"[" * 5_000,
    b'{"summary":[1,{"a":2}],"service":7,"text":{},"email":null,"csrf_token":3,"draft_key":[]}',
    b'{"event":"answered","reference":null,"at":"9999-12-31T23:59:59+99:99","number":{}}',
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="\x00"\r\n\r\n\x00\r\n--x--',
]
TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "text/plain",
    "\x7f",
]
EMPTY = Room(digests=frozenset(), mailed=0, for_desk=0)
# Of paths: what no key, token or number is.
ODD = ["x", "%00", "..%2f..", "%F0%9F%92%A9", "9" * 30, "-1", "INC-KX7M9Q", "a" * 300, "%ff"]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(**SETTINGS, PROPAGATE_EXCEPTIONS=False, HOOK_SECRET="hook" * 10)
    make_tables(app.extensions["sqlalchemy"].engine)
    return app


def paths(rule: Rule) -> list[str]:
    return [re.sub(r"<[^>]+>", odd, rule.rule) for odd in ODD] if rule.arguments else [rule.rule]


def test_garbage_to_every_route_by_every_method_is_never_an_error_of_ours(app: Flask) -> None:
    client = app.test_client()
    asked = 0
    for each in app.url_map.iter_rules():
        for path in paths(each):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
                answer = client.open(path, method=method)
                assert answer.status_code < 500, (method, path)
                asked += 1
            for content in GARBAGE:
                for mimetype in TYPES if content else TYPES[:1]:
                    answer = client.post(
                        path,
                        data=content,
                        content_type=mimetype,
                        headers={"Authorization": f"Bearer {'hook' * 10}"},
                    )
                    assert answer.status_code < 500, (path, content, mimetype)
                    asked += 1
    assert asked > 5_000


@settings(max_examples=EXAMPLES * 4)
@given(
    st.dictionaries(
        st.sampled_from(["lang", "service", "affected", "customer_number", "draft", "next", "q"]),
        st.text(max_size=60),
    ),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n"), max_size=200),
)
def test_no_query_and_no_language_is_an_error_of_ours(
    app: Flask, query: dict[str, str], languages: str
) -> None:
    client = app.test_client()
    for path in ("/", "/report/failure", "/notices.atom", "/desk/sign-in", "/desk"):
        header = languages.encode("utf-8", "replace").decode("latin-1")
        answer = client.get(path, query_string=query, headers={"Accept-Language": header})
        assert answer.status_code < 500


class Wizard(RuleBasedStateMachine):
    """Somebody who goes back and forth, in several tabs and languages, and presses twice."""

    app: Flask
    number = 0
    all_receipts: ClassVar[dict[str, str]] = {}
    all_keys: ClassVar[dict[str, str]] = {}

    @initialize()
    def begin(self) -> None:
        Wizard.number += 1
        self.me = f"marca-{Wizard.number}-"
        self.customer = Customer(self.app, "es")
        self.tabs = [self.customer.open("/report/failure")]
        self.said: dict[str, str] = {}
        self.receipts: set[str] = set()
        self.mine: set[str] = set()
        self.told: list[str] = []
        self.sends = 0

    def press(self, form: str = "", /, **answers: Any) -> Page:
        """Whatever page it is; where there is no such form, nothing is pressed."""
        page = self.customer.page
        there = f'<form id="{form}"' in page.html if form else page.action
        return self.customer.forge(form, **answers) if there else page

    def look(self) -> None:
        page = self.customer.page
        assert page.status < 500, page.html[:500]
        others = set(re.findall(r"marca-\d+-", page.html)) - {self.me}
        assert not others, "another's words"
        if match := re.search(r"INC-[A-Z0-9]{6}", page.html):
            self.receipts.add(match[0])

    @rule(slug=st.sampled_from(SLUGS), language=st.sampled_from(LANGUAGES))
    def answer(self, slug: str, language: str) -> None:
        self.customer.open(f"/report/{slug}?lang={language}")
        summary = f"{self.me}{len(self.said)}"
        if "summary" in values(slug):
            self.said["summary"] = summary
            Wizard.all_keys.setdefault(self.customer.page.fields.get("draft_key", ""), self.me)
        self.press(**values(slug, summary=summary))
        self.look()

    @rule(slug=st.sampled_from(SLUGS))
    def answer_badly(self, slug: str) -> None:
        self.customer.open(f"/report/{slug}")
        if not self.customer.page.fields:
            return
        kept = f"{self.me}empresa"
        page = self.press(**values(slug, company=kept, impact="", started="", changed="", name=""))
        self.look()
        if page.status == 422 and "company" in page.fields:
            assert page.fields["company"] == kept

    @rule()
    def look_at_the_review(self) -> None:
        self.customer.open("/report/review")
        self.look()

    @rule()
    def send(self) -> None:
        self.customer.open("/report/review")
        if self.customer.page.action.startswith("/report/review"):
            self.sends += 1
            self.press()
        self.look()

    @rule()
    def fill_in_and_send(self) -> None:
        for slug in SLUGS:
            self.answer(slug, "es")
        self.send()
        self.receipt()

    @rule()
    def press_again(self) -> None:
        page = self.customer.page
        if page.action.startswith("/report/") or "/details/" in page.action:
            self.sends += page.action.startswith("/report/review")
            self.press()
            self.look()

    @rule(token=st.sampled_from(["", "stale", "x" * 300]))
    def press_with_a_stale_token(self, token: str) -> None:
        self.customer.open("/report/failure")
        if "summary" in self.customer.page.fields:
            page = self.press(**values("failure", summary=self.me), csrf_token=token)
            self.look()
            assert self.me in page.html

    def receipt(self) -> str | None:
        """The path of the receipt, if something was sent."""
        if match := re.search(r'"(/r/[\w-]{27})/updates', self.customer.page.html):
            self.mine.add(match[1])
            Wizard.all_receipts[match[1]] = self.me
        return max(self.mine, default=None)

    @rule(kind=st.sampled_from(["info", "worse", "better", "solved", "", "link_notice"]))
    def add_an_update(self, kind: str) -> None:
        if receipt := self.receipt():
            self.customer.open(receipt)
            said = f"{self.me}update-{len(self.told)}."
            page = self.press("update", kind=kind, text=said)
            self.look()
            assert said in page.html  # shown, or given back
            if page.status == 200:
                self.told.append(said)

    @rule(slug=st.sampled_from(["evidence", "impact", "authorisation"]), good=st.booleans())
    def add_details(self, slug: str, good: bool) -> None:
        if receipt := self.receipt():
            self.customer.open(f"{receipt}/details/{slug}")
            said = f"{self.me}details"
            field = {"evidence": "tests_done", "impact": "deadline"}.get(slug, "other_providers")
            token = {} if good else {"csrf_token": "stale"}
            page = self.press(**{field: said}, **token)
            self.look()
            if not good:
                assert (page.status, said in page.html) == (422, True)

    @rule()
    def send_the_details_twice(self) -> None:
        if receipt := self.receipt():
            for _ in range(2):
                self.customer.open(f"{receipt}/details/review")
                self.press()
                self.look()

    @rule(wanted=st.sampled_from(["yes", "no", ""]), form=st.sampled_from(["news", "mine"]))
    def ask_for_news(self, wanted: str, form: str) -> None:
        if receipt := self.receipt():
            self.customer.open(receipt)
            page = self.press(form, wanted=wanted, notice="N-00000", news=wanted)
            assert page.status < 500

    @rule()
    def replace_the_link(self) -> None:
        if receipt := self.receipt():
            self.customer.open(receipt)
            self.press("replace")
            self.look()
            other = self.receipt()
            assert other
            if other != receipt or len(self.mine) > 1:
                self.mine.discard(receipt)
                Wizard.all_receipts.pop(receipt, None)
                assert self.customer.open(receipt).status == 404

    @rule()
    def open_another_ones(self) -> None:
        """Whoever has a link sees that report alone, and nothing of their own in it."""
        others = {path: who for path, who in Wizard.all_receipts.items() if who != self.me}
        if others:
            path, who = sorted(others.items())[0]
            for below in ("", "/details/evidence", "/details/review", "/ticket.txt"):
                page = self.customer.peek(path + below)
                assert page.status < 500
                assert set(re.findall(r"marca-\d+-", page.html)) <= {who}

    @rule(slug=st.sampled_from(SLUGS))
    def use_the_key_of_others(self, slug: str) -> None:
        """Of a draft: it opens one of their own, and what they type there is theirs."""
        others = [key for key, who in Wizard.all_keys.items() if key and who != self.me]
        if others:
            self.customer.open(f"/report/{slug}?draft={others[-1]}")
            self.look()
            self.press(**values(slug, summary=self.me))
            self.look()

    @rule(slug=st.sampled_from(["evidence", "impact", "authorisation", "review"]))
    def guess_a_receipt(self, slug: str) -> None:
        self.customer.open(f"/r/{'A' * 27}/details/{slug}")
        assert self.customer.page.status == 404

    def teardown(self) -> None:
        with self.app.extensions["sqlalchemy"].read() as session:
            twice = sa.select(Report.draft_id).group_by(Report.draft_id).having(sa.func.count() > 1)
            assert session.scalars(twice).all() == []
            mine = sa.select(Report.summary).where(Report.summary.like(f"{self.me}%"))
            assert len(session.scalars(mine).all()) <= self.sends
            in_order = sa.select(Update.content).order_by(Update.id)
            kept = [each["text"] for each in session.scalars(in_order)]
            assert [text for text in kept if text.startswith(self.me)] == self.told
            for steps in session.scalars(sa.select(Draft.steps)):
                marks = set(re.findall(r"marca-\d+-", str(steps)))
                assert len(marks) <= 1, "two people in one draft"


def test_no_order_of_pages_loses_a_word_or_mixes_two_people(app: Flask) -> None:
    Wizard.app, Wizard.all_receipts, Wizard.all_keys = app, {}, {}
    options: dict[str, Any] = {"max_examples": EXAMPLES, "stateful_step_count": 15}
    run_state_machine_as_test(
        Wizard, settings=settings(suppress_health_check=list(HealthCheck), **options)
    )
    assert Wizard.all_receipts, "nobody came as far as that"
    assert len(set(Wizard.all_keys.values())) > 1


# What files begin with, of kinds that are taken and of others, and what may follow.
BEGINNINGS = [
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xe0\x00\x10JFIF",
    b"GIF89a", b"RIFF\x10\x00\x00\x00WEBPVP8X", b"%PDF-1.7\n", b"BM", b"II*\x00", b"MM\x00*",
    b"\x00\x00\x00\x18ftypheic", b"\x00\x00\x00\x18ftypavif", b"\x00\x00\x00\x18ftypmp42",
    b"PK\x03\x04", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xd4\xc3\xb2\xa1",
    b"\n\r\r\n", b"\x1aE\xdf\xa3", b"<!doctype html>", b"MZ", b"\x7fELF",
    b"From: a@example.com\r\n", b"\xff\xfe", b"{\"log\": {", b"",
]  # fmt: skip
TAKEN = re.compile(
    r"image/(png|jpeg|webp|gif)|application/(pdf|octet-stream|zip|gzip)|text/plain|[a-z]+/[\w.+-]+"
)


@settings(max_examples=EXAMPLES * 10)
@given(
    beginning=st.sampled_from(BEGINNINGS),
    rest=st.binary(max_size=400),
    name=st.text(st.characters(blacklist_categories=["Cs"]), max_size=80),
    suffix=st.sampled_from(["", ".png", ".jpg", ".heic", ".txt", ".html", ".exe", ".zip", ".har"]),
)
def test_no_file_is_an_error_of_ours_and_none_a_mail_program_would_run_is_mailed(
    app: Flask, beginning: bytes, rest: bytes, name: str, suffix: str
) -> None:
    content = beginning + rest
    upload = FileStorage(io.BytesIO(content), filename=name + suffix)
    with app.test_request_context(), contextlib.suppress(Refused):
        check_kept(reading.read(upload, reading.name_of(upload), EMPTY))


def check_kept(found: Reading | None) -> None:
    assert found is not None
    assert TAKEN.fullmatch(found.mime_type), found.mime_type
    if not found.for_desk:
        assert found.suffix not in {"exe", "html", "js", "svg", "zip", "docx"}
        assert "html" not in found.mime_type
        assert "svg" not in found.mime_type
    assert re.fullmatch(r"[\w.-]*", found.stem, re.ASCII), found.stem


WRITTEN = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}[T ]?\d{0,2}:?\d{0,2}", fullmatch=True),
    st.datetimes().map(str),
    st.datetimes().map(lambda at: f"{at:%d/%m/%Y %H:%M}"),
)  # fmt: skip


@settings(max_examples=EXAMPLES * 20)
@given(
    WRITTEN,
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["Europe/Madrid", "America/Bogota", "Pacific/Apia", "Asia/Kathmandu", "UTC"]),
)
def test_what_is_typed_as_a_time_is_one_of_that_zone_or_is_refused(
    text: str, now: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    try:
        local = parse_past(text, now, zone)
        moment = localize(local, zone)
    except ValueError:
        return
    assert moment.tzinfo is not None
    back = moment.astimezone(UTC).astimezone(zone)
    assert back.replace(tzinfo=None) == local.replace(tzinfo=None)
