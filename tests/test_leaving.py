"""What a customer can take back: the link of a receipt, and what a browser knows."""

from __future__ import annotations

import re

import pytest
from customers import Customer
from provider import Provider

from reporter.links import REPLACEMENTS


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert found
    return found[1]


def replace(provider: Provider, token: str) -> str:
    """The token of the page after its link was replaced."""
    customer = provider.customer(token)
    assert customer.submit("replace").status == 200
    return customer.page.path.rpartition("/")[2]


def test_a_link_in_wrong_hands_is_replaced_and_opens_nothing_any_more(provider: Provider) -> None:
    token = provider.report()
    another = replace(provider, token)
    assert another != token
    stranger = Customer(provider.app)
    for path in (f"/r/{token}", f"/r/{token}/status.json", f"/r/{token}/details/impact"):
        assert stranger.open(path).status == 404
    assert stranger.open(f"/r/{another}").status == 200


def test_the_old_link_opens_nothing_by_any_route(provider: Provider) -> None:
    """No page, copy, state, form, or file, by any method; and nothing of it is in a feed."""
    token = provider.report()
    customer = provider.customer(token)
    customer.open(f"/r/{token}/details/evidence")
    customer.submit(files=[("nginx.log", b"Un registro.")])
    links = {path for path in customer.open(f"/r/{token}/details/review").links if token in path}
    replace(provider, token)
    client = provider.app.test_client()
    tried = 0
    for rule in provider.app.url_map.iter_rules():
        if not rule.rule.startswith("/r/"):
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule).replace("<token>", token)
        path = path.replace("<slug>", "evidence")
        links.add(re.sub(r"<[^>]+>", "1", path))
    for path in links:
        for method in ("GET", "POST"):
            answer = client.open(path, method=method)
            if answer.status_code in {301, 302, 303, 308}:  # to the receipt, which is not there
                answer = client.get(answer.location)
            assert answer.status_code in {400, 404, 405}, (method, path)
            assert b"Un registro" not in answer.data
            tried += answer.status_code == 404
    assert tried >= 6, links
    for feed in ("/notices.atom", "/notices.json"):
        assert token not in client.get(feed).text


def test_mails_that_follow_have_the_new_link(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    another = replace(provider, token)
    provider.customer(another).submit("news", wanted="yes")
    with provider.database.write() as session:
        from reporter.reports import store

        row = store.by_token(session, another)
        assert row
        row.news_wanted = True
    provider.desk(another).submit(action="message", text="En ello")
    [news] = [mail for mail in provider.work() if mail["To"] == "inigo@example.com"]
    assert f"/r/{another}" in news.as_string().replace("=\n", "")
    assert token not in news.as_string().replace("=\n", "")


def test_the_browser_that_sent_it_is_led_to_the_new_link(provider: Provider) -> None:
    customer = Customer(provider.app)
    sent = customer.report()
    assert "INC-" in sent.text
    token = customer.peek("/report/review").location.rpartition("/")[2]
    another = replace(provider, token)
    answer = customer.peek("/report/review")
    assert answer.location.endswith(f"/r/{another}")


def test_a_link_is_not_replaced_without_end(provider: Provider) -> None:
    token = provider.report()
    for _ in range(REPLACEMENTS):
        token = replace(provider, token)
    assert replace(provider, token) == token


def test_a_browser_forgets(provider: Provider) -> None:
    customer = Customer(provider.app)
    customer.report()
    answer = customer.submit("forget", follow=False)
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    again = customer.peek("/report/review")
    assert "/r/" not in again.location


def test_that_a_browser_forgot_is_said_before_all_else(provider: Provider, key: str) -> None:
    customer = Customer(provider.app)
    customer.report()
    page = customer.submit("forget")
    said, known = page.html.index("Hemos borrado"), page.html.index(f"/notices/{key}")
    assert said < known
    assert 'role="status" tabindex="-1" autofocus data-forget>Hemos borrado' in page.html


@pytest.mark.parametrize("chosen", ["", "en"])
def test_of_a_browser_that_forgets_the_language_stays_that_was_chosen_and_nothing_else(
    provider: Provider, chosen: str
) -> None:
    customer = Customer(provider.app)
    if chosen:
        customer.open(f"/?lang={chosen}")
    customer.report()
    customer.submit("forget")  # and the page that says so
    readable = provider.app.session_interface.get_signing_serializer(provider.app)  # type: ignore[attr-defined]
    kept = [readable.loads(cookie) for cookie in customer.client.cookies.values()]
    assert kept == ([{"lang": chosen}] if chosen else [])
