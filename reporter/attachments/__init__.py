"""KEEP: a customer's files, told apart by their content, without where they were taken."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.attachments.naming import taken_as

    app.template_filter("taken_as")(taken_as)
