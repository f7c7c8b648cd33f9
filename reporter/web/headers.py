"""Headers of every answer. Nothing is taken from elsewhere, nothing runs inline."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import partial

from flask import Flask, Response, request

from reporter.web.stylesheet import report_stylesheet, stylesheet


def init_app(app: Flask) -> None:
    styles = (stylesheet(app.config["ACCENT_COLOR"]), report_stylesheet())
    digests = " ".join(_source(style) for style in styles)
    policy = (
        f"default-src 'none'; style-src {digests}; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # The path of a receipt is a secret: it goes to ourselves only.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    if app.config["BASE_URL"].startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    app.after_request(partial(protect, headers))


def _source(style: str) -> str:
    """What allows this very *style* in a page (CSP 3, hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def protect(headers: Mapping[str, str], response: Response) -> Response:
    """Add *headers*, but for those that an answer has."""
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 (it iterates over pairs)
    if request.endpoint == "wizard.start":  # the one page to be found by
        present.add("x-robots-tag")
    response.headers.extend(pair for pair in headers.items() if pair[0].lower() not in present)
    return response
