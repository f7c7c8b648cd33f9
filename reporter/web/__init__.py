"""What every page shares: proxies, logs, language, headers, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask


def init_app(app: Flask) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    from reporter.database import at_work, patience
    from reporter.web import (
        assets,
        bodies,
        errors,
        headers,
        incoming,
        locale,
        logs,
        origins,
        pages,
        piecewise,
        trouble,
    )
    from reporter.web.crowding import keep_room
    from reporter.web.signatures import Cookies

    app.session_interface = Cookies()
    piecewise.init_app(app)
    app.wsgi_app = at_work.in_line(app.wsgi_app)  # type: ignore[assignment,method-assign]
    if app.config["RATELIMIT_ENABLED"]:
        keep_room(app)
    # No view of ours is a coroutine, which Flask looks for in each function that it calls.
    app.ensure_sync = _as_it_is  # type: ignore[assignment,method-assign]
    hops: int = app.config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.wsgi_app = patience.of_pages(app.wsgi_app)  # type: ignore[assignment,method-assign]
    for part in (incoming, bodies, logs, locale, assets, trouble, headers, errors, pages, origins):
        part.init_app(app)
    if not hops:
        app.before_request(logs.tell_of_proxy)


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
