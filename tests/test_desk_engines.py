"""The desk over each database in turn: signing in, the board, finding, linking, promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from customers import Customer
from flask import Flask
from provider import Provider, a_provider_made_by
from test_board import listed, reference
from test_known_incident import NEW, TEXT, offered, outage, sends
from test_staff import PASSWORD, add, chosen, is_signed_in, path_of, signs_in


@pytest.fixture
def provider(make_app: Callable[..., Flask]) -> Iterator[Provider]:
    with a_provider_made_by(make_app) as provider:
        yield provider


def test_signing_in_and_what_ends_it(provider: Provider) -> None:
    link = add(provider)
    someone = chosen(provider, link)
    other = signs_in(provider)
    assert is_signed_in(someone)
    assert is_signed_in(other)
    assert Customer(provider.app).open(link).status == 404  # it was used
    assert signs_in(provider, "otra cosa larga").page.status == 422
    assert "active" in provider.command("staff", "list")
    someone.open("/desk")
    someone.submit("/desk/sign-out")
    assert (is_signed_in(someone), is_signed_in(other)) == (False, True)
    chosen(provider, path_of(provider.command("staff", "link", "Ana")), PASSWORD + "!")
    assert not is_signed_in(other)


def test_what_was_typed_when_a_session_ended(provider: Provider) -> None:
    token = provider.report()
    someone = chosen(provider, add(provider))
    opened = someone.open(f"/desk/{reference(provider, token)}")
    for text in ("Una", "Otra"):  # the second takes the place of the first
        provider.command("staff", "disable", "Ana")
        someone.page = opened
        assert someone.submit(follow=False, action="message", text=text).status == 303
    someone.open(path_of(provider.command("staff", "link", "Ana")))
    someone.submit(password=PASSWORD)
    page = someone.open(f"/desk/{reference(provider, token)}")
    assert page.fields["text"] == "Otra"
    assert someone.submit(action="message").status == 200
    assert someone.open(f"/desk/{reference(provider, token)}").fields["text"] == ""


def test_the_board_in_its_order_with_its_filters(provider: Provider) -> None:
    made = []
    for draft, impact in (("a", "minor"), ("b", "critical"), ("c", "critical"), ("d", "major")):
        made.append(provider.report(draft, impact=impact, started="just_now"))
        provider.later(minutes=1)
    provider.desk(made[1]).submit(action="acknowledge")
    provider.desk(made[3]).submit(action="message", text="En ello", next_news_at="03:30")
    support = provider.support()
    a, b, c, d = (reference(provider, each) for each in made)
    assert listed(support) == [c, a, b, d]
    provider.later(minutes=10)
    assert listed(support) == [c, d, a, b]
    assert listed(support, "/desk?state=late") == [d]
    assert listed(support, "/desk?state=unseen&severity=1") == [c]
    provider.desk(made[2]).submit(action="solve", text="Ya está")
    assert listed(support, "/desk?state=solved") == [c]
    assert listed(support, "/desk?state=all") == [d, c, b, a]
    assert listed(support, "/desk?state=all&severity=1&service=web-hosting") == [c, b]
    assert '<th scope="row">Total</th><td>4</td>' in support.open("/desk").html


@pytest.mark.parametrize(
    "asked", ["inigo@", "muñoz", "MUNOZ tienda", "www.example", "600 00 00", "c-1042"]
)
def test_what_a_caller_says_finds_the_report(provider: Provider, asked: str) -> None:
    token = provider.report()
    provider.report("b", name="Ana", company="", email="ana@cliente.example", phone="611 222 333",
                    affected="otra.test", customer_number="")  # fmt: skip
    assert listed(provider.support(), f"/desk?q={asked}") == [reference(provider, token)]
    for nothing in ("%00", "%25", "nadie@"):
        assert listed(provider.support(), f"/desk?q={nothing}") == []


def test_an_outage_is_linked_in_one_press_and_its_page_tells_of_it(provider: Provider) -> None:
    tokens = outage(provider, 5)
    other = outage(provider, 1, "email")[0]
    support = provider.support()
    support.open(NEW)
    assert offered(support.page) == [reference(provider, each) for each in tokens]
    apart = reference(provider, tokens[2])
    page = sends(support, text=TEXT, report=[e for e in offered(support.page) if e != apart])
    assert "<dt>Avisos vinculados</dt><dd>4</dd>" in page.html
    linked = [provider.row(each).notice_id is not None for each in (*tokens, other)]
    assert linked == [True, True, False, True, True, False]
    path = page.path
    assert offered(page) == [apart]
    sends(support, "link", action="link")
    assert "<dt>Avisos vinculados</dt><dd>5</dd>" in support.open(path).html
    provider.later(minutes=5)
    support.open(path)
    support.submit("update", action="close", text="Era un disco")
    exported = support.peek(f"{path}/export.json").response.json
    assert exported is not None
    assert (exported["reports"], exported["timeline"][-1]["what"]) == (5, "closed")
