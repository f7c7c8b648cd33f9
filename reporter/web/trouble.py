"""What a page shows while we cannot be reached, and of answers that were not sent: words and script
in one file for each language.

A browser keeps it for ever, so no page carries it. The first one asks for it as soon as it is there
itself, so it is here, without a connection, when it is needed.
"""

from __future__ import annotations

import json

from flask import Flask, Response, abort, current_app, render_template, url_for
from flask_babel import force_locale

from reporter.web.assets import Asset, answer, script
from reporter.web.guards import limiter


def init_app(app: Flask) -> None:
    app.extensions["trouble"] = {}
    rule = "/static/trouble/<language>.js"
    app.add_url_rule(rule, "trouble", limiter.exempt(serve))
    app.jinja_env.globals["trouble_url"] = url


def serve(language: str) -> Response:
    if language not in current_app.config["LANGUAGES"]:
        abort(404)
    return answer(_part(language))


def url(language: str) -> str:
    return url_for("trouble", language=language, v=_part(language).digest)


def _part(language: str) -> Asset:
    """Made for the first who asks; the same for everybody."""
    made: dict[str, Asset] = current_app.extensions["trouble"]
    if language not in made:
        with force_locale(language):
            words = {
                "box": render_template("_trouble_box.html", language=language),
                "offered": render_template("_offered.html"),
            }
        told = [f"const {k}={json.dumps(html, ensure_ascii=False)};" for k, html in words.items()]
        text = "\n".join([*told, script("js/trouble.js")])
        made[language] = Asset(text.encode(), "text/javascript")
    return made[language]
