"""The operator's commands: `worker`, and `outbox list`, `show` and `retry`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser

import click
from flask import current_app
from flask.cli import AppGroup

from reporter.database import file as database_file
from reporter.database import get_database
from reporter.delivery import backlog, outbox
from reporter.delivery.alarm_words import spoken
from reporter.delivery.handover import is_speakable, printable
from reporter.formats.text import exact_lines
from reporter.models import MailForm, MailState, Message

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
                    _age(message, now),
                    _due(message, unsent_ids, now),
                    message.attempt_count,
                    _last(message),
                )
            )


@outbox_group.command("show")
@click.argument("reference", metavar="REF")
@click.option("--body", is_flag=True, help="What the mail says, too: a customer's words.")
def show_command(reference: str, body: bool) -> None:
    """The mails of REF: attempts, what the relays answered, headers."""
    now = datetime.now(UTC)
    with get_database().read() as session:
        messages = _known(backlog.find(session, reference), reference)
        for message in messages:
            _show(message, _due(message, _unsent_ids(messages), now), now)
            if body:
                _show_body(message)
            click.echo()


@outbox_group.command("retry")
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--failed", is_flag=True, help="What failed, and not what waits.")
@click.option("--all", "everything", is_flag=True, help="Of every reference.")
@click.option("--to", metavar="ADDRESS", help="To this address instead.")
def retry_command(
    references: tuple[str, ...], failed: bool, everything: bool, to: str | None
) -> None:
    """Send what waits or failed now: of each REF, what failed, or all.

    What is for support goes to SUPPORT_EMAIL as it is set now. With --to, what was for the
    recipient of the oldest of those mails goes to ADDRESS. What waits because its mailbox was sent
    enough goes on waiting.
    """
    if not references and not failed and not everything:
        raise click.UsageError("name a REF, or --failed, or --all")
    if references and everything:
        raise click.UsageError("--all is of every reference: name none")
    if to is not None and not is_speakable(to):
        raise click.BadParameter("this is no address that SMTP can say", param_hint="--to")
    shown = database_file.shown(current_app.config["DATABASE_URL"])
    now = datetime.now(UTC)
    with get_database().write() as session:
        for reference in references:
            _known(backlog.find(session, reference), reference)
        messages = backlog.retry(
            session,
            now,
            support=current_app.config["SUPPORT_EMAIL"],
            references=references,
            failed=failed,
            to=to or "",
        )
        held = sum(backlog.is_held(message, now) for message in messages)
        due = [message for message in messages if not backlog.is_held(message, now)]
        blocked = sum(message.blocked for message in due)
        goal = f" to {to}" if to and messages else ""
    if not messages:
        click.echo(f"Nothing to retry in {shown}: sent, or being sent now.")
        return
    more = f", and {blocked} once the other is sent" if blocked else ""
    click.echo(f"{len(due) - blocked} due now{more}{goal}.")
    if held:
        click.echo(f"{held} wait on: their mailboxes were sent enough (reporter outbox list).")


def _known(messages: Sequence[Message], reference: str) -> Sequence[Message]:
    if not messages:
        shown = database_file.shown(current_app.config["DATABASE_URL"])
        raise click.ClickException(f"no mail of {shown} has the reference {printable(reference)}")
    return messages


def _unsent_ids(messages: Sequence[Message]) -> set[int]:
    return {message.id for message in messages if message.state != MailState.SENT}


def _last(message: Message) -> int | str:
    """What the last attempt came to."""
    if not message.attempts:
        return "-"
    last = message.attempts[-1]
    if last.code is None and last.relay == outbox.RETURNED:
        return "returned"
    return last.code or "no answer"


def _age(message: Message, now: datetime) -> str:
    """None of what was put off: it counts from when it is due, for how many one mailbox is sent."""
    if message.created_at > now:
        return "-"
    return spoken((now - message.created_at).total_seconds())


def _due(message: Message, unsent_ids: set[int], now: datetime) -> str:
    if message.state != MailState.QUEUED:
        return "-"
    if message.after_id in unsent_ids:
        return "after the other"
    seconds = (message.due_at - now).total_seconds()
    if seconds <= 0:
        return "now"
    return "being sent" if message.claimed_by else f"in {spoken(seconds)}"


def _show(message: Message, due: str, now: datetime) -> None:
    form = "" if message.form == MailForm.FULL else f", {message.form.replace('_', ' ')}"
    click.echo(f"{printable(message.reference)} {message.kind}: {message.state}{form}")
    since = "saved" if message.created_at <= now else "put off to"
    click.echo(f"  {since} {message.created_at:{TIME}}")
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
        click.echo(f"    {printable(name)}: {' '.join(printable(str(value)).split())}")


def _show_body(message: Message) -> None:
    """The text, and what else there is. No control character reaches the terminal."""
    mail: EmailMessage = message_from_bytes(message.content, policy=policy.default)
    text = mail.get_body(("plain",))
    click.echo("  body")
    for line in exact_lines(text.get_content() if text else ""):
        click.echo(f"    {line}".rstrip())
    for part in mail.iter_attachments():
        size = len(part.get_payload(decode=True) or b"")
        name = printable(part.get_filename() or "-")
        click.echo(f"  part  {printable(part.get_content_type())}  {size} bytes  {name}")
