"""The demonstration's inbox: the mails a demo run sent, for loopback alone."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from reporter.demo import mailbox

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")


@blueprint.before_request
def loopback_only() -> None:
    """404 for anybody else, and for a page elsewhere that had its name point to loopback."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not (
        _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))
    ):
        abort(404)


@blueprint.get("")
def inbox() -> ResponseReturnValue:
    """Every mail, newest first."""
    return render_template("inbox/list.html", entries=mailbox.entries(_path()))


@blueprint.get("/<key>")
def mail(key: str) -> ResponseReturnValue:
    """One mail as support reads it: headers, text, and the names of its attachments."""
    return render_template("inbox/mail.html", mail=mailbox.read(_path(), key) or abort(404))


def _path() -> Path:
    return Path(current_app.config["DEMO_MAILBOX"])


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
