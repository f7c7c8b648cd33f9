"""What one request, one client and one report may ask of us. Every bound stands here, once.

A stranger chooses bytes, fields, seconds and rows; each has its end at the door. docs/security.md
has the same table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import has_request_context, request

from reporter.attachments import pictures, turns
from reporter.formats.networks import network_of
from reporter.links import signatures
from reporter.models import Channel
from reporter.report import Report

# One request ---------------------------------------------------------------------------------
HEADER_BYTES = 16 * 1024  # over it 431, by the server
BODY_BYTES = 2 * 1024 * 1024  # over it 413
# Of a page with files: room for a phone's photos, far over what is mailed, so that those that do
# not fit are refused beside their field. Each is written to a temporary file as it arrives.
FILES_BODY_BYTES = 64 * 1024 * 1024
FIELDS = 200  # over it 413
PART_HEADER_BYTES = 8 * 1024  # of one field or file of a multipart form; over it 413
FORM_HEADER_BYTES = 64 * 1024  # of all of them together; over it 413
HOOK_BYTES = 64 * 1024  # of a call of the helpdesk's; over it 413
GIVEN_BACK_BYTES = 256_000  # of what was typed, on a page that shows it again, before escaping
PICTURE_PIXELS = pictures.MAXIMUM_PIXELS  # of one that is kept as it is, and never decoded
DECODED_PIXELS = pictures.DECODED_PIXELS  # of one that is converted
# One draft, one receipt ----------------------------------------------------------------------
KEPT_TIMES = 2  # so many times what a valid step may hold is kept of one that is not
UPDATES_SHOWN = 50  # the last of a receipt; the rest is folded behind a link
# One process --------------------------------------------------------------------------------
ARRIVING_BYTES = 2**30  # of files that are on their way, in temporary files
CLIENT_ARRIVING_BYTES = ARRIVING_BYTES // 4  # of those, one client's; others have the rest
UNREAD_BYTES = 2**29  # of answers over 32 kB that are not read yet
CLIENT_UNREAD_BYTES = UNREAD_BYTES // 2
CONVERTED_PIXELS = (
    turns.CONVERTED_PIXELS
)  # of one client's pictures, in 10 minutes; the rest stays as it came
# Requests at a time that are shared out, of 512 threads (`serving.server.THREADS`): a client has
# two thirds of what the others leave of these.
UNDER_WAY = 384
UNDER_WAY_AT_LEAST = 6  # of one client, whatever others have: as many as a browser opens
# One client, an IPv4 or an IPv6 /64 ----------------------------------------------------------
REQUESTS = "600 per minute"  # of each route: RATELIMIT_APPLICATION
DRAFTS, DRAFTS_WITHIN = 600, timedelta(hours=1)
REPORTS, REPORTS_WITHIN = 300, timedelta(minutes=10)
UPDATES, UPDATES_WITHIN = 2_400, timedelta(hours=1)  # of all its reports, details too
FOLLOWERS, FOLLOWERS_WITHIN = 300, timedelta(minutes=10)
SIGN_INS, SIGN_INS_WITHIN = 20, timedelta(minutes=1)  # tried
UNSENT_BYTES, UNSENT_WITHIN = 100_000_000, timedelta(days=1)  # of files
# One account of support, from everywhere; a browser it was signed in in has its own ----------
WRONG_PASSWORDS, WRONG_PASSWORDS_WITHIN = 10, timedelta(minutes=5)
# One mail that comes in ----------------------------------------------------------------------
MAIL_BYTES = 32 * 2**20  # over it 552
# People's mails have longer lines than RFC 5322 allows, and a mail server takes them.
MAIL_LINE_BYTES = 2**20  # over it 500
# Of what is taken, its headers, and of a bounce what it gives as its reason. Parts may nest: each
# costs the library the more, the deeper it stands.
MAIL_READ_BYTES = 128 * 1024
MAIL_PARTS = 100  # over it, its headers alone
# One mailbox, however it is spelt; over it a mail that anybody can have sent waits -------------
TO_A_MAILBOX, TO_A_MAILBOX_WITHIN = 3, timedelta(hours=1)
TO_A_MAILBOX_A_DAY, TO_A_MAILBOX_A_DAY_WITHIN = 10, timedelta(days=1)
TO_ALL, TO_ALL_WITHIN = 600, timedelta(hours=1)  # mailboxes together, of each kind


def given_back(text: str) -> str:
    """*text*, which came in this request, as far as a page shows it again: its share of
    GIVEN_BACK_BYTES, where all that came is more."""
    if not has_request_context() or (request.content_length or 0) <= GIVEN_BACK_BYTES:
        return text
    came = sum(len(value.encode(errors="replace")) for value in request.form.values())
    if came <= GIVEN_BACK_BYTES:
        return text
    room = len(text.encode(errors="replace")) * GIVEN_BACK_BYTES // came
    return text.encode(errors="replace")[:room].decode(errors="ignore")


def client() -> str:
    """Who asks, as it is counted."""
    return network_of(request.remote_addr or "")


def client_hash(at: datetime, of: str | None = None) -> str:
    """The client's name in the database and in logs. It is keyed, and another each day, so that
    nobody can be followed by it."""
    return client_hashes(at, timedelta(), of)[0]


def client_hashes(at: datetime, within: timedelta, of: str | None = None) -> list[str]:
    """Those of a count that reaches back so far: today's first. *of*: whose, where nobody asks."""
    return daily_names("client", client() if of is None else of, at, within)


def daily_names(purpose: str, of: str, at: datetime, within: timedelta) -> list[str]:
    """What *of* is called in a count that reaches back: the name of today first, then those that a
    former SECRET_KEY made of it, and yesterday's while it does."""
    days = dict.fromkeys(f"{day.astimezone(UTC):%Y-%m-%d}" for day in (at, at - within))
    return [each.hex()[:16] for day in days for each in signatures(purpose, f"{day} {of}")]


def source_hashes(report: Report, within: timedelta) -> list[str]:
    """Whom a report comes from: the client; by phone, where all come from one browser, the
    customer. Its present name first, then those that it may have had *within* a while before."""
    if report.channel == Channel.PHONE:
        customer = report.text("email").casefold()
        return [each.hex()[:16] for each in signatures("source", customer)]
    return client_hashes(report.saved_at, within)
