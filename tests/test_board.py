"""The board: what it lists and in which order, how one finds a report, and what it counts."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import a_report
from incidents import opened
from provider import Provider

from reporter.desk.asked import Asked
from reporter.desk.board import PAGE
from reporter.models import Base
from reporter.reports.search import terms

EMPTY = "No hay avisos abiertos. Lo que los clientes envíen con el formulario aparecerá aquí"


def listed(support: Customer, path: str = "/desk") -> list[str]:
    """The references on the board, in order."""
    return re.findall(r'data-report="(INC-\w+)"', support.open(path).html)


def reference(provider: Provider, token: str) -> str:
    return provider.receipt(token).report.reference


def test_an_empty_board_says_how_reports_get_there(provider: Provider) -> None:
    page = provider.support().open("/desk")
    assert EMPTY in " ".join(page.text.split())
    assert "<svg" not in page.html


def test_a_line_says_what_one_needs_to_choose(provider: Provider) -> None:
    token = provider.report()
    provider.desk(token).submit(action="message", text="En ello", next_news_at="03:40")
    provider.later(minutes=12)
    text = " ".join(provider.support().open("/desk").text.split())
    assert (
        "SEV1 La tienda no carga – error 502 Alojamiento web · Íñigo Muñoz · Tienda Muñoz, S.L. · "
        "12 min · visto · prometida para las 03:40"
    ) in text


def test_unseen_and_late_are_first_then_how_serious_then_how_old(provider: Provider) -> None:
    made = {}
    for name, impact in (("a", "minor"), ("b", "critical"), ("c", "critical"), ("d", "major")):
        made[name] = provider.report(name, impact=impact)
        provider.later(minutes=1)
    provider.desk(made["b"]).submit(action="acknowledge")
    provider.desk(made["d"]).submit(action="message", text="En ello", next_news_at="03:30")
    support = provider.support()
    order = {reference(provider, token): name for name, token in made.items()}
    assert "".join(order[each] for each in listed(support)) == "cabd"
    provider.later(minutes=10)
    assert "".join(order[each] for each in listed(support)) == "cdab"
    assert "con retraso" in support.page.text
    provider.desk(made["c"]).submit(action="solve", text="Ya está")
    assert "".join(order[each] for each in listed(support)) == "dab"


def test_it_is_filtered_in_the_address(provider: Provider) -> None:
    web, mail = provider.report("a"), provider.report("b", service="email", impact="minor")
    solved = provider.report("c")
    provider.desk(solved).submit(action="solve", text="Ya está")
    provider.desk(mail).submit(action="acknowledge")
    support = provider.support()
    expected = {
        "": [web, mail],
        "?state=unseen": [web],
        "?state=solved": [solved],
        "?state=all": [solved, mail, web],
        "?service=email": [mail],
        "?severity=1": [web],
        "?severity=3": [mail],
        "?service=email&severity=1": [],
        "?state=nonsense&service=x&severity=9&page=-1": [web, mail],
    }
    for query, tokens in expected.items():
        assert listed(support, f"/desk{query}") == [reference(provider, each) for each in tokens]
    assert "Ningún aviso coincide." in support.open("/desk?state=late").text


@pytest.mark.parametrize(
    "asked",
    ["inigo@example.com", "INIGO@", "Íñigo", "inigo munoz", "muñoz", "tienda.example.com",
     "example.com", "www.example", "+34 600 000 000", "600000000", "0034600000000", "600 00 00",
     "c-1042", "S.L."],
)  # fmt: skip
def test_a_report_is_found_by_what_a_caller_says(provider: Provider, asked: str) -> None:
    token = provider.report()
    other = provider.report(
        "other", name="Ana", company="", email="ana@cliente.example", phone="611 222 333",
        affected="otra.test", customer_number="",
    )  # fmt: skip
    support = provider.support()
    support.open("/desk")
    found = listed(support, f"/desk?q={asked.replace('+', '%2B')}")
    assert found == [reference(provider, token)]
    assert listed(support, "/desk?q=ana@cliente.example") == [reference(provider, other)]


@pytest.mark.parametrize("asked", ["garcia", "Carlos", "carlos garcia", "GARCÍA", "192.0.2.77",
     "10.0.0.1", "tienda.xn--bcher-kva.example", "TIENDA.BÜCHER", "xn--bcher-kva.example",
     "correo.example", "carlos@correo.example", "carlos@xn--caa-8ma.example"])  # fmt: skip
def test_a_name_or_a_server_is_found_that_looks_like_a_reference_or_a_number(
    provider: Provider, asked: str
) -> None:
    email = "carlos@caña.example" if "caa" in asked else "carlos@correo.example"
    token = provider.report(
        name="Carlos García", email=email, affected="tienda.bücher.example 192.0.2.77 10.0.0.1"
    )
    provider.report("other", name="Ana", company="", email="ana@b.example", affected="192.0.20.7")
    support = provider.support()
    support.open("/desk")
    assert listed(support, f"/desk?q={asked}") == [reference(provider, token)]


def test_a_domain_is_found_however_it_was_written(provider: Provider) -> None:
    token = provider.report(affected="tienda.xn--bcher-kva.example")
    support = provider.support()
    support.open("/desk")
    for asked in ("tienda.bücher.example", "bucher.example", "xn--bcher-kva.example"):
        assert listed(support, f"/desk?q={asked}") == [reference(provider, token)]


def test_a_report_is_found_by_its_reference_also_when_it_is_solved(provider: Provider) -> None:
    token = provider.report()
    provider.desk(token).submit(action="solve", text="Ya está")
    found = reference(provider, token)
    support = provider.support()
    for spelt in (found, found.lower(), found.removeprefix("INC-"), f" {found} ",
                  found.replace("-", "–")):  # fmt: skip
        assert listed(support, f"/desk?q={spelt}") == [found]


@pytest.mark.parametrize(
    "asked", ["x", "%", "\0", "nadie@nowhere.test", "'; DROP TABLE report; --"]
)
def test_what_finds_nothing_is_said(provider: Provider, asked: str) -> None:
    provider.report()
    support = provider.support()
    support.open("/desk")
    page = support.submit(q=asked)
    assert page.status == 200
    assert "data-report" not in page.html


def test_a_report_has_a_bounded_number_of_words(provider: Provider) -> None:
    with provider.app.test_request_context():
        report = a_report(affected=" ".join(f"host{n}.example.com" for n in range(900)))
        found = terms(report)
    assert len(found) <= 60
    assert max(map(len, found)) <= 80
    assert report.reference.removeprefix("INC-").lower() in found


@pytest.mark.parametrize(
    ("phone", "found"),
    [
        ("600 000 000", {"34600000000", "600000000"}),
        ("+39 06 6981 2345", {"390669812345", "0669812345"}),  # as it is dialled, zero and all
        ("+34 912 34 56 78 ext. 12", {"34912345678", "912345678"}),
    ],
)
def test_a_number_is_found_with_and_without_its_country(
    provider: Provider, phone: str, found: set[str]
) -> None:
    with provider.app.test_request_context():
        assert {each for each in terms(a_report(phone=phone)) if each.isdigit()} == found


def test_a_page_has_fifty(provider: Provider) -> None:
    for number in range(PAGE + 3):
        provider.report(f"draft{number}", impact="minor")
    support = provider.support()
    first = listed(support)
    assert len(first) == PAGE
    assert "/desk?page=2" in support.page.links
    second = listed(support, "/desk?page=2")
    assert len(second) == 3
    assert not set(first) & set(second)
    assert "/desk?page=3" not in support.page.links


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, Asked()),
        ({"q": " Ana "}, Asked(state="all", words="Ana")),
        ({"state": "late", "page": "2"}, Asked(state="late", page=2)),
        ({"page": "x"}, Asked()),
        ({"page": "٣"}, Asked()),
        ({"page": "9999"}, Asked(page=9999)),
        ({"page": "0"}, Asked()),
        ({"page": "9" * 5_000}, Asked()),
        ({"q": "x" * 999}, Asked(state="all", words="x" * 200)),
    ],
)
def test_what_is_asked_is_read_with_care(query: dict[str, str], asked: Asked) -> None:
    assert Asked.of(query, ["email"]) == asked


def test_known_incidents_are_on_top_with_what_hangs_on_them(provider: Provider) -> None:
    key = opened(provider, "--next-news", "03:40")
    token = provider.report()
    provider.desk(token).submit(action="link_notice", notice=key)
    support = provider.support()
    text = " ".join(support.open("/desk").text.split())
    promised = "avisos: 1, seguidores: 0 · prometida para las 03:40"
    assert f"Incidencia conocida {key} Alojamiento web · {promised} " in text
    assert text.index(key) < text.index("La tienda no carga")
    provider.later(minutes=20)
    text = " ".join(support.open("/desk").text.split())
    assert f"{promised}: con retraso" in text  # in words, not by its colour alone


def test_looking_at_the_board_changes_nothing(provider: Provider) -> None:
    provider.report()
    support = provider.support()
    tables = Base.metadata.sorted_tables
    with provider.database.read() as session:
        before = [session.execute(sa.select(table)).all() for table in tables]
    support.open("/desk?q=ana&state=all&page=2")
    support.open("/desk")
    with provider.database.read() as session:
        assert [session.execute(sa.select(table)).all() for table in tables] == before


def test_an_outage_of_three_hundred_is_counted_right(provider: Provider) -> None:
    """Over twenty-five minutes, on two services; and what was before the hour is not in it."""
    provider.report("before")
    provider.later(minutes=61)
    for number in range(300):
        service = "email" if number % 3 == 0 else "web-hosting"
        provider.report(f"draft{number}", service=service, started="just_now", impact="major")
        provider.later(seconds=5)
    page = provider.support().open("/desk")
    text = " ".join(page.text.split())
    assert "Alojamiento web: 200" in text
    assert "Correo electrónico: 100" in text
    table = page.html.partition("<table>")[2]
    named = re.findall(r'<th scope="col">([^<]+)</th>', table)
    rows = [re.findall(r"<td>(\d+)</td>", row) for row in re.findall(r"<tr><th.*</tr>", table)]
    totals, *times = ([int(each) for each in row] for row in rows)
    assert dict(zip(named, totals, strict=True)) == {
        "Alojamiento web": 200,
        "Correo electrónico": 100,
    }
    assert len(times) == 12
    assert [sum(counts) for counts in zip(*times, strict=True)] == totals
    assert page.html.count("<rect") == 24
    assert len(page.html) < 150_000
