"""The start page, and what every template may use."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

blueprint = Blueprint("pages", __name__)

PREFILLED = ("service", "affected", "customer_number")
PREFILL_LENGTH = 200


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(template_names)


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """What will be asked, and one button. `?service=&affected=&customer_number=` prefill."""
    prefill = {k: request.args[k][:PREFILL_LENGTH] for k in PREFILLED if request.args.get(k)}
    if prefill:
        session["prefill"] = prefill
    return render_template("start.html")


def template_names() -> dict[str, Any]:
    config = current_app.config
    names = ("PROVIDER_NAME", "SUPPORT_EMAIL", "SUPPORT_PHONE", "SUPPORT_HOURS", "LANGUAGES")
    return {name.lower(): config[name] for name in names} | {"lang_url": lang_url}


def lang_url(language: str) -> str:
    """This page in another language."""
    return url_for(request.endpoint or "pages.start", **(request.view_args or {}), lang=language)
