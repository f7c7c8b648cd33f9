"""A relay that writes a Message-ID of its own: what it named a mail, as its answer tells."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from provider import Provider, to_support

from reporter.delivery.renamed import mime_id_at
from reporter.desk import promises
from reporter.models import Attempt

IRELAND = "email-smtp.eu-west-1.amazonaws.com:587"
SES = "0102018b6f2a3c4d-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d-000000"
EXCHANGE = "2.6.0 <AM0P1@eurprd04.prod.outlook.com> [InternalId=42] Queued mail for delivery"


@pytest.mark.parametrize(
    ("relay", "reply", "named"),
    [
        (IRELAND, f"Ok {SES}", f"<{SES}@eu-west-1.amazonses.com>"),
        ("email-smtp.us-east-1.amazonaws.com:465", f"Ok {SES}", f"<{SES}@email.amazonses.com>"),
        ("email-smtp-fips.us-gov-west-1.amazonaws.com:587", f"Ok {SES}",
         f"<{SES}@us-gov-west-1.amazonses.com>"),
        ("mail.example.com:25", EXCHANGE, "<AM0P1@eurprd04.prod.outlook.com>"),
        ("mail.example.com:25", f"Ok {SES}", ""),
        (IRELAND, "2.0.0 Ok: queued as 4F1A2", ""),
        ("mail.example.com:25", "2.0.0 Ok: queued as 4F1A2", ""),
        ("mail.example.com:25", "2.0.0 <support@example.com> accepted", ""),
        ("mail.example.com:25", "", ""),
    ],
)  # fmt: skip
def test_what_a_relay_named_a_mail(relay: str, reply: str, named: str) -> None:
    assert mime_id_at(relay, reply) == named


def test_what_follows_a_ticket_answers_the_mail_that_support_has(provider: Provider) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    named = f"<{SES}@eu-west-1.amazonses.com>"
    with provider.database.write() as session:
        session.execute(sa.update(Attempt).values(relay=IRELAND, reply=f"Ok {SES}"))
    provider.customer(token).submit("update", kind="worse", text="Peor")
    provider.desk(token).submit(action="message", text="En ello", next_news_at="03:40")
    provider.later(minutes=14)
    with provider.app.app_context():
        promises.remind()
    mails = to_support(provider.work())
    assert len(mails) == 2
    for mail in mails:
        assert mail["In-Reply-To"] == named
        assert mail["References"].split() == [ticket["Message-ID"], named]
        assert mail["Subject"] == f"Re: {ticket['Subject']}"


def test_one_that_keeps_ours_is_named_once(provider: Provider) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    with provider.database.write() as session:
        session.execute(sa.update(Attempt).values(reply=f"2.6.0 {ticket['Message-ID']} [x]"))
    provider.customer(token).submit("update", kind="worse", text="Peor")
    provider.later(minutes=1)
    (mail,) = to_support(provider.work())
    assert mail["In-Reply-To"] == mail["References"] == ticket["Message-ID"]
