"""Settings: config.py, then a TOML file, then the environment; checked before anything starts.

A wrong start is refused with one `SettingsError` that lists everything to mend.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click
from flask import Config, Flask
from flask.cli import NoAppException

from reporter.settings.checks import example, problems
from reporter.settings.derived import derive

HERE = Path(__file__).resolve().parent.parent
# A wheel carries templates/ and config.py inside the package; a checkout has them beside it.
ROOT = HERE if (HERE / "templates").is_dir() else HERE.parent

# Read where REPORTER_SETTINGS names no other, and it exists.
SYSTEM_FILE = Path("/etc/incident-reporter/settings.toml")
PREFIX = "REPORTER_"
# Variables with our prefix that are no settings.
NOT_SETTINGS = {"REPORTER_SETTINGS", "REPORTER_TEST_POSTGRES_URL"}


class SettingsError(NoAppException):
    """The service cannot start as it is set. `problems` has one line for each thing to mend.

    A command shows the list and exits with 1; the list of Flask's own commands stands below it.
    """

    exit_code = 1

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"Incident Reporter cannot start. Please mend these settings:\n{lines}")

    def show(self, file: IO[Any] | None = None) -> None:
        """Without how the command is used, which was right."""
        click.ClickException.show(self, file)


def init_app(app: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Fill `app.config`. Raises SettingsError."""
    settings, defaults, found = resolve()
    settings.update(overrides or {})
    # What a file that cannot be read would have said is unknown, and not missing.
    if not isinstance(_toml(), str):
        found += problems(settings, defaults)
    if found:
        raise SettingsError(found)
    derive(settings)
    app.config.update(settings)
    app.config.update({k: v for k, v in (overrides or {}).items() if k not in defaults})


def resolve() -> tuple[dict[str, Any], Mapping[str, Any], list[str]]:
    """Settings as they stand, their defaults, and what cannot be read; not checked yet."""
    defaults = Config(str(ROOT))
    defaults.from_pyfile(str(ROOT / "config.py"))
    settings: dict[str, Any] = dict(defaults)
    file = _toml()
    found = [file] if isinstance(file, str) else _merge(settings, defaults, file, kind="a list")
    found += _merge(settings, defaults, _environment(), kind="written as JSON")
    return settings, defaults, found


def _toml() -> dict[str, Any] | str:
    """What the TOML file says, or why it cannot be read."""
    named = os.environ.get("REPORTER_SETTINGS")
    path = Path(named) if named else SYSTEM_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) and not named:
            return {}
        reason = error.strerror if isinstance(error, OSError) else error
        who = f"REPORTER_SETTINGS names {path}, which" if named else str(path)
        return f"{who} cannot be read: {reason}"


def _environment() -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }


def _merge(
    settings: dict[str, Any], defaults: Mapping[str, Any], layer: Mapping[str, Any], kind: str
) -> list[str]:
    """Lay *layer* over *settings*; text becomes what the default is. Says what is wrong.

    *kind* is what a list or a table has to be in that layer.
    """
    found = []
    for name, value in layer.items():
        if name not in defaults:
            found.append(f"{name} is not a setting")
            continue
        try:
            settings[name] = _parse(value, defaults[name]) if isinstance(value, str) else value
        except ValueError as error:
            found.append(f"{name} {error}")
        except LookupError:
            wanted = kind.replace("a list", "a table") if defaults[name] == {} else kind
            found.append(f"{name} must be {wanted}, as in {example(name, defaults[name])}")
    return found


def _parse(text: str, default: Any) -> Any:
    """*text* as the type of *default*. Raises ValueError with the words after the name, and
    LookupError for what is no list or table."""
    if not _is_unicode(text):
        raise ValueError("must be text in UTF-8")
    if isinstance(default, bool):
        if text.lower() in {"true", "1", "yes", "on"}:
            return True
        if text.lower() in {"false", "0", "no", "off", ""}:
            return False
        raise ValueError(f'must be true or false, not "{text}"')
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f'must be a whole number, not "{text}"') from None
    if isinstance(default, (list, dict)):
        try:
            return json.loads(text)
        except ValueError:
            raise LookupError from None
    return text


def _is_unicode(text: str) -> bool:
    """Bytes of the environment that are no UTF-8 come as halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
