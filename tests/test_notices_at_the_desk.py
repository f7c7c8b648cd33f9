"""Known incidents as support opens, tells and closes them at the desk."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from customers import Customer
from factories import SENT_AT
from incidents import ENGLISH, TEXT, entries, follow, from_desk, rows
from provider import Provider, link

from reporter.models import Message, Notice


def test_support_opens_one_from_the_desk_of_a_report(provider: Provider) -> None:
    token = provider.report()
    support = provider.support()
    path = from_desk(provider, token)
    page = support.open(path)
    assert "Abrir una incidencia conocida: Alojamiento web" in page.text
    assert page.fields["started_at"] == "2026-11-23 02:40"
    page = support.submit(text=TEXT, next_news_at="10:30")
    assert TEXT in page.text
    (row,) = rows(provider, Notice)
    assert row.services == ["web-hosting"]
    assert row.entries[0]["text"] == {"es": TEXT}
    assert f"{row.started_at:%H:%M} {row.next_news_at:%H:%M}" == "01:40 09:30"
    assert "Ya hay una abierta:" in support.open(path).text


def test_looking_at_the_form_opens_nothing(provider: Provider) -> None:
    path = from_desk(provider, provider.report())
    support = provider.support()
    for method in ("GET", "HEAD", "GET"):
        assert support.ask(method, f"{path}&text=x").status == 200
    sent = {"text": TEXT, "started_at": "02:40"}
    assert support.ask("POST", path, sent).status == 400
    assert rows(provider, Notice) == []


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"text": " "}, {"text"}),
        ({"text": "\u200b"}, {"text"}),
        ({"text": TEXT, "started_at": "ayer"}, {"started_at"}),
        ({"text": TEXT, "started_at": ""}, {"started_at"}),
        ({"text": TEXT, "started_at": "2026-11-24 10:00"}, {"started_at"}),
        ({"text": TEXT, "next_news_at": "pronto"}, {"next_news_at"}),
        ({"text": "", "started_at": "x", "next_news_at": "x"},
         {"text", "started_at", "next_news_at"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_said_at_once(
    provider: Provider, sent: dict[str, str], wrong: set[str]
) -> None:
    support = provider.support()
    support.open(from_desk(provider, provider.report()))
    page = support.submit(**sent)
    assert (page.status, set(page.errors)) == (422, wrong)
    assert page.fields["text"].strip() == sent["text"].strip()
    assert rows(provider, Notice) == []


def from_desk_opened(provider: Provider, token: str = "", **texts: str) -> Customer:
    """Somebody of support who has just opened one from the desk of a report."""
    support = provider.support()
    support.open(from_desk(provider, token or provider.report()))
    support.submit(**{"text": TEXT, **texts})
    return support


def test_support_tells_more_and_closes_it_without_a_shell(provider: Provider) -> None:
    support = from_desk_opened(provider)
    (notice,) = rows(provider, Notice)
    follow(provider, notice.key)
    provider.work()
    provider.later(minutes=5)
    page = support.open(support.page.path)
    assert re.search(r"Clientes que dicen que es su incidencia\s*1\s", page.text)
    page = support.submit(action="update", text="Casi", next_news_at="10:30")
    assert "Casi" in page.text
    assert [mail["To"] for mail in provider.work()] == ["ana@example.com"]
    provider.later(minutes=5)
    (digest,) = provider.work()
    assert support.open(link(digest, "/desk/notices/")).fields["text"] == ""
    page = support.submit(action="close", text="Era un disco", next_news_at="10:30")
    assert "terminada" in page.text
    assert "/desk/notices" not in page.action
    assert entries(provider) == [{"es": TEXT}, {"es": "Casi"}, {"es": "Era un disco"}]
    (row,) = rows(provider, Notice)
    assert (row.closed_at, row.next_news_at) == (SENT_AT + timedelta(minutes=10), None)
    (over,) = provider.work()
    assert over["Subject"] == f"{row.key}: la incidencia ha terminado"


def test_it_is_told_in_every_language_that_is_written(provider: Provider) -> None:
    support = from_desk_opened(provider, text_en=ENGLISH)
    texts = " ".join(support.page.text.split())
    assert "Lo mismo en inglés (opcional) Si se deja en blanco, estos clientes lo leen" in texts
    support.submit(action="update", text="Casi", text_en=" \u200b ")
    support.submit(action="close", text="Era un disco", text_en="It was a disk")
    assert entries(provider) == [
        {"es": TEXT, "en": ENGLISH},
        {"es": "Casi"},
        {"es": "Era un disco", "en": "It was a disk"},
    ]


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"action": "update", "text": "\u200b"}, {"text"}),
        ({"action": "close", "text": " "}, {"text"}),
        ({"action": "update", "text": "Casi", "next_news_at": "pronto"}, {"next_news_at"}),
        ({"action": "reopen", "text": "Casi"}, set()),
    ],
)
def test_news_with_something_wrong_is_not_told(
    provider: Provider, sent: dict[str, str], wrong: set[str]
) -> None:
    page = from_desk_opened(provider).forge(**sent)
    assert (page.status, set(page.errors)) == (422, wrong)
    assert entries(provider) == [{"es": TEXT}]


def test_a_second_press_tells_and_opens_nothing_new(provider: Provider) -> None:
    support = provider.support()
    opening = support.open(from_desk(provider, provider.report()))
    for _press in range(2):
        support.page = opening
        told = support.submit(text=TEXT)
    (notice,) = rows(provider, Notice)
    follow(provider, notice.key)
    for action in ("update", "update", "close", "close", "update"):
        support.page = told
        assert support.submit(action=action, text="Casi").status == 200
    assert entries(provider) == [{"es": TEXT}, {"es": "Casi"}, {"es": "Casi"}]
    assert len(rows(provider, Message, kind="notice")) == 2
    support.page = opening
    support.submit(text="Otra cosa")
    assert len(rows(provider, Notice)) == 2


def test_looking_at_its_desk_changes_nothing(provider: Provider) -> None:
    path = from_desk_opened(provider).page.path
    support = provider.support()
    for method in ("GET", "HEAD", "GET"):
        assert support.ask(method, f"{path}?action=close&text=x").status == 200
    assert support.ask("POST", path, {"action": "close", "text": "x"}).status == 400
    assert entries(provider) == [{"es": TEXT}]
