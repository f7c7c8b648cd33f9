"""Restarts and failures lose nothing that was typed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from customers import Customer
from factories import SLUGS, an_app, values
from flask import Flask
from typed_in import moved_to, rows, typed

from reporter.database import Database
from reporter.models import Report


def test_a_restart_keeps_the_draft_and_the_page_that_is_open(app: Flask, tmp_path: Path) -> None:
    customer = Customer(app)
    customer.fill("failure")
    with an_app(tmp_path) as restarted:
        moved = moved_to(restarted, customer)
        page = moved.submit(**values("timing"))
        assert "Qué ha cambiado" in page.text
        assert typed(moved.open("/report/failure")) == values("failure")


def test_a_tab_that_only_looks_does_not_put_back_the_cookie_of_another_draft(app: Flask) -> None:
    customer = Customer(app)
    customer.fill_all()
    receipt = customer.submit(follow=False).location
    for path in (receipt, f"{receipt}/status.json", "/", "/report/contact"):
        assert "Set-Cookie" not in customer.peek(path).headers
    customer.open("/report/failure")  # begins another
    assert "Set-Cookie" not in customer.peek(receipt).headers


def test_the_cookie_holds_no_answer_and_stays_under_4_kb(app: Flask) -> None:
    customer = Customer(app)
    letters = Random(1).choices(range(0x10300, 0x1F400), k=900)
    query = {
        key: "".join(map(chr, letters[n * 300 : (n + 1) * 300]))
        for n, key in enumerate(("service", "affected", "customer_number"))
    }
    customer.open(f"/?{urlencode(query)}")
    customer.fill_all(error_message="".join(map(chr, letters)) * 20)
    (cookie,) = customer.client.cookies.items()
    assert cookie[0] == "__Host-reporter"
    assert len("=".join(cookie)) < 4_000


class Outage:
    """The database out of reach, as when its machine is down."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __enter__(self) -> None:
        self.kept = self.app.extensions["sqlalchemy"]
        self.app.extensions["sqlalchemy"] = Database("postgresql://127.0.0.1:1/nowhere")

    def __exit__(self, *_: object) -> None:
        self.app.extensions["sqlalchemy"].close()
        self.app.extensions["sqlalchemy"] = self.kept


@pytest.mark.parametrize("slug", SLUGS)
def test_a_database_that_is_down_loses_nothing_that_was_typed(app: Flask, slug: str) -> None:
    customer = Customer(app, "en")
    for before in SLUGS[: SLUGS.index(slug)]:
        customer.fill(before)
    customer.open(f"/report/{slug}")
    text = "\r\n <b>x</b>\r\n"
    answers = values(slug, error_message=text, change_description=text)
    with Outage(app):
        page = customer.submit(**answers)
        assert page.status == 503
        assert "Something failed on our side" in page.text
        assert typed(page) == answers
        assert customer.submit().status == 503
    assert customer.submit(follow=False).status == 303
    assert typed(customer.open(f"/report/{slug}")) == answers


def test_a_report_that_could_not_be_kept_is_not_called_saved_and_can_be_sent_again(
    app: Flask,
) -> None:
    customer = Customer(app, "en")
    customer.fill_all()
    with Outage(app):
        page = customer.submit()
        assert page.status == 503
        assert "Send again" in page.text
    assert rows(app, Report) == []
    assert customer.submit().status == 200
    assert len(rows(app, Report)) == 1


def test_a_page_that_cannot_be_read_says_so_and_gives_the_phone_number(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.fill("failure")
    with Outage(app):
        page = customer.open("/report/timing")
    assert page.status == 503
    assert "It is not your fault. Please try again in a minute." in page.text
    assert "+34 900 000 000" in page.text


def test_the_first_page_needs_no_database(app: Flask) -> None:
    with Outage(app):
        assert Customer(app).open("/").status == 200
        assert Customer(app).open("/report/failure").status == 200
