"""What every template may use, in one place: its filters, tests, functions and values."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from html import unescape
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from jinja2 import StrictUndefined, Template
from jinja2.ext import Extension

from reporter.formats.addresses import readable
from reporter.formats.languages import tag
from reporter.formats.text import breakable, has_columns, visible
from reporter.formats.words import service_name, size_in_words
from reporter.web.browser import Browser
from reporter.web.locale import current_language, language_name
from reporter.web.pages import lang_url, support_time, tel

if TYPE_CHECKING:
    from reporter.report import StoredFile

SETTINGS = (
    "PROVIDER_NAME",
    "SUPPORT_EMAIL",
    "SUPPORT_PHONE",
    "SUPPORT_HOURS",
    "LANGUAGES",
    "LOGO",
    "PRIVACY_URL",
    "STATUS_URL",
)


class Flush(Extension):
    """Pages without the indent of their templates, which no browser shows."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if not (name or "").endswith(".html"):
            return source
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


def init_app(app: Flask) -> None:
    """Of pages and mails alike."""
    templates = app.jinja_env
    templates.trim_blocks = True
    templates.lstrip_blocks = True
    templates.add_extension(Flush)
    # Jinja's, with as many layers, is read by a function of its own for each name that a page has,
    # and each import in it. Ours are all there before the first is rendered.
    templates.make_globals = lambda more: {**templates.globals, **(more or {})}  # type: ignore[assignment,method-assign]
    templates.get_template = _one_by_one(templates.get_template)  # type: ignore[method-assign]
    if app.testing:  # a name that no view gives is a mistake, not a blank
        templates.undefined = StrictUndefined
    templates.filters |= {
        "breakable": breakable,
        "readable": readable,
        "service_name": service_name,
        "size": size_in_words,
        "tag": tag,
        "taken_as": _taken_as,
        "tel": tel,
        "unescape": unescape,
        "visible": visible,
    }
    templates.tests["in_columns"] = has_columns
    app.context_processor(of_request)


def _taken_as(file: StoredFile) -> str:
    from reporter.attachments.naming import taken_as  # with all kinds of files, for few pages

    return taken_as(file)


def _one_by_one(load: Callable[..., Template]) -> Callable[..., Template]:
    """Compile each template once, however many ask for it at the same time: when a database stops
    to answer, hundreds are the first to be shown what has failed."""
    loading = threading.RLock()

    def get_template(*arguments: Any, **options: Any) -> Template:
        with loading:
            return load(*arguments, **options)

    return get_template


def init_pages(app: Flask, is_operator: Callable[[], bool]) -> None:
    """Of pages alone, and of their macros."""
    from reporter.web.stylesheet import report_stylesheet, stylesheet

    app.jinja_env.globals |= {
        "is_operator": is_operator,
        "report_stylesheet": report_stylesheet(),
        "sent_no_cookie": Browser().sent_no_cookie,
        "stylesheet": stylesheet(app.config["ACCENT_COLOR"]),
    }


def of_request() -> dict[str, Any]:
    config = current_app.config
    return {name.lower(): config[name] for name in SETTINGS} | {
        "language": current_language(),
        "language_name": language_name,
        "lang_url": lang_url,
        "support_time": support_time,
        "support_zone_name": config["TIMEZONE"],
    }
