"""What every template may use."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, Response, current_app, jsonify, request, url_for

NAMES = ("PROVIDER_NAME", "SUPPORT_EMAIL", "SUPPORT_PHONE", "SUPPORT_HOURS", "LANGUAGES", "LOGO")


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.template_filter("tel")(tel)
    app.context_processor(template_names)
    app.after_request(tell_script)


def template_names() -> dict[str, Any]:
    return {name.lower(): current_app.config[name] for name in NAMES} | {"lang_url": lang_url}


def tell_script(response: Response) -> Response:
    """Where to go next, told to a script that sent a form: it cannot read a redirection."""
    if response.status_code == 303 and request.headers.get("X-Requested-With") == "fetch":
        told: Response = jsonify(location=response.location)
        return told
    return response


def lang_url(language: str) -> str:
    """This page in another language; the first page where this one has no address."""
    if request.endpoint is None or request.method != "GET":
        return url_for("wizard.start", lang=language)
    return url_for(request.endpoint, **(request.view_args or {}), lang=language)


def tel(phone: str) -> str:
    """A phone number as a tel: link takes it (RFC 3966)."""
    return re.sub(r"[^\d+]", "", phone)
