"""Incident Reporter: a customer's incident, from a form to one structured ticket mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(overrides: Mapping[str, Any] | None = None, *, pages: bool = True) -> Flask:
    """The application, set by config.py, REPORTER_SETTINGS, the environment and *overrides*.

    Without *pages* it answers no request: so much a worker and the commands need, and load.
    Raises reporter.settings.SettingsError, with one list of everything to mend.
    """
    # Here, so that whoever needs one module of ours does not load them all.
    from flask import Flask

    from reporter import logs  # isort: skip  (before whoever logs)
    from reporter import cli, database, inbound, operations, settings
    from reporter.extensions import babel, mail
    from reporter.web import locale, template_names

    app = Flask(__name__, static_folder=None, template_folder=str(settings.ROOT / "templates"))
    settings.init_app(app, overrides)
    database.init_app(app)
    logs.configure()
    mail.init_app(app)
    babel.init_app(app, locale_selector=locale.select_locale)
    template_names.init_app(app)
    if pages:
        _add_pages(app)
    operations.init_duties(app)
    inbound.init_duties(app)
    cli.init_app(app)
    return app


def _add_pages(app: Flask) -> None:
    from reporter import (
        demo,
        desk,
        inbound,
        notices,
        operations,
        reports,
        staff,
        web,
        wizard,
    )
    from reporter.web import template_names
    from reporter.web.guards import compress, csrf, limiter
    from reporter.wizard.calls import is_operator

    limiter.init_app(app)  # before whatever looks into a request
    csrf.init_app(app)
    compress.init_app(app)
    web.init_app(app)
    template_names.init_pages(app, is_operator)
    wizard.init_app(app)
    reports.init_app(app)
    notices.init_app(app)
    staff.init_app(app)
    desk.init_app(app)
    inbound.init_app(app)
    demo.init_app(app)
    operations.init_app(app)
