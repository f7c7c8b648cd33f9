"""A known incident at the desk: every report of an outage linked in one press, and how it went."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import unquote

import pytest
from customers import Customer, Page
from provider import Provider

from reporter.desk.timeline import Happened, Moment, as_csv, positions

TEXT = "Cae el nodo 7"
HERE = {"base_url": "https://incidents.example.com"}


def outage(provider: Provider, count: int, service: str = "web-hosting") -> list[str]:
    """Reports a minute apart; their receipts' tokens."""
    tokens = []
    for number in range(count):
        draft = f"{service}{number}"
        tokens.append(provider.report(draft, service=service, started="just_now"))
        provider.later(minutes=1)
    return tokens


def reference(provider: Provider, token: str) -> str:
    return provider.receipt(token).report.reference


def offered(page: Page) -> list[str]:
    """The reports whose box is ticked."""
    return re.findall(r'name="report" value="(INC-\w+)" checked', page.html)


def sends(support: Customer, form: str = "", **changes: object) -> Page:
    """Press the button of *form* with every ticked box."""
    return support.submit(form, **{"report": offered(support.page), **changes})


NEW = "/desk/notices/new?service=web-hosting&since=2026-11-23T02:22Z"


def test_all_open_reports_of_the_service_are_linked_in_one_press(provider: Provider) -> None:
    before = provider.report("before")
    provider.later(minutes=1)
    tokens = outage(provider, 5)
    other = outage(provider, 1, "email")[0]
    solved = provider.report("solved")
    provider.desk(solved).submit(action="solve", text="Otra cosa")
    support = provider.support()
    support.open(NEW.replace("02:22", "02:23"))
    assert "Avisos abiertos que se vincularán: 5" in " ".join(support.page.text.split())
    assert offered(support.page) == [reference(provider, each) for each in tokens]
    page = sends(support, text=TEXT)
    assert "<dt>Avisos vinculados</dt><dd>5</dd>" in page.html
    for token in tokens:
        assert TEXT in provider.customer(token).page.text
        assert provider.row(token).notice_id is not None
        assert provider.row(token).seen_at is not None
    for token in (before, other, solved):
        assert provider.row(token).notice_id is None
    assert "avisos: 5, seguidores: 0" in " ".join(support.open("/desk").text.split())


@pytest.mark.parametrize(
    ("since", "shown"),
    [("2026-11-22T23:00", "2026-11-22 23:00"), ("2026-11-22", "2026-11-22 00:00"),
     ("2026-11-22T23:00 02:00", "2026-11-22 22:00"), ("0001-01-01", "2026-11-23 03:22")],
)  # fmt: skip
def test_the_beginning_in_a_link_is_read_as_people_write_it(
    provider: Provider, since: str, shown: str
) -> None:
    page = provider.support().open(f"/desk/notices/new?service=web-hosting&since={since}")
    assert f'value="{shown}"' in page.html


def test_each_can_be_left_out_also_when_the_form_comes_back(provider: Provider) -> None:
    tokens = outage(provider, 3)
    apart = reference(provider, tokens[1])
    support = provider.support()
    support.open(NEW)
    chosen = [each for each in offered(support.page) if each != apart]
    page = sends(support, text=" ", report=chosen)
    assert page.status == 422
    assert offered(page) == chosen
    sends(support, text=TEXT)
    assert [provider.row(each).notice_id is not None for each in tokens] == [True, False, True]


def test_what_comes_later_is_linked_from_its_page(provider: Provider) -> None:
    support = provider.support()
    support.open(NEW)
    sends(support, text=TEXT)
    path = support.page.path
    tokens = outage(provider, 2)
    page = support.open(path)
    assert len(offered(page)) == 2
    support.submit("link", action="link", report=offered(support.page))
    assert all(provider.row(each).notice_id for each in tokens)
    assert offered(support.page) == []


def test_a_report_of_another_service_cannot_be_slipped_in(provider: Provider) -> None:
    (other,) = outage(provider, 1, "email")
    support = provider.support()
    support.open(NEW)
    support.forge(text=TEXT, report=[reference(provider, other), "INC-A00000", "x"])
    assert provider.row(other).notice_id is None


def test_who_wants_news_follows_it_once_linked(provider: Provider) -> None:
    (token,) = outage(provider, 1)
    customer = provider.customer(token)
    customer.submit("news", wanted="yes")
    support = provider.support()
    support.open(NEW)
    sends(support, text=TEXT)
    assert "avisos: 1, seguidores: 1" in " ".join(support.open("/desk").text.split())


def test_the_report_it_is_opened_from_is_offered(provider: Provider) -> None:
    token = provider.report()
    support = provider.desk(token)
    (path,) = [path for path, text in support.page.links.items() if "Abrir una" in text]
    support.open(path.removeprefix("https://incidents.example.com"))
    assert offered(support.page) == [reference(provider, token)]


@pytest.mark.parametrize("query", ["", "?service=nonsense", "?since=2026-11-23T01:40Z"])
def test_without_a_service_of_ours_one_is_chosen(provider: Provider, query: str) -> None:
    support = provider.support()
    page = support.open(f"/desk/notices/new{query}")
    assert page.status == 200
    (path,) = [path for path, text in page.links.items() if text == "Alojamiento web"]
    since = "&since=2026-11-23T01:40Z" if "since" in query else ""
    assert unquote(path) == f"/desk/notices/new?service=web-hosting{since}"
    page = support.open(path)
    assert "Abrir una incidencia conocida: Alojamiento web" in page.text
    assert page.fields["started_at"].endswith("02:40" if since else "03:22")


def test_one_is_opened_from_the_board_also_before_anybody_has_reported(provider: Provider) -> None:
    support = provider.support()
    page = support.open("/desk")
    (path,) = [path for path, text in page.links.items() if text == "Abrir una incidencia conocida"]
    assert "¿Qué servicio falla?" in support.open(path).text


# How it went


def closed(provider: Provider) -> tuple[Customer, str]:
    outage(provider, 4)
    support = provider.support()
    support.open(NEW)
    sends(support, text=TEXT)
    path = support.page.path
    provider.later(minutes=20)
    support.open(path)
    support.submit(action="update", text="Cambiamos el disco")
    provider.later(minutes=30)
    support.open(path)
    support.submit(action="close", text="=Era un disco")
    return support, path


def test_its_page_tells_how_it_went(provider: Provider) -> None:
    support, path = closed(provider)
    page = support.open(path)
    text = " ".join(page.text.split())
    told = text.partition("Cronología")[2]
    moments = ["Empezó", "Primer aviso", "Oleada de avisos", "Primer aviso visto",
               "Se abrió la incidencia conocida", "Mensaje a los clientes", "Cerrada"]  # fmt: skip
    assert [each for each in moments if each in told] == moments
    order = ["Empezó 23 nov 2026 03:22", "Oleada", "Se abrió la incidencia conocida 23 nov 2026 "
             "03:26", "Cambiamos el disco", "Cerrada 23 nov 2026 04:16"]  # fmt: skip
    assert sorted(order, key=told.index) == order
    assert "<dt>Desde el primer aviso hasta que se abrió</dt><dd>4 minutos</dd>" in page.html
    assert "<dt>Desde el comienzo hasta que se cerró</dt><dd>54 minutos</dd>" in page.html
    assert page.html.count("<circle") == 7
    assert 'value="close"' not in page.html


def test_it_is_exported_for_the_review(provider: Provider) -> None:
    support, path = closed(provider)
    answer = support.peek(f"{path}/export.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    content = answer.response.json
    assert (content["reports"], content["opened_after_seconds"], content["lasted_seconds"]) == (
        4, 240, 3240,
    )  # fmt: skip
    assert content["timeline"][-1] == {
        "at": "2026-11-23T03:16:00Z", "what": "closed", "text": "=Era un disco",
    }  # fmt: skip
    answer = support.peek(f"{path}/export.csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["at", "what", "text"]
    assert rows[-1] == ["2026-11-23T03:16:00Z", "closed", "'=Era un disco"]
    assert provider.app.test_client().get(f"{path}/export.csv", **HERE).status_code == 303


def test_moments_are_drawn_to_scale() -> None:
    from factories import SENT_AT as AT

    from reporter.desk.board import STEP

    moments = [Moment(AT, Happened.BEGAN), Moment(AT + STEP, Happened.OPENED),
               Moment(AT + STEP * 4, Happened.CLOSED)]  # fmt: skip
    assert positions(moments, 320) == [0, 80, 320]
    assert positions(moments[:1], 320) == [0]
    assert positions([], 320) == []
    assert as_csv(moments).count("\n") == 4
