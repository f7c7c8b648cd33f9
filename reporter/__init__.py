"""Incident Reporter: a customer's incident, from a form to one structured ticket mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """The application, set by config.py, REPORTER_SETTINGS, the environment and *overrides*.

    Raises reporter.settings.SettingsError, with one list of everything to mend.
    """
    # Here, so that whoever needs one module of ours does not load them all.
    from reporter import (
        attachments,
        cli,
        database,
        demo,
        desk,
        inbound,
        notices,
        operations,
        reports,
        settings,
        staff,
        web,
        wizard,
    )
    from reporter.extensions import babel, compress, csrf, limiter, mail

    app = Flask(__name__, static_folder=None, template_folder=str(settings.ROOT / "templates"))
    settings.init_app(app, overrides)
    database.init_app(app)

    mail.init_app(app)
    limiter.init_app(app)  # before whatever looks into a request
    csrf.init_app(app)
    babel.init_app(app, locale_selector=web.locale.select_locale)

    compress.init_app(app)
    web.init_app(app)
    attachments.init_app(app)
    wizard.init_app(app)
    reports.init_app(app)
    notices.init_app(app)
    staff.init_app(app)
    desk.init_app(app)
    inbound.init_app(app)
    demo.init_app(app)
    operations.init_app(app)
    cli.init_app(app)
    return app
