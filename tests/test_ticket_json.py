"""The ticket as JSON: it validates against the schema that is served, and loses nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factories import ANSWERS, SENT_AT, a_report, parsed
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from wtforms.fields.core import UnboundField

from reporter.mail.ticket import compose_ticket
from reporter.mail.ticket_json import schema, to_bytes, trouble_ticket
from reporter.report import Report
from reporter.wizard.detail_steps import DETAIL_STEPS

pytestmark = pytest.mark.usefixtures("inside_a_request")

BLANK = dict.fromkeys(
    ["affected", "error_message", "frequency", "change_description", "company",
     "customer_number", "phone"],
    "",
) | {"changed": "no", "preferred_channel": "email"}  # fmt: skip


# The second stage, which no first mail has answers of.
DETAILS = [
    name
    for step in DETAIL_STEPS
    for name, declared in vars(step.form).items()
    if isinstance(declared, UnboundField)
]


def validator() -> Draft202012Validator:
    return Draft202012Validator(schema(), format_checker=FormatChecker())


def attached(report: Report) -> dict[str, Any]:
    """The twin as the mail carries it."""
    (attachment,) = parsed(compose_ticket(report)).iter_attachments()
    content: dict[str, Any] = json.loads(attachment.get_content())
    return content


def test_the_whole_ticket() -> None:
    ticket = attached(a_report())
    assert ticket.pop("description").startswith("QUÉ FALLA\n¿Qué servicio falla?\n| Alojamiento")
    assert ticket == {
        "@type": "TroubleTicket",
        "schemaVersion": "1",
        "externalIdentifier": [
            {
                "@type": "ExternalIdentifier",
                "id": "INC-KX7M9Q",
                "owner": "Ejemplo Hosting",
                "externalIdentifierType": "incident",
            }
        ],
        "ticketType": "incident",
        "name": "La tienda no carga – error 502",
        "severity": "1-critical",
        "priority": "critical",
        "creationDate": "2026-11-23T02:22:00Z",
        "startedAt": "2026-11-23T01:40:00Z",
        "channel": {"@type": "ChannelRef", "id": "web", "name": "web"},
        "relatedParty": [
            {
                "@type": "RelatedParty",
                "role": "customer",
                "name": "Íñigo Muñoz",
                "contactMedium": [
                    {
                        "@type": "email",
                        "mediumType": "email",
                        "emailAddress": "inigo@example.com",
                    },
                    {"@type": "phone", "mediumType": "phone", "phoneNumber": "+34 600 00 00 00"},
                ],
            }
        ],
        "relatedEntity": [
            {
                "@type": "RelatedEntity",
                "role": "affectedService",
                "entity": {
                    "@type": "EntityRef",
                    "@referredType": "Service",
                    "id": "web-hosting",
                },
            }
        ],
        "note": [],
        "attachment": [],
        "flags": [],
        "answers": {
            **ANSWERS,
            "screenshots": None,
            "started_fold": None,
            "approximate": "no",
            "phone": "+34 600 00 00 00",
            **dict.fromkeys(DETAILS),
        },
    }


def test_the_schema_is_a_schema_and_is_served_as_one(inside_a_request: Flask) -> None:
    Draft202012Validator.check_schema(schema())
    response = inside_a_request.test_client().get("/schema/ticket-v1.json")
    assert response.mimetype == "application/schema+json"
    assert json.loads(response.data) == schema()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        BLANK,
        {"started": "unknown", "pattern": "unknown", "changed": "unknown"},
        {"started": "just_now", "timezone": "America/Bogota"},
        {"started_at": "2026-10-25T02:30", "started_fold": "earlier", "approximate": "yes"},
        {"impact": "question", "service": "other"},
        {"email": "ana@straße.example"},
        {"summary": "\x00.", "affected": "\u202e\ud7ff\uffff", "name": "\N{FIRE}"},
    ],
    ids=lambda changes: ",".join(changes) or "whole",
)
@pytest.mark.parametrize("flags", [(), ("hidden_field", "too_fast")], ids=["", "flagged"])
def test_every_ticket_validates(changes: dict[str, str], flags: tuple[str, ...]) -> None:
    validator().validate(attached(a_report(flags=flags, **changes)))


def test_a_ticket_with_a_key_the_schema_does_not_know_does_not_validate() -> None:
    ticket = attached(a_report())
    for where in (ticket, ticket["answers"]):
        where["surprise"] = "x"
        assert not validator().is_valid(ticket)
        del where["surprise"]
    assert validator().is_valid(ticket)


def test_an_answer_is_given_as_it_was_typed_but_for_what_a_paste_adds_to_a_line() -> None:
    typed = "  <b>ñ</b> \r\n\r\n\t-- \x00\x85\u2028\u202e \N{FIRE} e\u0301 \\u0000 \"'"
    answers = attached(a_report(error_message=typed, affected=typed, company=typed))["answers"]
    assert answers["error_message"] == typed
    assert answers["affected"] == typed
    assert answers["company"] == "<b>ñ</b> -- \N{FIRE} e\u0301 \\u0000 \"'"  # a line of it


def test_what_was_left_blank_or_not_asked_is_null() -> None:
    answers = attached(a_report(**BLANK, started="just_now", pattern="over"))["answers"]
    null = {key for key, value in answers.items() if value is None}
    assert null == {
        "affected", "error_message", "screenshots", "started_at", "started_fold", "approximate",
        "frequency", "change_description", "company", "customer_number", "phone", *DETAILS,
    }  # fmt: skip


def test_not_knowing_is_an_answer() -> None:
    answers = attached(a_report(changed="unknown", started="unknown"))["answers"]
    assert (answers["changed"], answers["started"]) == ("unknown", "unknown")


def test_a_start_nobody_knows_is_null() -> None:
    assert attached(a_report(started="unknown"))["startedAt"] is None


@pytest.mark.parametrize(
    ("impact", "priority"),
    [("critical", "critical"), ("major", "high"), ("minor", "medium"), ("question", "low")],
)
def test_the_priority_follows_the_impact(impact: str, priority: str) -> None:
    assert attached(a_report(impact=impact))["priority"] == priority


def test_the_description_is_in_the_language_asked_for() -> None:
    assert trouble_ticket(a_report(), "en")["description"].startswith(
        "WHAT IS WRONG\nWhich service is failing?\n"
    )


def test_the_file_is_utf8_that_people_can_read() -> None:
    content = to_bytes(trouble_ticket(a_report(at=SENT_AT), "es"))
    assert "La tienda no carga – error 502".encode() in content
    assert content.endswith(b"}\n")
