"""What each helpdesk reads in the headers of a first mail. One profile at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reporter.formats.text import header_text
from reporter.report import Report, Severity

Headers = Mapping[str, str]

ZAMMAD_PRIORITIES = {1: "3 high", 2: "3 high", 3: "2 normal", 4: "1 low"}
ZNUNY_PRIORITIES = {1: "5 very high", 2: "4 high", 3: "3 normal", 4: "2 low"}


def no_headers(report: Report, customer: str) -> Headers:
    return {}


def zammad_headers(report: Report, customer: str) -> Headers:
    return {
        "X-Zammad-Ticket-Priority": ZAMMAD_PRIORITIES[report.severity.level],
        "X-Zammad-Customer-Email": customer,
    }


def znuny_headers(report: Report, customer: str) -> Headers:
    headers = {
        "X-OTRS-Priority": ZNUNY_PRIORITIES[report.severity.level],
        "X-OTRS-CustomerUser": customer,
    }
    # Without one Znuny takes the customer's address for it, but only if the header is there.
    number = header_text(report.text("customer_number")) or customer
    return {**headers, "X-OTRS-CustomerNo": number}


@dataclass(frozen=True)
class Profile:
    """How one helpdesk takes a ticket. docs/helpdesks/ says how each of it was tried.

    `answer_reaches_customer`: an answer to the mail does, there as in a mail program; false
    where that depends on a setting that may be forgotten.
    `tag`: it knows its tickets by "[tag #42]" in a subject; None where it does not, or need not.
    """

    headers: Callable[[Report, str], Headers] = no_headers
    names_customer_in_cc: bool = False
    json_suffix: str = ""
    answer_reaches_customer: bool = True
    tag: str | None = None


PROFILES = {
    "generic": Profile(),
    "zammad": Profile(zammad_headers),
    "znuny": Profile(znuny_headers),
    "rt": Profile(tag=""),  # the name of the installation, by default the domain of its address
    "roundup": Profile(names_customer_in_cc=True),
    "django-helpdesk": Profile(
        names_customer_in_cc=True, json_suffix=".txt", answer_reaches_customer=False
    ),
    "osticket": Profile(answer_reaches_customer=False),
    "freescout": Profile(),
    "redmine": Profile(answer_reaches_customer=False, tag="Redmine"),
    "glpi": Profile(answer_reaches_customer=False, tag="GLPI"),
}


def subject_tag(profile: Profile, number: str, support: str) -> str:
    """As in " [example.com #42]", which has the helpdesk find its ticket; empty where that is
    not known yet, or not wanted. A *number* may bring its tag with it."""
    if profile.tag is None or not number:
        return ""
    if "#" in number:
        return f" [{number}]"
    return f" [{profile.tag or support.rpartition('@')[2]} #{number}]"


def importance(severity: Severity) -> Headers:
    """What mail programs show for the two upper severities (RFC 2156, section 5.3.6)."""
    if severity.level > 2:
        return {}
    return {"Importance": "high", "X-Priority": str(severity.level)}
