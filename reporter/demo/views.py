"""The demonstration's inbox: the mails a demo run sent, for loopback alone."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from reporter.demo import mailbox
from reporter.web.loopback import is_from_this_machine

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")


@blueprint.before_request
def loopback_only() -> None:
    """404 for anybody else, and for a page elsewhere that had its name point to loopback."""
    if not is_from_this_machine():
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
