"""The ticket as JSON: the twin of the key block, with every answer as it was typed.

Names are those of the TM Forum's Trouble Ticket API (TMF621). Its schema is published at
/schema/ticket-v1.json, and every mail validates against it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import current_app

from reporter.mail.ticket_text import sections_text
from reporter.report import CustomerUpdate, Report, StoredFile

SCHEMA_VERSION = "1"
SCHEMA_FILE = Path(__file__).with_name("ticket-v1.json")
# Each value on a line of its own. `indent` would do without the encoder that is written in C.
LINES = json.JSONEncoder(ensure_ascii=False, separators=(",\n  ", ": ")).encode
PRIORITIES = {1: "critical", 2: "high", 3: "medium", 4: "low"}


def trouble_ticket(
    report: Report,
    language: str,
    updates: Sequence[CustomerUpdate] = (),
    files: Sequence[StoredFile] = (),
    description: str | None = None,
) -> dict[str, Any]:
    """*report* as a TMF621 trouble ticket, its description in *language*.

    *updates*: what came after it; *files*: the attachments of the same mail; *description*: its
    `sections_text`, if it is there.
    """
    return {
        "@type": "TroubleTicket",
        "schemaVersion": SCHEMA_VERSION,
        "externalIdentifier": [
            {
                "@type": "ExternalIdentifier",
                "id": report.reference,
                "owner": current_app.config["PROVIDER_NAME"],
                "externalIdentifierType": "incident",
            }
        ],
        "ticketType": "incident",
        "name": report.text("summary"),
        "description": sections_text(report, language) if description is None else description,
        "severity": report.severity.code,
        "priority": PRIORITIES[report.severity.level],
        "creationDate": _utc(report.saved_at),
        "startedAt": _utc(report.started_at) if report.started_at else None,
        "channel": {"@type": "ChannelRef", "id": report.channel, "name": report.channel},
        "relatedParty": [_customer(report)],
        "relatedEntity": [
            {
                "@type": "RelatedEntity",
                "role": "affectedService",
                "entity": {
                    "@type": "EntityRef",
                    "@referredType": "Service",
                    "id": report.text("service"),
                },
            }
        ],
        "note": [
            {"author": "customer", "date": _utc(each.at), "noteType": each.kind, "text": each.text}
            for each in updates
        ],
        "attachment": [
            {
                "name": file.filename,
                "mimeType": file.mime_type,
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in files
        ],
        "flags": list(report.flags),
        "answers": dict(report.answers),
    }


def to_bytes(ticket: dict[str, Any]) -> bytes:
    """UTF-8 (RFC 8259). Control characters are escaped, everything else stands as it is."""
    return f"{LINES(ticket)}\n".encode()


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every one validates against."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return content


def _customer(report: Report) -> dict[str, Any]:
    mediums = [("email", "emailAddress", "email"), ("phone", "phoneNumber", "phone")]
    return {
        "@type": "RelatedParty",
        "role": "customer",
        "name": report.text("name"),
        "contactMedium": [
            {"@type": kind, "mediumType": kind, name: report.text(key)}
            for kind, name, key in mediums
            if report.text(key)
        ],
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
