"""The receipt, the customer's own copies, and the schema of the JSON one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from reporter.reports import receipts, twin
from reporter.reports.receipts import Receipt
from reporter.reports.ticket import copy_text
from reporter.reports.times import day_and_time
from reporter.web.locale import current_language

blueprint = Blueprint("reports", __name__)


@blueprint.get("/r/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """The reference, how far the ticket has come, what happens next, and what was said."""
    found = _find(token)
    return render_template(
        "receipt/receipt.html",
        receipt=found,
        sections=found.report.sections[_language(found)],
        token=token,
        now=datetime.now(UTC),
        zone=ZoneInfo(found.report.text("timezone")),
        day_and_time=day_and_time,
    )


@blueprint.get("/r/<token>/status.json")
def status(token: str) -> ResponseReturnValue:
    """Times in ISO 8601, UTC, or null."""
    return _find(token).status()


@blueprint.get("/r/<token>/ticket.txt")
def ticket_txt(token: str) -> ResponseReturnValue:
    """The customer's own copy, as text."""
    found = _find(token)
    text = copy_text(found.report, _language(found))
    return _download(text.encode(), "text/plain", found, "txt")


@blueprint.get("/r/<token>/ticket.json")
def ticket_json(token: str) -> ResponseReturnValue:
    """The customer's own copy, as the JSON that support has."""
    found = _find(token)
    content = twin.to_bytes(twin.twin(found.report, _language(found)))
    return _download(content, "application/json", found, "json")


@blueprint.get("/schema/ticket-v1.json")
def schema() -> ResponseReturnValue:
    """The JSON Schema of the JSON copy."""
    return Response(twin.SCHEMA_FILE.read_bytes(), mimetype="application/schema+json")


def _find(token: str) -> Receipt:
    return receipts.find(token) or abort(404)


def _language(found: Receipt) -> str:
    """The language in use, where the report was kept in it; else the report's own."""
    language = current_language()
    return language if language in found.report.sections else found.report.language


def _download(content: bytes, mimetype: str, found: Receipt, suffix: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{found.report.reference}.{suffix}"
    )
    return response
