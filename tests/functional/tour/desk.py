"""Support's pages, each in the states that support meets."""

from __future__ import annotations

from pages import PASSWORD, Person, soon
from running import Sent, Visitor, until

from .party import Party
from .receipt import UPDATE

TRACE = (
    "traceroute to 192.0.2.1, 30 hops max\n 1  gw (10.0.0.1)      0.512 ms   0.430 ms\n" + "x" * 200
)
LONG = "No carga nada de la tienda, ni la portada ni el panel, desde la actualización de anoche"
SIGNED_IN = {"email": "ana@example.com", "password": PASSWORD}


def signing_in(party: Party) -> None:
    """Up to a board with nothing on it."""
    support, look = party.support, party.look
    support.opens(party.service.welcome("add", "Ana", SIGNED_IN["email"]))
    look(support, "welcome")
    support.fills({"password": "corta"})
    support.continues()
    look(support, "welcome, errors")
    support.fills({"password": PASSWORD})
    support.continues()
    look(support, "board, empty")
    support.follows("[formaction='/desk/sign-out']")
    look(support, "sign in")
    support.continues()
    look(support, "sign in, errors")
    support.fills(SIGNED_IN | {"password": "otra cosa larga"})
    support.continues()
    look(support, "sign in, wrong password")
    support.fills(SIGNED_IN)
    support.continues()
    support.opens("/desk/welcome/x")
    look(support, "link that does not work")


def board(party: Party) -> list[Sent]:
    """With reports of their own, which are returned."""
    support, service, look = party.support, party.service, party.look
    texts = {"error_message": TRACE, "summary": LONG, "email": "a" * 40 + "@example.com"}
    told: list[dict[str, str]] = [
        texts,
        {"service": "email", "impact": "minor", "phone": "", "preferred_channel": "email"},
        {"impact": "major", "summary": "Va lento"},
    ]
    visitors = [Visitor(service, support.language) for _ in told]
    reports = [visitor.sends(**each) for visitor, each in zip(visitors, told, strict=True)]
    support.opens("/desk")
    look(support, "board, nobody has seen them")
    reference = reports[2].reference
    support.opens(f"/desk/{reference}")
    support.fills({"text": "En ello", "next_news_at": soon()})
    support.follows("[value=message]")
    late = "UPDATE report SET next_news_at = '2026-01-01 10:00:00.000000' WHERE reference = ?"
    service.sql(late, reference)
    support.opens("/desk")
    support.presses("#board summary")
    look(support, "board, late, with its numbers")
    support.opens("/desk?state=late&service=web-hosting")
    look(support, "board, filtered")
    support.opens("/desk?q=nadie")
    look(support, "board, nothing found")
    return reports


def one_report(party: Party, reports: list[Sent]) -> None:
    customer, support, service, look = party.customer, party.support, party.service, party.look
    first, second, third = (each.reference for each in reports)
    until(lambda: "sent" in service.run("outbox", "show", first))
    support.opens(f"/desk/{first}")
    look(support, "report, nobody has seen it")
    support.presses("[value=contact] >> xpath=ancestor::details/summary")
    support.fills({"email": "nadie", "phone": "12"})
    support.follows("[value=contact]")
    look(support, "report, contact errors")
    support.opens(f"/desk/{first}")
    support.follows("[value=solve]")
    look(support, "report, solved without a cause?")
    service.refuses("acknowledgement", third)
    customer.opens(reports[2].receipt)
    look(customer, "receipt, its update late and a mail refused")
    service.sql("UPDATE report SET unreachable_at = saved_at WHERE reference = ?", third)
    support.opens(f"/desk/{third}")
    look(support, "report, late, with a mail refused")
    customer.reloads()
    look(customer, "receipt, with an address that is not reached")
    until(lambda: "sent" in service.run("outbox", "show", second))
    shorter = "UPDATE message SET form = 'stub' WHERE kind = 'ticket' AND reference = ?"
    service.sql(shorter, second)
    customer.opens(reports[1].receipt)
    look(customer, "receipt, sent in a shorter form")
    support.fills({"text": "Seguimos en ello"})
    service.run("staff", "disable", "Ana")
    support.follows("[value=message]")
    support.opens(service.welcome("link", "Ana"))
    support.fills({"password": PASSWORD})
    support.continues()
    support.opens(f"/desk/{third}")
    look(support, "report, what was typed before")


def outage(party: Party, sent: Sent) -> None:
    """A known incident, from the customer's report, which turns out to be of it later."""
    customer, support, look = party.customer, party.support, party.look
    _news(customer, support, sent)
    look(support, "report, with details and an update")
    customer.opens(sent.receipt)
    look(customer, "receipt, seen and news")
    support.fills({"next_news_at": "pronto"})
    support.follows("[value=message]")
    look(support, "report, errors")
    support.opens("/desk/notices/new")
    look(support, "open a known incident, of which service?")
    support.opens(f"/desk/{sent.reference}")
    support.follows("a[href*='/desk/notices/new']")
    look(support, "open a known incident, with reports")
    support.fills({"started_at": "pronto"})
    support.continues()
    look(support, "open a known incident, errors")
    support.page.go_back()
    support.fills({"text": "Cae el nodo 7", "next_news_at": soon()})
    support.page.locator(f"[name=report][value={sent.reference}]").uncheck()
    support.continues()
    look(support, "known incident, with reports left")
    support.follows("[value=update]")
    look(support, "known incident, errors")
    support.fills({"text": "Cambiamos el disco\ny comprobamos", "next_news_at": soon()})
    support.follows("[value=update]")
    look(support, "known incident, told")
    support.opens("/desk/notices/new?service=web-hosting")
    look(support, "open a known incident, beside another")
    support.opens(f"/desk/{sent.reference}")
    support.follows("[value=link_notice]")
    support.fills({"text": "Era un disco lleno."})
    support.follows("[value=solve]")
    look(support, "report, done")
    customer.opens(sent.receipt)
    look(customer, "receipt, solved and linked")


def _news(customer: Person, support: Person, sent: Sent) -> None:
    """Each tells the other something."""
    support.opens(f"/desk/{sent.reference}")
    support.fills({"text": "Hemos encontrado la causa.", "next_news_at": soon()})
    support.follows("[value=message]")
    customer.opens(sent.receipt)
    customer.follows("[name=wanted]")
    customer.fills({"kind": "worse", "text": "Ahora tampoco hay correo\n" + "x" * 300})
    customer.follows(UPDATE)
    support.reloads()


def over(party: Party) -> None:
    """The known incident, which a follower's address did not hear of."""
    support, service = party.support, party.service
    service.sql("UPDATE follower SET unreachable_at = created_at")
    support.opens(f"/desk{party.notice}")
    party.look(support, "known incident, over")


def a_call(party: Party, sent: Sent) -> None:
    support, look = party.support, party.look
    support.opens("/desk")
    look(support, "board, a known incident")
    support.follows("form[action='/desk/call'] button:not([formaction])")
    look(support, "a call")
    support.opens("/")
    look(support, "operator, start")
    support.opens("/report/failure")
    look(support, "operator, step")
    support.opens(sent.receipt)
    look(support, "operator, receipt")
