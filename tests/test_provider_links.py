"""The provider's own pages are linked where a customer looks for them."""

from __future__ import annotations

from pathlib import Path

from customers import Customer
from factories import an_app

PRIVACY, STATUS = "https://example.com/privacy", "https://status.example.com/"


def test_privacy_and_status_are_at_the_foot_of_every_page_of_a_customers(tmp_path: Path) -> None:
    with an_app(tmp_path, PRIVACY_URL=PRIVACY, STATUS_URL=STATUS) as app:
        customer = Customer(app, "en")
        customer.report()
        for path in ("/", "/report/failure", "/offline", "/report/review"):
            links = customer.open(path).links
            assert links[PRIVACY] == "Privacy"
            assert links[STATUS] == "Status of our services"


def test_privacy_stands_by_the_button_that_sends(tmp_path: Path) -> None:
    with an_app(tmp_path, PRIVACY_URL=PRIVACY) as app:
        page = Customer(app, "en").fill_all()
    before_the_button = page.html.partition("Send the report</button>")[0]
    assert f'<a href="{PRIVACY}">How we handle your data</a>' in before_the_button


def test_who_meets_an_error_finds_the_status(tmp_path: Path) -> None:
    with an_app(tmp_path, STATUS_URL=STATUS) as app:
        assert Customer(app, "en").open("/nothing").links[STATUS] == "Status of our services"


def test_nothing_is_linked_that_is_not_set(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        page = Customer(app, "en").fill_all()
        assert "Privacy" not in page.text
        assert "How we handle" not in page.text
