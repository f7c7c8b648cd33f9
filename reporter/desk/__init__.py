"""ANSWER: the board, one report, known incidents. Every page of it asks to sign in."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.desk import notices, views
    from reporter.desk.forms import DeskForm, NoticeForm, NoticeNewsForm
    from reporter.web.errors import field_names, gives_back

    app.register_blueprint(views.blueprint)
    app.register_blueprint(notices.blueprint)
    texts = [f"text_{each}" for each in app.config["LANGUAGES"]]
    gives_back(app, "desk.report", lambda **_: field_names(DeskForm))
    gives_back(app, "desk_notices.new", lambda **_: [*field_names(NoticeForm), *texts, "report"])
    gives_back(
        app, "desk_notices.notice", lambda **_: [*field_names(NoticeNewsForm), *texts, "report"]
    )
