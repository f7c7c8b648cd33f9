"""What every template may use."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, current_app, request, url_for

NAMES = ("PROVIDER_NAME", "SUPPORT_EMAIL", "SUPPORT_PHONE", "SUPPORT_HOURS", "LANGUAGES")


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.template_filter("tel")(tel)
    app.context_processor(template_names)


def template_names() -> dict[str, Any]:
    return {name.lower(): current_app.config[name] for name in NAMES} | {"lang_url": lang_url}


def lang_url(language: str) -> str:
    """This page in another language; the first page where this one has no address."""
    if request.endpoint is None or request.method != "GET":
        return url_for("wizard.start", lang=language)
    return url_for(request.endpoint, **(request.view_args or {}), lang=language)


def tel(phone: str) -> str:
    """A phone number as a tel: link takes it (RFC 3966)."""
    return re.sub(r"[^\d+]", "", phone)
