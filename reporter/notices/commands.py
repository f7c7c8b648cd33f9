"""`reporter notice open|update|close|list`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.formats.support_times import WrongSide, parse_time, support_zone
from reporter.formats.text import exact_lines, is_blank
from reporter.notices import followers, store, telling
from reporter.notices.notice import Text

notice_group = AppGroup("notice", help="Known incidents, as told to customers.")

TIME_HELP = 'As in "10:30" or "2026-11-23 10:30", in TIMEZONE.'


next_news_option = click.option(
    "--next-update",
    "--next-news",
    "next_news",
    metavar="TIME",
    help=f"When customers hear more. {TIME_HELP}",
)


def texts(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is told."""
    for option in (
        click.option(
            "--translation",
            "translations",
            multiple=True,
            metavar="LANGUAGE=TEXT",
            help="The same in another language.",
        ),
        click.option("--text", required=True, help="What is known, in support's language."),
    ):
        function = option(function)
    return function


@notice_group.command("open")
@click.option(
    "--service", "services", multiple=True, required=True, help="Its id; may be repeated."
)
@click.option("--since", metavar="TIME", default="", help=f"Since when. {TIME_HELP} Default: now.")
@texts
@next_news_option
def open_command(
    services: tuple[str, ...],
    since: str,
    text: str,
    translations: tuple[str, ...],
    next_news: str | None,
) -> None:
    """Tell customers of an incident; prints its key."""
    now = datetime.now(UTC)
    started_at = _time(since, now, ahead=False) if since else now
    with get_database().write() as session:
        try:
            row = store.open_notice(
                session,
                services,
                _text(text, translations),
                started_at,
                _time(next_news, now, ahead=True) if next_news else None,
                now,
            )
        except ValueError as error:
            raise click.ClickException(f"no service has the id {error}") from None
        key = row.key
    click.echo(key)


@notice_group.command("update")
@click.argument("key")
@texts
@next_news_option
def update_command(
    key: str, text: str, translations: tuple[str, ...], next_news: str | None
) -> None:
    """Tell what is known now, also to those who said "this is my incident"."""
    now = datetime.now(UTC)
    next_news_at = _time(next_news, now, ahead=True) if next_news else None
    _tell(key, _text(text, translations), next_news_at, now, close=False)


@notice_group.command("close")
@click.argument("key")
@texts
def close_command(key: str, text: str, translations: tuple[str, ...]) -> None:
    """Tell what it was, and that it is over."""
    _tell(key, _text(text, translations), None, datetime.now(UTC), close=True)


@notice_group.command("list")
def list_command() -> None:
    """The open ones, and those closed in the last 30 days."""
    with get_database().read() as session:
        notices = store.recent(session)
    if not notices:
        click.echo("No known incident.")
    for notice in notices:
        with get_database().read() as session:
            count = followers.count(session, notice.id)
        since = notice.started_at.astimezone(support_zone())
        state = "closed" if notice.closed_at else "open"
        services = ", ".join(notice.services)
        click.echo(f"{notice.key}  {state:<6}  since {since:%Y-%m-%d %H:%M}  {services}")
        click.echo(f"         {count} followers; {len(notice.entries)} told; last:")
        for line in exact_lines(notice.latest.words(current_app.config["SUPPORT_LOCALE"])):
            click.echo(f"         {line}")


def _tell(
    key: str, text: Text, next_news_at: datetime | None, now: datetime, *, close: bool
) -> None:

    def change(session: Session) -> tuple[int, Mapping[str, int]]:
        row = _row(store.lock_to_tell(session, key), key)
        if not store.tell(session, row, text, next_news_at, now, close=close):
            return 0, {}
        return telling.tell(session, row, now), followers.languages(session, row)

    told, read = beforehand.write(get_database(), change)
    support = current_app.config["SUPPORT_LOCALE"]
    for language, count in sorted(read.items()):
        if language not in text:
            click.echo(f"no text in {language}: {count} of them read it in {support}", err=True)
    click.echo(f"{told} told by email.")


def _row(row: models.Notice | None, key: str) -> models.Notice:
    if row is None:
        raise click.ClickException(f"no known incident has the key {key.upper()}")
    if row.closed_at:
        raise click.ClickException(f"{row.key} is closed")
    return row


def _text(text: str, translations: tuple[str, ...]) -> dict[str, str]:
    found = {current_app.config["SUPPORT_LOCALE"]: text}
    for translation in translations:
        language, equals, words = translation.partition("=")
        if not equals or language not in current_app.config["LANGUAGES"]:
            raise click.ClickException(
                f'--translation is as in "en=We are on it", not {translation!r}'
            )
        if language in found:
            raise click.ClickException(f"there are two texts in the language {language}")
        found[language] = words
    if any(is_blank(words) for words in found.values()):
        raise click.ClickException("a text is blank: write what customers shall read")
    return found


def _time(text: str, now: datetime, *, ahead: bool) -> datetime:
    try:
        return parse_time(text, now, ahead=ahead)
    except WrongSide as error:
        side = "past" if ahead else "still to come"
        hint = ""
        if error.moment:
            other = error.moment.astimezone(support_zone())
            hint = f' For another day write the date too: "{other:%Y-%m-%d %H:%M}".'
        raise click.ClickException(f"{text!r} is {side}.{hint}") from None
    except ValueError:
        raise click.ClickException(f"{text!r} is no time. {TIME_HELP}") from None
