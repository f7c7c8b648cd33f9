"""What another site's page sends in a visitor's name is refused before anything else is looked at.

The token in our forms would refuse it as well, but it hangs on a cookie that a sibling host might
set, and the page that says so holds what was sent, to be sent again with one button: a stranger's
words, under the visitor's hand.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from reporter.web.logs import tell_refusal

OWN = ("none", "same-origin")  # Sec-Fetch-Site of what a visitor did at our own pages
SAFE = {"GET", "HEAD", "OPTIONS"}


def init_app(app: Flask) -> None:
    # Before what others have registered, which may answer with a page.
    app.before_request_funcs.setdefault(None, []).insert(0, refuse_foreign)


def is_proven() -> bool:
    """Whether a browser says that what passed `refuse_foreign` was sent by a page of ours. No
    other site can make it say so."""
    origin, site = (request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site"))
    return origin is not None or site == "same-origin"


def refuse_foreign() -> Response | None:
    """403, with no page, for what a browser says comes from elsewhere.

    Programs say nothing of the kind, and old browsers may not: they have the token.
    """
    if request.method in SAFE:
        return None
    if _is_foreign(request.environ.get("HTTP_ORIGIN")) or (
        request.environ.get("HTTP_SEC_FETCH_SITE", OWN[0]) not in OWN
    ):
        tell_refusal("foreign origin")
        return Response("This was sent by another site.\n", 403, mimetype="text/plain")
    return None


def _is_foreign(origin: str | None) -> bool:
    if origin is None:
        return False
    ours = {request.host, urlsplit(current_app.config["BASE_URL"]).netloc}
    return urlsplit(origin).netloc not in ours
