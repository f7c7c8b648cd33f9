"""Headers of every answer. Nothing is taken from elsewhere, nothing runs inline."""

from __future__ import annotations

import base64
import hashlib

from flask import Flask, Response, current_app, request

from reporter.web.stylesheet import report_stylesheet, stylesheet


def init_app(app: Flask) -> None:
    styles = (stylesheet(app.config["ACCENT_COLOR"]), report_stylesheet())
    digests = " ".join(_source(style) for style in styles)
    policy = (
        f"default-src 'none'; style-src {digests}; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    app.config["CONTENT_SECURITY_POLICY"] = policy
    app.after_request(protect)


def _source(style: str) -> str:
    """What allows this very *style* in a page (CSP 3, hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def protect(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", current_app.config["CONTENT_SECURITY_POLICY"])
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    # The path of a receipt is a secret: it goes to ourselves only.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.endpoint != "wizard.start":  # the one page to be found by
        headers.setdefault("X-Robots-Tag", "noindex")
    headers.setdefault("Cache-Control", "no-store")
    if current_app.config["BASE_URL"].startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
