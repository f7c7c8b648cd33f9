"""Who support is: accounts, signing in, sessions that end, and the proxy's login."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import sqlalchemy as sa
from customers import Customer, Page
from factories import SENT_AT, SETTINGS
from flask import Flask
from provider import Provider, a_provider, a_provider_made_by
from werkzeug.security import generate_password_hash

from reporter.models import Base, Staff, StaffSession
from reporter.staff import passwords
from reporter.staff.sessions import in_words
from reporter.staff.sign_on import is_believed
from reporter.staff.signed_in import own_path

PASSWORD = "un caballo lee el diario"
WRONG = "La dirección o la contraseña no es correcta."


def path_of(url: str) -> str:
    return url.strip().removeprefix("https://incidents.example.com")


def add(provider: Provider, name: str = "Ana", email: str = "ana@example.com") -> str:
    """The path of the link that the command prints."""
    return path_of(provider.command("staff", "add", name, email))


def chosen(provider: Provider, link: str, password: str = PASSWORD) -> Customer:
    """Somebody who has chosen a password with the link."""
    someone = Customer(provider.app)
    someone.open(link)
    someone.submit(password=password)
    return someone


def signs_in(
    provider: Provider,
    password: str = PASSWORD,
    email: str = "ana@example.com",
    there: str = "/desk",
    address: str = "127.0.0.1",
) -> Customer:
    someone = Customer(provider.app, REMOTE_ADDR=address)
    someone.open(there)
    someone.submit(email=email, password=password)
    return someone


def is_signed_in(someone: Customer) -> bool:
    page = someone.peek("/desk")
    assert page.status == 200 or page.location.startswith("/desk/sign-in")
    return page.status == 200


def everything(provider: Provider) -> list[Any]:
    with provider.database.read() as session:
        return [session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables]


def test_signing_in_and_what_fails_are_logged_without_a_name(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    link = add(provider)
    Customer(provider.app).open("/desk/welcome/none")
    chosen(provider, link)
    signs_in(provider)
    signs_in(provider, password="another one that is wrong")
    Customer(provider.app).peek("/desk/INC-K00000")
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[0] == "{"]
    assert [line["how"] for line in told if line["event"] == "signed in"] == [
        "one-time link",
        "password",
    ]
    refused = [line["reason"] for line in told if line["event"] == "refused"]
    assert refused == [
        "one-time link that is none, or no more",
        "not signed in",
        "not signed in",
        "wrong password",
        "not signed in",
    ]
    assert not {"ana", "example", "another"} & set(re.findall(r"[a-z]+", str(told).lower()))


# Accounts and one-time links


def test_a_link_shows_a_form_and_its_press_uses_it_up(provider: Provider) -> None:
    link = add(provider)
    assert re.fullmatch(r"/desk/welcome/[\w-]{22,}", link)
    before = everything(provider)
    for _ in range(2):
        assert Customer(provider.app).open(link).status == 200
    assert everything(provider) == before
    someone = chosen(provider, link)
    assert is_signed_in(someone)
    for page in (Customer(provider.app).open(link), someone.open(link)):
        assert page.status == 404
        assert "Este enlace ya no funciona" in page.text
    assert is_signed_in(signs_in(provider))


def test_a_link_works_for_an_hour(provider: Provider) -> None:
    link = add(provider)
    provider.later(minutes=59)
    assert Customer(provider.app).open(link).status == 200
    provider.later(minutes=1)
    assert Customer(provider.app).open(link).status == 404


def test_a_newer_link_ends_the_one_before(provider: Provider) -> None:
    first = add(provider)
    second = path_of(provider.command("staff", "link", "Ana"))
    assert Customer(provider.app).open(first).status == 404
    assert Customer(provider.app).open(second).status == 200


def test_a_password_is_hashed_as_slowly_as_werkzeug_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For the other tests it is quick."""
    monkeypatch.setattr(passwords, "generate_password_hash", generate_password_hash)
    assert passwords.hashed(PASSWORD).startswith("scrypt:32768:8:1$")


def test_the_database_keeps_neither_password_nor_token(provider: Provider) -> None:
    link = add(provider)
    someone = chosen(provider, link)
    cookie = someone.client.cookies["__Host-staff"]
    kept = repr(everything(provider))
    for secret in (PASSWORD, link.rpartition("/")[2], cookie):
        assert secret not in kept
    with provider.database.read() as session:
        row = session.scalars(sa.select(Staff)).one()
    assert (row.password_hash or "").startswith("scrypt:")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "12 caracteres o más"),
        ("once letras", "12 caracteres o más"),
        ("password1234", "demasiado fácil de adivinar"),
        ("Contraseña123", "demasiado fácil de adivinar"),
        ("aaaaaaaaaaaaaaaa", "demasiado fácil de adivinar"),
    ],
)
def test_a_password_is_long_and_not_the_first_to_be_tried(
    provider: Provider, password: str, said: str
) -> None:
    someone = Customer(provider.app)
    someone.open(add(provider))
    page = someone.submit(password=password)
    assert page.status == 422
    assert said in page.errors["password"]
    assert said in page.listed["password"]
    assert 'value="' + (password or "x") not in page.html
    assert not is_signed_in(someone)
    someone.submit(password=PASSWORD)  # the link is not used up
    assert is_signed_in(someone)


@pytest.mark.parametrize(
    "password", ["doce letras.", "ñ" * 11 + "o", " espacios al borde ", "x1" * 400]
)
def test_any_other_password_is_taken_as_it_is(provider: Provider, password: str) -> None:
    chosen(provider, add(provider), password)
    assert is_signed_in(signs_in(provider, password))
    assert not is_signed_in(signs_in(provider, password.strip() + "."))


def test_a_password_is_the_same_however_a_keyboard_composes_it(provider: Provider) -> None:
    chosen(provider, add(provider), "contrasen\u0303a propia")
    assert is_signed_in(signs_in(provider, "contraseña propia"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Ana", "otra@example.com"), "that name or address already"),
        (("Otra", "ANA@example.com"), "that name or address already"),
        (("Otra", "nobody"), "is not an email address"),
        (("\u200b", "otra@example.com"), "a name has 1 to 60 characters"),
        (("x" * 61, "otra@example.com"), "a name has 1 to 60 characters"),
    ],
)
def test_an_account_has_a_name_and_an_address_of_its_own(
    provider: Provider, words: tuple[str, str], said: str
) -> None:
    add(provider)
    assert said in provider.command("staff", "add", *words, fails=True)


def test_the_list_names_browsers_and_holds_no_terminal_escapes(provider: Provider) -> None:
    assert "Nobody yet" in provider.command("staff", "list")
    add(provider, "A\x1b[31mna\u202e", "ana@example.com")
    someone = Customer(provider.app)
    someone.headers["User-Agent"] = "\x1b]0;x\x07evil/1.0 Linux"
    someone.open(path_of(provider.command("staff", "link", "ana@example.com")))
    someone.submit(password=PASSWORD)
    said = provider.command("staff", "list")
    assert "active" in said
    assert "Linux (2026-11-23 02:22 UTC)" in said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", said)


def test_nobody_of_that_name_is_said(provider: Provider) -> None:
    for word in ("link", "disable"):
        assert "nobody has the name" in provider.command("staff", word, "Nadie", fails=True)


# Signing in


def test_whoever_is_not_signed_in_lands_where_the_link_pointed(provider: Provider) -> None:
    chosen(provider, add(provider))
    reference = provider.receipt(provider.report()).report.reference
    someone = Customer(provider.app)
    page = someone.peek(f"/desk/{reference}")
    assert page.status == 303
    assert someone.open(f"/desk/{reference}").status == 200
    page = someone.submit(follow=False, email="ana@example.com", password=PASSWORD)
    assert (page.status, page.location) == (303, f"/desk/{reference}")
    assert reference in someone.open(page.location).text


def test_a_query_is_not_lost_on_the_way(provider: Provider) -> None:
    chosen(provider, add(provider))
    there = "/desk/notices/new?service=email&since=2026-11-23T01:40Z"
    someone = signs_in(provider, there=there)
    assert someone.page.status == 200
    assert someone.page.fields["started_at"] == "2026-11-23 02:40"


@pytest.mark.parametrize(
    "path",
    ["/", "//evil.example", "/\\evil.example", "https://evil.example", "/desk\\@evil.example",
     "/deskevil", "/desk/\nLocation: x", "", "/desk/é"],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(provider: Provider, path: str) -> None:
    assert own_path(path) is None
    chosen(provider, add(provider))
    someone = Customer(provider.app)
    someone.open("/desk/sign-in")
    sent = {**someone.page.fields, "email": "ana@example.com", "password": PASSWORD}
    page = someone.ask("POST", f"/desk/sign-in?next={quote(path)}", sent)
    assert page.location == "/desk"


def test_a_stranger_does_not_learn_whether_a_report_is_there(provider: Provider) -> None:
    known = provider.receipt(provider.report()).report.reference
    someone = Customer(provider.app)
    someone.open("/")
    token = someone.open("/desk/sign-in").fields["csrf_token"]

    def answer(method: str, reference: str) -> tuple[int, str]:
        sent = {"csrf_token": token} if method == "POST" else None
        page = someone.ask(method, f"/desk/{reference}", sent)
        return page.status, page.html.replace(reference, "")

    for method in ("GET", "HEAD", "POST"):
        assert answer(method, known) == answer(method, "INC-A00000")
        assert answer(method, known)[0] == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [("ana@example.com", "otra cosa larga"), ("nadie@example.com", PASSWORD),
     ("luis@example.com", PASSWORD), ("eva@example.com", PASSWORD)],
)  # fmt: skip
def test_what_is_wrong_is_not_told(provider: Provider, email: str, password: str) -> None:
    """Not that nobody has the address, nor that they were disabled or never chose a password."""
    chosen(provider, add(provider))
    chosen(provider, add(provider, "Luis", "luis@example.com"))
    provider.command("staff", "disable", "Luis")
    add(provider, "Eva", "eva@example.com")
    page = signs_in(provider, password, email).page
    assert (page.status, WRONG in page.text) == (422, True)
    assert page.fields["email"] == email
    assert not page.fields["password"]


def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen(provider, add(provider))
    asked: list[str] = []
    real = passwords.check_password_hash

    def counted(password_hash: str, password: str) -> bool:
        asked.append(password_hash.partition("$")[0])
        return bool(real(password_hash, password))

    monkeypatch.setattr(passwords, "check_password_hash", counted)
    signs_in(provider, "otra cosa larga")
    signs_in(provider, email="nadie@example.com")
    assert len(asked) == 2
    assert len(set(asked)) == 1


def test_the_page_is_in_the_language_of_whoever_reads_it(provider: Provider) -> None:
    page = Customer(provider.app, "en").open("/desk")
    assert "Sign in" in page.text
    assert "<script" in page.html  # the shared one; nothing of this page needs it


def test_a_form_of_another_page_signs_nobody_in(provider: Provider) -> None:
    chosen(provider, add(provider))
    someone = Customer(provider.app)
    someone.open("/desk")
    someone.submit(email="ana@example.com", password=PASSWORD, csrf_token="stale")
    assert not is_signed_in(someone)


@pytest.mark.parametrize("elsewhere", ["same-site", "cross-site"])
def test_a_post_that_another_site_caused_is_refused(provider: Provider, elsewhere: str) -> None:
    """Also with a token that is right: a sibling host may have set the cookie it hangs on."""
    token = provider.report()
    desk = provider.desk(token)
    opened = desk.page
    desk.headers["Sec-Fetch-Site"] = elsewhere
    assert desk.submit(action="acknowledge").status == 403
    assert provider.row(token).seen_at is None
    desk.page = opened
    desk.headers["Sec-Fetch-Site"] = "same-origin"
    assert desk.submit(action="acknowledge").status == 200
    assert provider.row(token).seen_at == SENT_AT


# Wrong ones are slowed


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path, RATELIMIT_ENABLED=True) as provider:
        yield provider


def tries(provider: Provider, password: str, address: str, someone: Customer | None = None) -> Page:
    someone = someone or Customer(provider.app)
    someone.environment = {"REMOTE_ADDR": address}
    someone.open("/desk/sign-in")
    return someone.submit(email="ana@example.com", password=password)


def test_one_address_is_slowed_whatever_account_it_tries(limited: Provider) -> None:
    statuses = [
        signs_in(limited, "otra cosa larga", f"{number}@example.com").page.status
        for number in range(21)
    ]
    assert statuses == [422] * 20 + [429]
    limited.later(minutes=2)
    assert signs_in(limited, "otra cosa larga", "x@example.com").page.status == 422


def test_one_account_is_slowed_from_everywhere_and_never_locked(limited: Provider) -> None:
    known = chosen(limited, add(limited))
    known.open("/desk")
    known.submit("/desk/sign-out")
    statuses = [tries(limited, "otra cosa larga", f"192.0.2.{n}").status for n in range(11)]
    assert statuses == [422] * 10 + [429]
    page = tries(limited, PASSWORD, "198.51.100.1")
    assert (page.status, "Espere unos minutos" in page.text) == (429, True)
    # Whose browser was signed in before is not kept out by strangers; nor is a one-time link.
    assert tries(limited, PASSWORD, "198.51.100.2", known).status == 200
    assert is_signed_in(known)
    link = path_of(limited.command("staff", "link", "Ana"))
    assert is_signed_in(chosen(limited, link))
    limited.later(minutes=6)
    assert tries(limited, PASSWORD, "198.51.100.3").status == 200


def test_wrong_passwords_are_counted_over_all_processes(make_app: Callable[..., Flask]) -> None:
    """Two applications over one database are as two machines."""
    with a_provider_made_by(make_app) as first:
        chosen(first, add(first))
        second = Provider(make_app(**SETTINGS), first.smtp, first.clock)
        for each in (first, second):
            each.app.config["RATELIMIT_ENABLED"] = True
        statuses = [
            tries([first, second][number % 2], "otra cosa larga", f"192.0.2.{number}").status
            for number in range(11)
        ]
        assert statuses == [422] * 10 + [429]
        assert tries(second, PASSWORD, "198.51.100.1").status == 429
        # An account that is none is slowed alike: the answer does not tell it from the other.
        nobody = [
            signs_in(
                [first, second][number % 2], "otra cosa larga", "nadie@example.com", address=address
            )
            for number, address in enumerate(f"198.51.101.{n}" for n in range(11))
        ]
        assert [each.page.status for each in nobody] == [422] * 10 + [429]
        first.later(minutes=6)
        assert tries(second, PASSWORD, "198.51.100.2").status == 200


def test_the_right_password_begins_the_count_of_its_account_anew(limited: Provider) -> None:
    chosen(limited, add(limited))
    typed = ["otra cosa larga"] * 9 + [PASSWORD] + ["otra cosa larga"] * 10
    statuses = [tries(limited, each, f"192.0.2.{n}").status for n, each in enumerate(typed)]
    assert statuses == [422] * 9 + [200] + [422] * 10


# A session dies


def replayed(provider: Provider, someone: Customer) -> Customer:
    """Another browser with a copy of the cookie."""
    (cookie,) = [each for each in someone.client.cookiejar if each.name == "__Host-staff"]
    assert (cookie.secure, cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == (
        True,
        "/",
        True,
    )
    assert cookie.expires == (provider.now + timedelta(days=30)).timestamp()
    copy = Customer(provider.app)
    copy.client.cookiejar.set_cookie(cookie)
    assert is_signed_in(copy)
    return copy


@pytest.mark.parametrize("end", ["sign-out", "disable", "new password", "thirty days"])
def test_a_session_ends_also_for_a_copy_of_its_cookie(provider: Provider, end: str) -> None:
    someone = chosen(provider, add(provider))
    other = signs_in(provider)
    copy = replayed(provider, someone)
    match end:
        case "sign-out":
            someone.open("/desk")
            assert "Iniciar sesión" in someone.submit("/desk/sign-out").text
        case "disable":
            provider.command("staff", "disable", "Ana")
        case "new password":
            chosen(provider, path_of(provider.command("staff", "link", "Ana")), PASSWORD + "!")
        case _:
            provider.later(days=30)
    assert not is_signed_in(copy)
    assert not is_signed_in(someone)
    page = copy.peek("/desk/INC-A00000")
    assert (page.status, page.location) == (303, "/desk/sign-in?next=/desk/INC-A00000")
    assert is_signed_in(other) == (end == "sign-out")  # which ends this browser's alone


def test_signing_in_again_ends_the_session_that_the_browser_had(provider: Provider) -> None:
    """And gives it another secret, so that whoever had put the first one there has nothing."""
    someone = chosen(provider, add(provider))
    copy = replayed(provider, someone)
    csrf = someone.open("/desk").filled("/desk/sign-out")["csrf_token"]
    before = someone.client.cookies["__Host-staff"]
    sent = {"csrf_token": csrf, "email": "ana@example.com", "password": PASSWORD}
    assert someone.ask("POST", "/desk/sign-in", sent).location == "/desk"
    assert someone.client.cookies["__Host-staff"] != before
    assert is_signed_in(someone)
    assert not is_signed_in(copy)


PLACES = {
    "report": ("/desk/{reference}", {"action": "message", "next_news_at": "10:30"}),
    "new": ("/desk/notices/new?service=email&since=2026-11-23T01:40Z", {"text_en": "Down"}),
    "notice": ("/desk/notices/{key}", {"action": "update", "text_en": "Down"}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("end", ["sign-out", "disable", "thirty days"])
def test_what_was_typed_when_the_session_ended_is_there_after_signing_in(
    provider: Provider, place: str, end: str
) -> None:
    known = {
        "reference": provider.receipt(provider.report()).report.reference,
        "key": provider.command("notice", "open", "--service", "email", "--text", "Cae").strip(),
    }
    someone = chosen(provider, add(provider))
    path, typed = PLACES[place]
    path, typed = path.format(**known), {"text": "Dos líneas\r\nde texto", **typed}
    opened = someone.open(path)
    match end:
        case "sign-out":
            someone.open("/desk")
            someone.submit("/desk/sign-out")
        case "disable":
            provider.command("staff", "disable", "Ana")
        case _:
            provider.later(days=30)
    someone.page = opened
    # Signing out gives the browser no new token, so that its other pages are not stale.
    page = someone.submit(follow=False, **typed)
    assert (page.status, unquote(page.location)) == (303, f"/desk/sign-in?next={path}")
    assert not provider.waiting(kind="news")
    assert provider.command("notice", "list").count("N-") == 1
    if end == "disable":
        someone.open(path_of(provider.command("staff", "link", "Ana")))
        someone.submit(password=PASSWORD)
    else:
        someone.open(page.location)
        someone.submit(email="ana@example.com", password=PASSWORD)
    page = someone.open(path)
    assert "Lo que escribió está aquí de nuevo y aún no se ha enviado." in page.text
    assert {name: page.fields[name] for name in typed if name != "action"} == {
        name: value for name, value in typed.items() if name != "action"
    }
    # Elsewhere it is not, and once it is sent it is gone.
    assert "está aquí de nuevo" not in someone.open("/desk/notices/new?service=database").text
    someone.page = page
    sent = someone.submit(**{k: v for k, v in typed.items() if k == "action"}, next_news_at="")
    assert sent.status == 200
    assert "está aquí de nuevo" not in someone.open(path).text


def test_nothing_is_kept_of_a_browser_in_which_nobody_was_signed_in(provider: Provider) -> None:
    chosen(provider, add(provider))
    reference = provider.receipt(provider.report()).report.reference
    someone = Customer(provider.app)
    csrf = someone.open("/desk/sign-in").fields["csrf_token"]
    before = everything(provider)
    for mark in ("", "forged"):
        if mark:
            someone.client.set_cookie("__Host-known", mark)
        sent = {"csrf_token": csrf, "action": "message", "text": "Hemos sido atacados"}
        page = someone.ask("POST", f"/desk/{reference}", sent)
        assert page.status == 303
    assert everything(provider) == before


def test_every_page_of_the_desk_asks_to_sign_in(provider: Provider) -> None:
    """Whatever it is asked for, and by a browser with a cookie that is worth nothing as well."""
    token = provider.report()
    known = {"reference": provider.receipt(token).report.reference, "key": "N-00000", "kind": "csv"}
    someone = Customer(provider.app)
    csrf = someone.open("/desk/sign-in").fields["csrf_token"]
    addresses = provider.app.url_map.bind("incidents.example.com")
    asked = 0
    for cookie in ("", "none"):
        if cookie:
            someone.client.set_cookie("__Host-staff", cookie)
        for rule in provider.app.url_map.iter_rules():
            if not rule.rule.startswith("/desk") or rule.endpoint.startswith("staff."):
                continue
            path = addresses.build(
                rule.endpoint, {each: known.get(each, "1") for each in rule.arguments}
            )
            for method in sorted((rule.methods or set()) & {"GET", "HEAD", "POST"}):
                page = someone.ask(method, path, {"csrf_token": csrf} if method == "POST" else None)
                assert (page.status, page.location.partition("?")[0]) == (303, "/desk/sign-in")
                asked += 1
    assert asked >= 20


@pytest.mark.parametrize("ends", ["another password", "disabled"])
def test_a_password_that_ends_while_it_is_looked_at_signs_nobody_in(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    chosen(provider, add(provider))
    matches = passwords.matches

    def meanwhile(*told: Any) -> bool:
        if ends == "disabled":
            provider.command("staff", "disable", "Ana")
        else:
            chosen(provider, path_of(provider.command("staff", "link", "Ana")), PASSWORD + "!")
        return matches(*told)

    monkeypatch.setattr(passwords, "matches", meanwhile)
    late = signs_in(provider)
    provider.command("staff", "link", "Ana")  # which lets in again who was disabled
    assert (late.page.status, is_signed_in(late)) == (422, False)


def test_whoever_was_disabled_cannot_sign_in_until_a_new_link(provider: Provider) -> None:
    link = add(provider)
    provider.command("staff", "disable", "Ana")
    assert Customer(provider.app).open(link).status == 404
    chosen(provider, path_of(provider.command("staff", "link", "Ana")))
    provider.command("staff", "disable", "Ana")
    assert not is_signed_in(signs_in(provider))
    assert "disabled" in provider.command("staff", "list")
    assert is_signed_in(chosen(provider, path_of(provider.command("staff", "link", "Ana"))))


def test_looking_writes_nothing_and_acting_says_when(provider: Provider) -> None:
    desk = provider.desk(provider.report())
    provider.later(minutes=5)
    before = everything(provider)
    desk.open(desk.page.path)
    assert everything(provider) == before
    desk.submit(action="acknowledge")
    with provider.database.read() as session:
        row = session.scalars(sa.select(StaffSession)).one()
    assert (row.created_at, row.used_at) == (provider.now - timedelta(minutes=5), provider.now)
    assert row.browser == "Firefox, Linux"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) "
         "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet, Android"),
        ("curl/8.5.0", "curl"),
        ("", "?"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_its_owner_knows_it(agent: str, words: str) -> None:
    assert in_words(agent) == words


# The proxy's login


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path, STAFF_HEADER="X-Forwarded-Email", TRUSTED_PROXIES=1) as provider:
        add(provider)
        yield provider


def named(provider: Provider, email: str, peer: str = "127.0.0.1", **headers: str) -> Customer:
    someone = Customer(provider.app, REMOTE_ADDR=peer)
    someone.headers |= {"X-Forwarded-Email": email, **headers}
    return someone


def test_whom_the_proxy_names_is_signed_in(behind_proxy: Provider) -> None:
    assert is_signed_in(named(behind_proxy, "Ana@Example.com"))
    reference = behind_proxy.receipt(behind_proxy.report()).report.reference
    someone = named(behind_proxy, "ana@example.com")
    someone.open(f"/desk/{reference}")
    assert "· Ana" in " ".join(someone.submit(action="acknowledge").text.split())
    assert someone.peek("/desk/sign-in").location == "/desk"


@pytest.mark.parametrize("email", ["", "nadie@example.com", "ana@example.com,luis@example.com"])
def test_whom_it_does_not_name_is_nobody(behind_proxy: Provider, email: str) -> None:
    assert not is_signed_in(named(behind_proxy, email))


def test_a_disabled_one_is_nobody_whatever_the_proxy_says(behind_proxy: Provider) -> None:
    behind_proxy.command("staff", "disable", "Ana")
    assert not is_signed_in(named(behind_proxy, "ana@example.com"))


def test_the_header_counts_only_from_the_proxy_itself(behind_proxy: Provider) -> None:
    """The address of the connection, not the one that is forwarded."""
    assert not is_signed_in(named(behind_proxy, "ana@example.com", peer="192.0.2.7"))
    forged = {"X-Forwarded-For": "127.0.0.1"}
    assert not is_signed_in(named(behind_proxy, "ana@example.com", peer="192.0.2.7", **forged))
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert is_signed_in(named(behind_proxy, "ana@example.com", **forwarded))


@pytest.mark.parametrize("spelt", ["X_Forwarded_Email", "X-Forwarded_Email"])
def test_another_spelling_of_the_header_signs_nobody_in(behind_proxy: Provider, spelt: str) -> None:
    stranger = Customer(behind_proxy.app, REMOTE_ADDR="192.0.2.7")
    stranger.headers |= {spelt: "ana@example.com"}
    assert not is_signed_in(stranger)
    add(behind_proxy, "Luis", "luis@example.com")
    twice = named(behind_proxy, "luis@example.com,ana@example.com")  # as a server joins the two
    assert not is_signed_in(twice)


def test_without_the_setting_no_header_is_believed(provider: Provider) -> None:
    add(provider)
    assert not is_signed_in(named(provider, "ana@example.com"))


@pytest.mark.parametrize(
    ("peer", "networks", "believed"),
    [
        ("127.0.0.1", ["127.0.0.1", "::1"], True),
        ("::ffff:127.0.0.1", ["127.0.0.1"], True),
        ("::1", ["127.0.0.1", "::1"], True),
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["10.0.0.1/8"], True),
        ("", ["127.0.0.1"], False),
        ("unix:", ["127.0.0.1"], False),
    ],
)
def test_which_peers_are_believed(peer: str, networks: list[str], believed: bool) -> None:
    assert is_believed(peer, networks) == believed


def test_a_call_outlives_the_path_that_has_the_login(behind_proxy: Provider) -> None:
    """The proxy asks for its login at the desk alone; the form has none before it."""
    someone = named(behind_proxy, "ana@example.com")
    someone.open("/desk")
    someone.submit("/desk/call")
    del someone.headers["X-Forwarded-Email"]
    assert "Está recogiendo este aviso por teléfono" in " ".join(someone.open("/").text.split())
    behind_proxy.later(hours=12)
    assert "por teléfono" not in someone.open("/").text
    assert not is_signed_in(someone)
