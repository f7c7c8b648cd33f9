"""Everything for one machine under one command: migrations first, then web and delivery."""

from __future__ import annotations

from typing import NoReturn

import click

from reporter.serving.small import become


def serve(*, demo: bool, host: str, port: int) -> NoReturn:
    """Bring the tables up to date, and become the supervisor of both halves.

    Raises click.ClickException, with a line for the operator, when it cannot start.
    """
    if demo:
        from reporter.demo.settings import apply

        apply(host, port)
    from reporter import create_app
    from reporter.serving.migrate import upgrade
    from reporter.serving.server import check_address

    app = create_app()
    check_address(host, port)
    upgrade(app)
    if demo:
        from reporter.demo.desk import sign_in_link
        from reporter.demo.settings import DEMO_FOLDER

        base = app.config["BASE_URL"]
        click.echo(
            f"\n  The form:   {base}/\n  The inbox:  {base}/inbox\n"
            f"  The desk:   {sign_in_link(app)}\n"
            f"  Commands:   REPORTER_SETTINGS={DEMO_FOLDER}/settings.toml reporter …\n"
            "  Ctrl-C stops all.\n"
        )
    become("reporter.serving.supervisor", host, str(port), *(["--demo"] if demo else []))
