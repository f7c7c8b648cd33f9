"""What every template may use."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, jsonify, request, url_for
from jinja2 import StrictUndefined

from reporter.formats.addresses import readable
from reporter.formats.text import has_columns
from reporter.formats.times import support_zone
from reporter.formats.words import day_and_time, service_name, size_in_words
from reporter.web.browser import Browser
from reporter.web.locale import current_language, language_name

NAMES = (
    "PROVIDER_NAME",
    "SUPPORT_EMAIL",
    "SUPPORT_PHONE",
    "SUPPORT_HOURS",
    "LANGUAGES",
    "LOGO",
    "PRIVACY_URL",
    "STATUS_URL",
)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["sent_no_cookie"] = Browser().sent_no_cookie
    app.after_request(tell_script)


def init_templates(app: Flask) -> None:
    """Of pages and mails alike."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if app.testing:  # a name that no view gives is a mistake, not a blank
        app.jinja_env.undefined = StrictUndefined
    app.template_filter("tel")(tel)
    app.template_filter("unescape")(unescape)
    app.template_filter("size")(size_in_words)
    app.template_filter("service_name")(service_name)
    app.template_filter("readable")(readable)
    app.template_test("in_columns")(has_columns)
    app.context_processor(template_names)


def template_names() -> dict[str, Any]:
    return {name.lower(): current_app.config[name] for name in NAMES} | {
        "language": current_language(),
        "language_name": language_name,
        "lang_url": lang_url,
        "support_time": support_time,
        "support_zone_name": current_app.config["TIMEZONE"],
    }


def tell_script(response: Response) -> Response:
    """Where to go next, told to a script that sent a form: it cannot read a redirection."""
    if response.status_code == 303 and request.headers.get("X-Requested-With") == "fetch":
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
