"""The address of a page, and what a script is told of where to go."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, request, url_for

from reporter.formats.support_times import support_zone
from reporter.formats.words import day_and_time


def init_app(app: Flask) -> None:
    app.after_request(tell_script)


def tell_script(response: Response) -> Response:
    """Where to go next, told to a script that sent a form: it cannot read a redirection."""
    if response.status_code == 303 and request.environ.get("HTTP_X_REQUESTED_WITH") == "fetch":
        told: Response = jsonify(location=response.location)
        return told
    return response


def page_url(**query: Any) -> str | None:
    """The address of this page, also when a form was sent to it; None where it has none."""
    if request.url_rule is None or "GET" not in (request.url_rule.methods or ()):
        return None
    return url_for(request.url_rule.endpoint, **(request.view_args or {}), **query)


def lang_url(language: str) -> str:
    """This page in another language; the first page where this one has no address."""
    asked = {name: value for name, value in request.args.items() if name != "lang"}
    return f"{page_url() or url_for('wizard.start')}?{urlencode({**asked, 'lang': language})}"


def support_time(moment: datetime) -> str:
    """A moment in support's zone, in the language in use."""
    return day_and_time(moment.astimezone(support_zone()))


def tel(phone: str) -> str:
    """A phone number as a tel: link takes it (RFC 3966)."""
    return re.sub(r"[^\d+]", "", phone)
