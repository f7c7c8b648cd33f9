"""The same five mails for every helpdesk, as the service composes them for its profile.

A ticket of hostile Spanish text; a second report at the same time; then, of the first, details with
two files, *worse* and *works again*.

    mails.py PROFILE FOLDER [NUMBER]

NUMBER: what the helpdesk calls the first one's ticket, where its hook has told that.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from factories import SENT_AT, a_report, an_app, body

from reporter.delivery.outbox import Mail
from reporter.links import desk_url
from reporter.mail.ticket import compose_followup, compose_ticket
from reporter.models import UpdateKind
from reporter.report import Answer, CustomerUpdate, Followup, Report, Section, StoredFile

HOSTILE = (
    "Al pagar sale «500 – ¡Error!» ñ 🔥\r\n-- \r\nFirma que algunos cortan\r\n\r\n"
    "> una cita\r\nOn Monday, support wrote:\r\n<b>negrita</b> &amp; <script>x</script>\r\n"
    "reference: INC-AAAAAA\r\n_____\r\n##- responda encima -##\r\n"
    "    sangrado\tcon tabulador\r\n[#1] [Ticket#2026112310000011]\r\n"
    + "una línea muy larga "
    * 40
)
FILES = (
    ("captura.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
    ("nginx.log", "application/octet-stream", "2026-11-23 caída ñ\r\n".encode() * 50),
)


def compose(profile: str, number: str = "") -> list[tuple[str, Mail]]:
    with (
        TemporaryDirectory() as database,
        an_app(Path(database), HELPDESK_PROFILE=profile, **SETTINGS) as app,
        app.test_request_context(),
    ):
        first = a_report(reference="INC-KX7M9Q", error_message=HOSTILE, **LONE)
        other = a_report(reference="INC-M3T8WZ", email="eva@otra.example", name="Eva Sanz", **LONE)
        stored = [
            (
                StoredFile(
                    place,
                    name,
                    f"INC-KX7M9Q-{place}-{name}",
                    kind,
                    len(content),
                    hashlib.sha256(content).hexdigest(),
                    1,
                ),
                content,
            )
            for place, (name, kind, content) in enumerate(FILES, 1)
        ]
        later = with_answer(first, "users_affected", "40 – y subiendo")
        told = [
            CustomerUpdate(UpdateKind.DETAILS, "", SENT_AT + timedelta(minutes=5)),
            CustomerUpdate(UpdateKind.WORSE, "Ahora tampoco entra el panel", SENT_AT),
            CustomerUpdate(UpdateKind.SOLVED, "Volvió sola", SENT_AT),
        ]
        url = desk_url(first.reference)
        steps = [
            Followup(1, told[:1], [], first, solved=False),
            Followup(2, told[1:2], told[:1], later, solved=False),
            Followup(3, told[2:], told[:2], later, solved=True),
        ]
        return [
            ("ticket", compose_ticket(first, url)),
            ("other", compose_ticket(other, desk_url(other.reference))),
            ("details", compose_followup(later, steps[0], stored, url, number)),
            ("worse", compose_followup(later, steps[1], [], url, number)),
            ("solved", compose_followup(later, steps[2], [], url, number)),
        ]


SETTINGS: dict[str, Any] = {"SUPPORT_EMAIL": "support@example.com"}
LONE: dict[str, Any] = {"at": SENT_AT}


def with_answer(report: Report, name: str, text: str) -> Report:
    def changed(answer: Answer) -> Answer:
        return answer._replace(value=text, text=text) if answer.name == name else answer

    sections = {
        language: tuple(
            Section(section.title, tuple(changed(answer) for answer in section.answers))
            for section in each
        )
        for language, each in report.sections.items()
    }
    return report.with_answers(sections)


def expected(mail: Mail) -> dict[str, Any]:
    """What a helpdesk should make of it."""
    message: Any = message_from_bytes(mail.content, policy=policy.default)
    return {
        "subject": str(message["Subject"]),
        "message_id": mail.mime_id,
        "customer": message["Reply-To"].addresses[0].addr_spec,
        "body": body(mail),
        "files": {
            part.get_filename(): hashlib.sha256(part.get_payload(decode=True)).hexdigest()
            for part in message.iter_attachments()
        },
    }


def main() -> None:
    profile, folder = sys.argv[1], Path(sys.argv[2])
    known_as = sys.argv[3] if len(sys.argv) > 3 else ""
    folder.mkdir(parents=True, exist_ok=True)
    told = {}
    for place, (name, mail) in enumerate(compose(profile, known_as), 1):
        (folder / f"{place}-{name}.eml").write_bytes(mail.content)
        told[name] = expected(mail)
    (folder / "expected.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
