"""The operator's commands: `worker`, and `outbox list`, `show` and `retry`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser

import click
from flask import current_app
from flask.cli import AppGroup

from reporter import database_file
from reporter.database import get_database
from reporter.delivery import backlog
from reporter.delivery.alarms import spoken
from reporter.delivery.smtp import printable
from reporter.models import MailState, Message

ROW = "{:<11} {:<16} {:<7} {:>7}  {:<15} {:>5}  {}"
TIME = "%Y-%m-%d %H:%M:%S UTC"

outbox_group = AppGroup("outbox", help="The mails that wait, failed or were sent.")


@outbox_group.command("list")
def list_command() -> None:
    """What waits and what failed, oldest first."""
    now = datetime.now(UTC)
    with get_database().read() as session:
        messages = backlog.unsent(session)
        if not messages:
            shown = database_file.shown(current_app.config["DATABASE_URL"])
            click.echo(f"Nothing waits: every mail of {shown} was sent.")
            return
        click.echo(ROW.format("REFERENCE", "KIND", "STATE", "AGE", "DUE", "TRIES", "LAST"))
        unsent_ids = _unsent_ids(messages)
        for message in messages:
            click.echo(
                ROW.format(
                    message.reference,
                    message.kind,
                    message.state,
                    spoken((now - message.created_at).total_seconds()),
                    _due(message, unsent_ids, now),
                    message.attempt_count,
                    (message.attempts[-1].code or "no answer") if message.attempts else "-",
                )
            )


@outbox_group.command("show")
@click.argument("reference", metavar="REF")
def show_command(reference: str) -> None:
    """The mails of REF: attempts, what the relays answered, headers."""
    now = datetime.now(UTC)
    with get_database().read() as session:
        messages = _known(backlog.find(session, reference), reference)
        for message in messages:
            _show(message, _due(message, _unsent_ids(messages), now))


@outbox_group.command("retry")
@click.argument("reference", metavar="REF")
def retry_command(reference: str) -> None:
    """Send what waits or failed under REF now."""
    with get_database().write() as session:
        _known(backlog.find(session, reference), reference)
        count = backlog.retry(session, reference, datetime.now(UTC))
    click.echo(f"{count} due now." if count else "Nothing to retry: sent, or being sent now.")


def _known(messages: Sequence[Message], reference: str) -> Sequence[Message]:
    if not messages:
        raise click.ClickException(f"no mail has the reference {reference}")
    return messages


def _unsent_ids(messages: Sequence[Message]) -> set[int]:
    return {message.id for message in messages if message.state != MailState.SENT}


def _due(message: Message, unsent_ids: set[int], now: datetime) -> str:
    if message.state != MailState.QUEUED:
        return "-"
    if message.after_id in unsent_ids:
        return "after the other"
    seconds = (message.due_at - now).total_seconds()
    if seconds <= 0:
        return "now"
    return "being sent" if message.claimed_by else f"in {spoken(seconds)}"


def _show(message: Message, due: str) -> None:
    click.echo(f"{message.reference} {message.kind}: {message.state}")
    click.echo(f"  saved {message.created_at:{TIME}}")
    if message.sent_at:
        click.echo(f"  sent  {message.sent_at:{TIME}}")
    if message.state == MailState.QUEUED:
        click.echo(f"  due   {due}")
    click.echo(f"  to    {printable(message.recipient)}")
    for attempt in message.attempts:
        code = "" if attempt.code is None else f" {attempt.code}"
        click.echo(f"  {attempt.attempted_at:{TIME}}  {attempt.relay}  {attempt.outcome}{code}")
        for line in attempt.reply.splitlines():
            click.echo(f"    {printable(line)}")
    click.echo("  headers")
    headers = BytesHeaderParser(policy=policy.default).parsebytes(message.content)
    for name, value in headers.items():
        click.echo(f"    {name}: {printable(str(value))}")
    click.echo()
