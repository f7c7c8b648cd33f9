"""Whatever somebody sends, in whatever order: no error of ours, no word lost, no other's shown.

A short form of `make fuzz`, which sets FUZZ_EXAMPLES higher.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from factories import SETTINGS, SLUGS, Customer, make_tables, values
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from werkzeug.routing import Rule

from reporter.models import Draft, Report

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
GARBAGE = [
    b"",
    b"\x00",
    b"a=%00&b=%ff%fe&csrf_token=%00",
    b"draft_key=1-2-3-4-5&service=%00&started_at=9999-99-99T99:99&age=nan&remove=x",
    b"age=1e999&remove=-1&notice=%00&kind=%00&wanted=%00&text=%f0%9f%92%a9%00",
    b"{",
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


@settings(
    max_examples=EXAMPLES * 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
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

    @initialize()
    def begin(self) -> None:
        Wizard.number += 1
        self.me = f"marca-{Wizard.number}-"
        self.customer = Customer(self.app, "es")
        self.tabs = [self.customer.open("/report/failure")]
        self.said: dict[str, str] = {}
        self.receipts: set[str] = set()

    def look(self) -> None:
        page = self.customer.page
        assert page.status < 500, page.html[:500]
        others = set(re.findall(r"marca-\d+-", page.html)) - {self.me}
        assert not others, "another's words"
        if match := re.search(r"INC-[A-Z0-9]{6}", page.html):
            self.receipts.add(match[0])

    @rule(slug=st.sampled_from(SLUGS), language=st.sampled_from(["es", "en"]))
    def answer(self, slug: str, language: str) -> None:
        self.customer.open(f"/report/{slug}?lang={language}")
        summary = f"{self.me}{len(self.said)}"
        if "summary" in values(slug):
            self.said["summary"] = summary
        self.customer.submit(**values(slug, summary=summary))
        self.look()

    @rule(slug=st.sampled_from(SLUGS))
    def answer_badly(self, slug: str) -> None:
        self.customer.open(f"/report/{slug}")
        if not self.customer.page.fields:
            return
        kept = f"{self.me}empresa"
        page = self.customer.submit(
            **values(slug, company=kept, impact="", started="", changed="", name="")
        )
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
            self.customer.submit()
        self.look()

    @rule()
    def press_again(self) -> None:
        page = self.customer.page
        if page.action.startswith("/report/"):
            self.customer.submit()
            self.look()

    @rule(token=st.sampled_from(["", "stale", "x" * 300]))
    def press_with_a_stale_token(self, token: str) -> None:
        self.customer.open("/report/failure")
        if "summary" in self.customer.page.fields:
            page = self.customer.submit(**values("failure", summary=self.me), csrf_token=token)
            self.look()
            assert self.me in page.html

    @rule(slug=st.sampled_from(["evidence", "impact", "authorisation", "review"]))
    def guess_a_receipt(self, slug: str) -> None:
        self.customer.open(f"/r/{'A' * 27}/details/{slug}")
        assert self.customer.page.status == 404

    def teardown(self) -> None:
        with self.app.extensions["sqlalchemy"].read() as session:
            twice = sa.select(Report.draft_id).group_by(Report.draft_id).having(sa.func.count() > 1)
            assert session.scalars(twice).all() == []
            mine = sa.select(Report.summary).where(Report.summary.like(f"{self.me}%"))
            assert len(session.scalars(mine).all()) <= len(self.said) + 1
            for steps in session.scalars(sa.select(Draft.steps)):
                marks = set(re.findall(r"marca-\d+-", str(steps)))
                assert len(marks) <= 1, "two people in one draft"


def test_no_order_of_pages_loses_a_word_or_mixes_two_people(app: Flask) -> None:
    Wizard.app = app
    options: dict[str, Any] = {"max_examples": EXAMPLES, "stateful_step_count": 15}
    run_state_machine_as_test(
        Wizard, settings=settings(deadline=None, suppress_health_check=list(HealthCheck), **options)
    )
