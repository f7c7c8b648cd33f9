"""The customer's own copies: the report as text and as JSON, and the files that came with it."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from reporter.attachments import store as attachments
from reporter.database import get_database
from reporter.mail import ticket_json
from reporter.mail.ticket_text import copy_text
from reporter.report import Receipt, Report, StoredFile
from reporter.reports import store
from reporter.reports.receipts import find_or_404
from reporter.web.locale import current_language

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/r/<token>/ticket.txt")
def text_copy(token: str) -> ResponseReturnValue:
    """The customer's own copy, as text."""
    with get_database().read() as session:
        found = find_or_404(session, token)
    text = copy_text(_for_customer(found), found.report.asked_in(current_language()))
    return _download(text.encode(), "text/plain", f"{found.report.reference}.txt")


@blueprint.get("/r/<token>/ticket.json")
def json_copy(token: str) -> ResponseReturnValue:
    """The customer's own copy, as the JSON that support has."""
    with get_database().read() as session:
        found = find_or_404(session, token)
        files = attachments.files_of(session, found.report_id)
    content = ticket_json.to_bytes(
        ticket_json.trouble_ticket(
            _for_customer(found),
            found.report.asked_in(current_language()),
            tuple(reversed(found.updates)),
            files,
        )
    )
    return _download(content, "application/json", f"{found.report.reference}.json")


@blueprint.get("/r/<token>/files/<int(max=2147483647):attachment_id>")
def file(token: str, attachment_id: int) -> ResponseReturnValue:
    """A file of the customer's, given back as a download and as no type a browser would show."""
    with get_database().read() as session:
        row = store.by_token(session, token) or abort(404)
        stored, content = attachments.read(session, row.id, attachment_id) or abort(404)
    return _download(content, "application/octet-stream", stored.filename)


@blueprint.get("/r/<token>/pictures/<int(max=2147483647):attachment_id>")
def picture(token: str, attachment_id: int) -> ResponseReturnValue:
    """A picture of the customer's, to be shown on their own receipt."""
    with get_database().read() as session:
        row = store.by_token(session, token) or abort(404)
        found = attachments.read(session, row.id, attachment_id) or abort(404)
    return as_picture(*found)


def as_picture(stored: StoredFile, content: bytes) -> Response:
    """To be shown within a page: of a kind that was told from its content, and able to do nothing
    where it is opened by itself. 404 for what is no picture."""
    if not stored.is_picture:
        abort(404)
    response = Response(content, mimetype=stored.mime_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.get("/schema/ticket-v1.json")
def schema() -> ResponseReturnValue:
    """The JSON Schema of the JSON copy."""
    return Response(ticket_json.SCHEMA_FILE.read_bytes(), mimetype="application/schema+json")


def _for_customer(found: Receipt) -> Report:
    """Without what only support is told."""
    return replace(found.report, flags=())


def _download(content: bytes, mimetype: str, filename: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
