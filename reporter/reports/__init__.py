"""RECORD: a report kept safe under a reference, its receipt, and the mails it causes."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.reports import downloads, views
    from reporter.reports.forms import MineForm, NewsForm, UpdateForm
    from reporter.web.errors import field_names, gives_back

    app.register_blueprint(views.blueprint)
    app.register_blueprint(downloads.blueprint)
    forms = {"updates": UpdateForm, "news": NewsForm, "mine": MineForm}
    for name, form in forms.items():
        gives_back(app, f"reports.{name}", lambda form=form, **_: {*field_names(form), "lang"})
