"""Headers of every answer. Nothing is taken from elsewhere, nothing runs inline.

What a page loads is no page. It has what OWASP's ASVS 5.0 wants of every answer (3.4.1, 3.4.4,
3.4.6, 3.5.8) and a policy that allows nothing; what rules a page would only weigh there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

from reporter.web.stylesheet import report_stylesheet, stylesheet

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TO_BE_FOUND = "/"  # the one page that a search may lead to
LOADED = "/static/"  # by pages
OF_ALL = ("X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Strict-Transport-Security")


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
    app.wsgi_app = Protected(app.wsgi_app, headers)  # type: ignore[method-assign]


def _source(style: str) -> str:
    """What allows this very *style* in a page (CSP 3, hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


class Protected:
    """WSGI middleware: adds *headers*, but for those that an answer has. As they are the same for
    all, they need nothing of what Werkzeug looks for in each."""

    def __init__(self, app: WSGIApplication, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = [(name.lower(), (name, value)) for name, value in headers.items()]
        self.headers_of_loaded = [
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            *((name, headers[name]) for name in OF_ALL if name in headers),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], *error: Any
        ) -> Callable[[bytes], object]:
            if environ["PATH_INFO"].startswith(LOADED) and status.startswith(("200", "304")):
                return start_response(status, [*headers, *self.headers_of_loaded], *error)
            present = {name.lower() for name, _ in headers}
            if environ["PATH_INFO"] == TO_BE_FOUND and status.startswith("200"):
                present.add("x-robots-tag")
            added = [header for name, header in self.headers if name not in present]
            return start_response(status, [*headers, *added], *error)

        return self.app(environ, start)
