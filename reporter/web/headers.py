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
    style, reports = stylesheet(app.config["ACCENT_COLOR"]), report_stylesheet()
    headers = {
        "Content-Security-Policy": _policy(style, reports),
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
    app.wsgi_app = Protected(app.wsgi_app, headers, _policy(style))  # type: ignore[method-assign]


def _policy(*styles: str) -> str:
    return (
        f"default-src 'none'; style-src {' '.join(map(_source, styles))}; script-src 'self'; "
        "img-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _only_asks(path: str) -> bool:
    """Whether the page at *path* has no answers to show, and so not their style: first visits go
    there, to which each byte of a header is one of the line's."""
    if path.startswith("/report/"):
        return path != "/report/review"
    return path in {TO_BE_FOUND, "/offline"}


def _source(style: str) -> str:
    """What allows this very *style* in a page (CSP 3, hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def _by_name(headers: Mapping[str, str]) -> list[tuple[str, tuple[str, str]]]:
    return [(name.lower(), (name, value)) for name, value in headers.items()]


class Protected:
    """WSGI middleware: adds *headers*, but for those that an answer has; *policy_of_asking* is that
    of pages that only ask. As they are the same for all, they need nothing of what Werkzeug looks
    for in each."""

    def __init__(
        self, app: WSGIApplication, headers: Mapping[str, str], policy_of_asking: str
    ) -> None:
        self.app = app
        self.headers = _by_name(headers)
        self.headers_of_asking = _by_name({**headers, "Content-Security-Policy": policy_of_asking})
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
            ours = self.headers_of_asking if _only_asks(environ["PATH_INFO"]) else self.headers
            added = [header for name, header in ours if name not in present]
            return start_response(status, [*headers, *added], *error)

        return self.app(environ, start)
