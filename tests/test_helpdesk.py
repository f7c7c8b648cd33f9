"""What each helpdesk reads in the headers of a first mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from factories import a_report, an_app, parsed

from reporter.mail.helpdesk import PROFILES, subject_tag
from reporter.mail.ticket import compose_ticket
from reporter.settings.checks import PROFILES as KNOWN

PAGES = Path(__file__).parents[1] / "docs" / "helpdesks"
ROOT = PAGES.parents[1]
# What any ticket has; Cc where the profile says so.
OURS = {
    "Content-Language", "Content-Type", "Date", "From", "Importance", "MIME-Version", "Message-ID",
    "Reply-To", "Subject", "To", "X-Incident-Reference", "X-Incident-Service",
    "X-Incident-Severity", "X-Priority", "Cc", "twin",
}  # fmt: skip


def ticket(folder: Path, profile: str, **changes: str) -> dict[str, str]:
    """The headers of a ticket, and the name of its attachment under "twin"."""
    with an_app(folder, HELPDESK_PROFILE=profile) as app, app.test_request_context():
        mail = parsed(compose_ticket(a_report(**changes)))
    (attachment,) = mail.iter_attachments()
    return {**{k: str(v) for k, v in mail.items()}, "twin": attachment.get_filename() or ""}


def of_helpdesks(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a mail has for one of them."""
    return {k: v for k, v in headers.items() if k not in OURS}


def test_the_profiles_that_can_be_set_are_those_there_are() -> None:
    assert set(KNOWN) == set(PROFILES)
    comment = (
        (ROOT / "config.py").read_text(encoding="utf-8").partition("HELPDESK_PROFILE =")[0][-250:]
    )
    row = re.search(r"(?m)^\| `HELPDESK_PROFILE` .*$", (ROOT / "docs/settings.md").read_text())
    assert row
    for profile in PROFILES:
        assert re.search(rf"\b{profile}\b", comment), profile
        assert f"`{profile}`" in row[0], profile


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"zammad", "znuny"}))
def test_these_helpdesks_have_no_headers_of_their_own(tmp_path: Path, profile: str) -> None:
    assert of_helpdesks(ticket(tmp_path, profile)) == {}


@pytest.mark.parametrize(
    ("impact", "priority"),
    [
        ("critical", "3 high"),
        ("major", "3 high"),
        ("minor", "2 normal"),
        ("question", "1 low"),
    ],
)
def test_zammad_is_told_the_priority_and_the_customer(
    tmp_path: Path, impact: str, priority: str
) -> None:
    assert of_helpdesks(ticket(tmp_path, "zammad", impact=impact)) == {
        "X-Zammad-Ticket-Priority": priority,
        "X-Zammad-Customer-Email": "inigo@example.com",
    }


@pytest.mark.parametrize(
    ("impact", "priority"),
    [
        ("critical", "5 very high"),
        ("major", "4 high"),
        ("minor", "3 normal"),
        ("question", "2 low"),
    ],
)
def test_znuny_is_told_the_priority_and_the_customer(
    tmp_path: Path, impact: str, priority: str
) -> None:
    assert of_helpdesks(ticket(tmp_path, "znuny", impact=impact)) == {
        "X-OTRS-Priority": priority,
        "X-OTRS-CustomerUser": "inigo@example.com",
        "X-OTRS-CustomerNo": "C-1042",
    }


def test_znuny_is_told_the_customers_address_where_there_is_no_number(tmp_path: Path) -> None:
    headers = ticket(tmp_path, "znuny", customer_number=" ")
    assert headers["X-OTRS-CustomerNo"] == "inigo@example.com"


def test_a_customer_number_cannot_make_a_header(tmp_path: Path) -> None:
    typed = "1\r\nBcc: eva@example.com\u2028=?utf-8?q?x=0D=0AX-Loop:_1?="
    headers = ticket(tmp_path, "znuny", customer_number=typed)
    assert headers["X-OTRS-CustomerNo"] == ("1 Bcc: eva@example.com = ?utf-8?q?x=0D=0AX-Loop:_1?=")
    assert not {"Bcc", "X-Loop"} & set(headers)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_only_some_helpdesks_want_the_customer_in_cc(tmp_path: Path, profile: str) -> None:
    named = ticket(tmp_path, profile).get("Cc")
    wanted = profile in {"roundup", "django-helpdesk"}
    assert named == ("Íñigo Muñoz <inigo@example.com>" if wanted else None)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_only_django_helpdesk_is_given_the_json_as_a_text_file(
    tmp_path: Path, profile: str
) -> None:
    suffix = ".txt" if profile == "django-helpdesk" else ""
    assert ticket(tmp_path, profile)["twin"] == f"INC-KX7M9Q.0.json{suffix}"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_no_ticket_has_the_headers_of_two_helpdesks(tmp_path: Path, profile: str) -> None:
    kinds = {name.split("-")[1] for name in of_helpdesks(ticket(tmp_path, profile))}
    assert len(kinds) <= 1


def test_an_international_address_is_given_in_ascii(tmp_path: Path) -> None:
    headers = ticket(tmp_path, "zammad", email="ana@straße.example")
    assert headers["X-Zammad-Customer-Email"] == "ana@xn--strae-oqa.example"


# What the pages say


def tried() -> dict[str, list[str]]:
    """The rows of the table of what the helpdesks made of our mails, by profile: the last column
    but one of each, whether an answer reaches the customer."""
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- tried -->")[2].partition("<!-- /tried -->")[0]
    head, _line, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()
    ]
    column = head.index("answer reaches customer")
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(re.split(r"[ ,]", row[0])[0], []).append(row[column])
    return found


def test_a_footer_promises_only_what_was_seen_or_read() -> None:
    rows = tried()
    promising = {name for name, profile in PROFILES.items() if profile.answer_reaches_customer}
    assert {name for name in promising if set(rows.get(name, ["yes"])) != {"yes"}} == set()


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_each_page_says_what_to_set_how_it_was_tried_and_how_to_have_one_acknowledgement(
    profile: str,
) -> None:
    text = (PAGES / f"{profile}.md").read_text(encoding="utf-8")
    assert f'`HELPDESK_PROFILE = "{profile}"`' in text
    was_run = profile in tried() or profile == "generic"
    assert ("**read, not run**" in text) != was_run
    assert "How it was tried:" in text
    assert "One acknowledgement" in text


@pytest.mark.parametrize(
    ("profile", "number", "tag"),
    [
        ("rt", "42", " [example.com #42]"),
        ("redmine", "42", " [Redmine #42]"),
        ("glpi", "0000042", " [GLPI #0000042]"),
        ("glpi", "GLPI #0000042", " [GLPI #0000042]"),
        ("rt", "", ""),
        ("zammad", "42", ""),
    ],
)
def test_a_helpdesk_finds_its_ticket_by_the_tag_that_it_gives(
    profile: str, number: str, tag: str
) -> None:
    assert subject_tag(PROFILES[profile], number, "support@example.com") == tag
