"""The language of a page: what was asked for, then what was chosen, then what the browser says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from catalogues import FOLDER as TRANSLATIONS
from customers import Customer
from factories import an_app, parsed, values
from flask import Flask
from provider import Provider, text_of

from reporter.formats.languages import preferred
from reporter.models import Message
from reporter.settings import resolve
from reporter.web.locale import language_name, select_locale


def language(html: str) -> str:
    return html.split('<html lang="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("accepted", "shown"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("es-MX", "es"),
        ("fr,en;q=0.8,es;q=0.5", "en"),
        ("fr,de", "es"),
        ("", "es"),
        ("*", "es"),
        (";;;q=,", "es"),
        ("es-AR,en-US;q=0.8,en;q=0.6", "es"),
        ("en-GB,es;q=0.9", "en"),
        ("fr-FR,es-ES;q=0.9,en;q=0.8", "es"),
        ("en;q=0.5,es;q=0.9", "es"),
        ("es;q=0,en;q=0.1", "en"),
        ("EN-us", "en"),
        ("en;q=x,es", "es"),
        ("en;q=nan,de", "es"),
        ("fr," * 3000 + "en", "en"),
    ],
)
def test_a_first_visit_is_in_the_language_of_the_browser(
    app: Flask, accepted: str, shown: str
) -> None:
    assert language(Customer(app, accepted).open("/").html) == shown


def test_a_family_of_languages_is_known_by_its_first_part() -> None:
    assert preferred("pt-PT", ["es", "pt-BR"]) == "pt-BR"
    assert preferred("zh-Hant-TW", ["zh-Hant", "zh-Hans"]) == "zh-Hant"
    assert preferred("ast", ["es", "en"]) is None


def test_a_link_can_ask_for_a_language_and_it_stays(app: Flask) -> None:
    customer = Customer(app, "es")
    assert language(customer.open("/?lang=en").html) == "en"
    assert language(customer.open("/report/failure").html) == "en"
    assert language(customer.open("/?lang=es").html) == "es"
    assert language(customer.open("/report/failure").html) == "es"


@pytest.mark.parametrize("asked", ["fr", "", "../../etc", "EN", "es\x00"])
def test_a_language_there_is_not_changes_nothing(app: Flask, asked: str) -> None:
    customer = Customer(app, "en")
    assert language(customer.open(f"/?{urlencode({'lang': asked})}").html) == "en"
    assert language(customer.open("/").html) == "en"


def test_the_button_of_a_step_changes_the_language_and_it_stays(app: Flask) -> None:
    customer = Customer(app, "es")
    customer.open("/report/failure")
    page = customer.submit(**values("failure"), lang="en")
    assert (page.status, language(page.html)) == (200, "en")
    assert language(customer.open("/").html) == "en"


def test_the_first_language_of_the_settings_is_the_default(tmp_path: Path) -> None:
    with an_app(tmp_path, LANGUAGES=["en", "es"]) as app:
        assert language(Customer(app, "fr").open("/").html) == "en"


def test_a_language_of_a_region_is_told_to_browsers_and_mail_programs_as_they_know_it(
    tmp_path: Path,
) -> None:
    """RFC 5646: "pt_BR" is the name of a catalogue alone."""
    shutil.copytree(TRANSLATIONS / "es", tmp_path / "pt_BR")
    defaults = resolve()[1]["SERVICES"]
    services = [{**each, "name": {**each["name"], "pt_BR": "Serviço"}} for each in defaults]
    told = {"LANGUAGES": ["es", "pt_BR"], "SERVICES": services, "SUPPORT_LOCALE": "pt_BR"}
    with an_app(tmp_path, **told, TRANSLATIONS=str(tmp_path)) as app:
        customer = Customer(app, "pt-BR,pt;q=0.9")
        page = customer.open("/report/failure")
        assert language(page.html) == page.headers["Content-Language"] == "pt-BR"
        assert "Serviço" in page.text
        other = Customer(app, "es").open("/").html
        assert re.search(r'<a href="/\?lang=pt_BR" lang="pt-BR" hreflang="pt-BR">', other)
        assert '"forms": {"es": "/offline?lang=es", "pt-BR": "/offline?lang=pt_BR"}' in (
            customer.open("/sw.js").text
        )
        customer.report()
        with app.extensions["sqlalchemy"].read() as session:
            mails = [parsed(each) for each in session.scalars(sa.select(Message.content))]
        assert [mail["Content-Language"] for mail in mails] == ["pt-BR", "pt-BR"]


def test_a_site_of_one_language_offers_no_other(tmp_path: Path) -> None:
    with an_app(tmp_path, LANGUAGES=["es"]) as app:
        page = Customer(app, "en").open("/")
    assert language(page.html) == "es"
    assert "hreflang" not in page.html


def test_each_page_offers_itself_in_the_other_language(app: Flask) -> None:
    customer = Customer(app, "es")
    assert customer.open("/").links["/?lang=en"] == "English"
    customer.fill_all()
    assert customer.page.links["/report/review?lang=en"] == "English"
    page = customer.open("/nothing")
    assert page.links["/?lang=en"] == "English"


def test_outside_a_request_the_language_is_the_first(app: Flask) -> None:
    with app.app_context():
        assert str(select_locale()) == "es"


def test_a_language_is_called_by_its_own_name() -> None:
    assert (language_name("es"), language_name("en")) == ("Español", "English")


@pytest.mark.settings(LANGUAGES=["es"])
def test_a_report_goes_on_when_its_language_is_offered_no_more(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    provider.app.config |= {"LANGUAGES": ["en"], "SUPPORT_LOCALE": "en"}
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text="Ahora tampoco entra el panel")
    provider.later(minutes=2)
    (update,) = provider.work()
    assert "Ahora tampoco entra el panel" in text_of(update)

    customer.open(f"/r/{token}/details/evidence")
    customer.submit(hypothesis="El proxy")
    customer.open(f"/r/{token}/details/review")
    assert customer.submit().status == 200
    provider.later(minutes=2)
    (details,) = provider.work()
    assert "El proxy" in text_of(details)

    for copy in ("ticket.txt", "ticket.json"):
        assert "El proxy" in customer.ask("GET", f"/r/{token}/{copy}").html
    assert "El proxy" in provider.desk(token).page.text
