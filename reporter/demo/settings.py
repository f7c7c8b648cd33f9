"""The demonstration: settings that just work, and a mailbox of our own."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from reporter.database.file import make_folder
from reporter.demo import mailbox

DEMO_FOLDER = Path("instance/demo")
# What a demonstration is set to where nothing else is.
DEMO_SETTINGS = {
    "SUPPORT_EMAIL": "support@example.com",
    "PROVIDER_NAME": "Example Hosting",
    "SUPPORT_PHONE": "+34 900 000 000",
    "SUPPORT_HOURS": "24/7",
}


def apply(host: str, port: int) -> None:
    """Settings that just work, for us and for what we start, in the environment."""
    from reporter.settings import resolve

    current, _, _ = resolve()
    smtp_port = mailbox.free_port()
    folder = DEMO_FOLDER.resolve()
    settings = {name: value for name, value in DEMO_SETTINGS.items() if not current[name]}
    settings |= {
        "SECRET_KEY": current["SECRET_KEY"] or _demo_secret(folder),
        "BASE_URL": current["BASE_URL"] or f"http://{_shown(host)}:{port}",
        # Whatever the settings say: a demonstration sends no mail to anybody.
        "MAIL_SERVER": mailbox.LOOPBACK,
        "MAIL_PORT": str(smtp_port),
        "MAIL_USE_TLS": "false",
        "MAIL_USE_SSL": "false",
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "FALLBACK_RELAYS": "[]",
        "ALARM_URLS": "[]",
        "DEMO_MAILBOX": str(folder / "mailbox"),
    }
    os.environ.update({f"REPORTER_{name}": value for name, value in settings.items()})
    _write_settings(folder / "settings.toml", settings)


def _write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """For the commands, which are processes of their own."""
    lines = [f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in settings.items()]
    make_folder(file.parent)
    file.touch(mode=0o600)
    file.write_text("".join(lines), encoding="utf-8")


def _demo_secret(folder: Path) -> str:
    """Kept, so that drafts and receipts outlive a restart."""
    file = folder / "secret"
    if not file.exists():
        make_folder(folder)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    return file.read_text()


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 (only compared)
