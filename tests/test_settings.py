"""Settings: three layers, and a wrong start refused with one list of everything to mend."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import SETTINGS, sqlite_url
from flask import Flask

from reporter import create_app
from reporter.settings import SettingsError

REQUIRED = {
    "SECRET_KEY": "environment" * 4,
    "BASE_URL": "https://incidents.example.com",
    "SUPPORT_EMAIL": "support@example.com",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but the folder of the database."""
    for name in list(os.environ):
        if name.startswith("REPORTER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def set_(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"REPORTER_{name}", value)

    set_(**REQUIRED)
    return set_


@pytest.fixture
def toml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def write(text: str) -> None:
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("REPORTER_SETTINGS", str(path))

    return write


def started(**overrides: Any) -> Flask:
    app = create_app(overrides)
    app.extensions["sqlalchemy"].close()
    return app


def problems(**overrides: Any) -> list[str]:
    """What a start with these settings is refused with."""
    try:
        started(**{**SETTINGS, "DATABASE_URL": "sqlite:///reporter.db", **overrides})
    except SettingsError as error:
        return error.problems
    return []


def problems_of_environment() -> list[str]:
    with pytest.raises(SettingsError) as refused:
        started()
    return refused.value.problems


def test_the_settings_of_the_tests_are_right(tmp_path: Path) -> None:
    assert problems(DATABASE_URL=sqlite_url(tmp_path)) == []


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is missing: set it to at least 32 random characters"),
        ("SECRET_KEY", "short", "SECRET_KEY is too short: set it to at least 32 random characters"),
        (
            "BASE_URL",
            "",
            'BASE_URL is missing: the address customers use, as in "https://incidents.example.com"',
        ),
        *(
            ("BASE_URL", url, f'BASE_URL must be "https://" and a host, with no path, not "{url}"')
            for url in (
                "incidents.example.com",
                "ftp://x.example",
                "https://",
                "https://x/y",
                "https://[",
                "https://x.example:port",
                "https://x.example?a=b",
            )
        ),
        ("DATABASE_URL", "nonsense", "DATABASE_URL is not a database URL"),
        ("DATABASE_URL", "postgresql://host:port/x", "DATABASE_URL is not a database URL"),
        ("DATABASE_URL", "", "DATABASE_URL is not a database URL"),
        (
            "DATABASE_URL",
            "mysql://host/x",
            "DATABASE_URL must be sqlite:// or postgresql://, not mysql://",
        ),
        *(
            (
                "DATABASE_URL",
                url,
                "DATABASE_URL must name a file: a database in memory would lose reports",
            )
            for url in ("sqlite://", "sqlite:///:memory:")
        ),
        ("WEB_PROCESSES", 0, "WEB_PROCESSES must be 1 or more"),
        ("TRUSTED_PROXIES", -1, "TRUSTED_PROXIES must be 0 or more"),
        ("SUPPORT_EMAIL", "", "SUPPORT_EMAIL is missing: the mailbox that receives the tickets"),
        ("SUPPORT_EMAIL", "support", 'SUPPORT_EMAIL is not an email address: "support"'),
        (
            "SUPPORT_EMAIL",
            "Support <support@example.com>",
            'SUPPORT_EMAIL is not an email address: "Support <support@example.com>"',
        ),
        ("MAIL_DEFAULT_SENDER", "form@", 'MAIL_DEFAULT_SENDER is not an email address: "form@"'),
        *(
            (
                "MAIL_DEFAULT_SENDER",
                sender,
                "MAIL_DEFAULT_SENDER must not be SUPPORT_EMAIL: helpdesks drop mail from "
                "themselves",
            )
            for sender in ("support@example.com", "Support@Example.com")
        ),
        (
            "SUPPORT_EMAIL",
            "incident-reporter@example.com",
            "MAIL_DEFAULT_SENDER must not be SUPPORT_EMAIL: helpdesks drop mail from themselves",
        ),
        ("PROVIDER_NAME", "two\nlines", "PROVIDER_NAME must be one line"),
        (
            "TIMEZONE",
            "Madrid",
            'TIMEZONE must be an IANA name as in "Europe/Madrid", not "Madrid"',
        ),
        (
            "PHONE_REGION",
            "Spain",
            'PHONE_REGION must be a country code as in "ES", not "Spain"',
        ),
        (
            "LANGUAGES",
            ["es", "fr"],
            'LANGUAGES: there is no catalogue for "fr", only en, es',
        ),
        ("SUPPORT_LOCALE", "fr", 'SUPPORT_LOCALE must be one of LANGUAGES, not "fr"'),
        ("SERVICES", [], "SERVICES must name one service or more"),
        ("SERVICES", ["web"], "SERVICES: each is a table with id and name, not 'web'"),
        (
            "SERVICES",
            [{"id": "web"}],
            "SERVICES: each is a table with id and name, not {'id': 'web'}",
        ),
        (
            "SERVICES",
            [{"id": "Web Hosting", "name": {"es": "x", "en": "x"}}],
            'SERVICES: an id is small letters, digits and "-", not "Web Hosting"',
        ),
        (
            "SERVICES",
            [{"id": "web", "name": {"es": "x"}}],
            'SERVICES: "web" has no name in "en"',
        ),
        (
            "SERVICES",
            [{"id": "web", "name": {"es": "x", "en": "x"}}] * 2,
            'SERVICES: the id "web" is there twice',
        ),
        ("MAIL_SERVER", "", "MAIL_SERVER is missing: the relay that takes our mail"),
        ("MAIL_PORT", 0, "MAIL_PORT must be between 1 and 65535, not 0"),
        ("MAIL_PORT", 70_000, "MAIL_PORT must be between 1 and 65535, not 70000"),
        ("MAIL_USERNAME", "form", "MAIL_USERNAME and MAIL_PASSWORD go together"),
        ("MAIL_PASSWORD", "hush", "MAIL_USERNAME and MAIL_PASSWORD go together"),
        ("MAIL_TIMEOUT", 0, "MAIL_TIMEOUT must be 1 second or more"),
        ("MAIL_CA_FILE", "/no/such.pem", "MAIL_CA_FILE names no file: /no/such.pem"),
        (
            "FALLBACK_RELAYS",
            ["relay"],
            "FALLBACK_RELAYS, number 1: a table with ca_file, password, port, server, use_ssl, "
            "use_tls, username is needed",
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay"}, {"host": "x"}],
            "FALLBACK_RELAYS, number 2: a table with ca_file, password, port, server, use_ssl, "
            "use_tls, username is needed",
        ),
        (
            "FALLBACK_RELAYS",
            [{"port": 25}],
            "FALLBACK_RELAYS, number 1: server is missing: the relay that takes our mail",
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay", "port": "smtp"}],
            "FALLBACK_RELAYS, number 1: port must be a whole number, not 'smtp'",
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay", "ca_file": 5}],
            "FALLBACK_RELAYS, number 1: ca_file must be text, not 5",
        ),
        ("ALARM_AFTER_SECONDS", 0, "ALARM_AFTER_SECONDS must be 1 or more"),
        (
            "RATELIMIT_STORAGE_URI",
            "nonsense",
            'RATELIMIT_STORAGE_URI must be "memory://" or "redis://" and a host, not "nonsense"',
        ),
        (
            "HELPDESK_PROFILE",
            "jira",
            "HELPDESK_PROFILE must be one of generic, zammad, znuny, rt, roundup, django-helpdesk",
        ),
        ("HELPDESK_HEADERS", {"X Y": "1"}, 'HELPDESK_HEADERS: "X Y" is not a header name'),
        ("HELPDESK_HEADERS", {"Precedence": "bulk"}, "HELPDESK_HEADERS cannot set Precedence"),
        ("HELPDESK_HEADERS", {"List-Id": "x"}, "HELPDESK_HEADERS cannot set List-Id"),
        ("HELPDESK_HEADERS", {"bcc": "x@y.example"}, "HELPDESK_HEADERS cannot set bcc"),
        (
            "HELPDESK_HEADERS",
            {"X-Queue": "a\r\nBcc: b"},
            "HELPDESK_HEADERS: X-Queue must be one line of ASCII text",
        ),
        (
            "HELPDESK_HEADERS",
            {"X-Queue": 5},
            "HELPDESK_HEADERS: X-Queue must be one line of ASCII text",
        ),
        ("MAIL_PORT", "25", "MAIL_PORT must be a whole number, not '25'"),
        ("MAIL_PORT", True, "MAIL_PORT must be a whole number, not True"),
        ("RATELIMIT_ENABLED", 1, "RATELIMIT_ENABLED must be true or false, not 1"),
        ("LANGUAGES", "es", "LANGUAGES must be a list, not 'es'"),
        ("SUPPORT_PHONE", 900, "SUPPORT_PHONE must be text, not 900"),
        ("HELPDESK_HEADERS", [], "HELPDESK_HEADERS must be a table, not []"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(setting: str, value: Any, line: str) -> None:
    assert problems(**{setting: value}) == [line]


def test_starttls_and_tls_from_the_first_byte_exclude_each_other() -> None:
    assert problems(MAIL_USE_TLS=True, MAIL_USE_SSL=True) == [
        "MAIL_USE_TLS and MAIL_USE_SSL exclude each other"
    ]


def test_everything_to_mend_is_listed_at_once() -> None:
    found = problems(
        SECRET_KEY="", BASE_URL="x", MAIL_PORT="25", TIMEZONE="Marte", HELPDESK_PROFILE="jira"
    )
    assert [line.split()[0] for line in found] == [
        "MAIL_PORT", "SECRET_KEY", "BASE_URL", "TIMEZONE", "HELPDESK_PROFILE",
    ]  # fmt: skip


def test_the_message_has_one_line_for_each_thing_to_mend() -> None:
    with pytest.raises(SettingsError) as refused:
        started()
    assert refused.value.message.splitlines() == [
        "Incident Reporter cannot start. Please mend these settings:",
        "  - SECRET_KEY is missing: set it to at least 32 random characters",
        '  - BASE_URL is missing: the address customers use, as in "https://incidents.example.com"',
        "  - SUPPORT_EMAIL is missing: the mailbox that receives the tickets",
    ]


@pytest.mark.usefixtures("environment")
def test_what_must_be_set_is_enough_to_start() -> None:
    config = started().config
    assert config["DATABASE_URL"] == "sqlite:///instance/reporter.db"
    assert config["LANGUAGES"] == ["es", "en"]
    assert len(config["SERVICES"]) == 9
    assert config["PROVIDER_NAME"] == "example.com"
    assert config["MAIL_DEFAULT_SENDER"] == "incident-reporter@example.com"
    assert config["MAIL_TIMEOUT"] == 30


def test_the_environment_overrides_the_file_and_the_file_the_defaults(
    environment: Any, toml: Any
) -> None:
    toml('MAIL_SERVER = "file"\nMAIL_PORT = 587\nSUPPORT_PHONE = "900"\n')
    environment(MAIL_SERVER="environment")
    config = started().config
    assert (config["MAIL_SERVER"], config["MAIL_PORT"]) == ("environment", 587)
    assert (config["SUPPORT_PHONE"], config["MAIL_USE_TLS"]) == ("900", False)


@pytest.mark.usefixtures("environment")
def test_tables_are_written_as_tables_in_the_file(toml: Any) -> None:
    toml(
        '[[SERVICES]]\nid = "cloud"\nname = {es = "Nube", en = "Cloud"}\n'
        '[[FALLBACK_RELAYS]]\nserver = "second.example.com"\nport = 465\nuse_ssl = true\n'
        '[HELPDESK_HEADERS]\nX-Queue = "Incidents"\n'
    )
    config = started().config
    assert config["SERVICES"] == [{"id": "cloud", "name": {"es": "Nube", "en": "Cloud"}}]
    assert config["FALLBACK_RELAYS"] == [
        {"server": "second.example.com", "port": 465, "use_ssl": True}
    ]
    assert config["HELPDESK_HEADERS"] == {"X-Queue": "Incidents"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MAIL_PORT", "587", 587),
        ("MAIL_USE_TLS", "true", True),
        ("MAIL_USE_TLS", "Yes", True),
        ("RATELIMIT_ENABLED", "0", False),
        ("RATELIMIT_ENABLED", "", False),
        ("LANGUAGES", '["en", "es"]', ["en", "es"]),
        ("HELPDESK_HEADERS", '{"X-Queue": "1"}', {"X-Queue": "1"}),
        ("SUPPORT_PHONE", "900 000 000", "900 000 000"),
        ("SUPPORT_PHONE", "900", "900"),
    ],
)
def test_text_of_the_environment_becomes_what_the_setting_is(
    environment: Any, name: str, text: str, value: object
) -> None:
    environment(**{name: text})
    assert started().config[name] == value


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("MAIL_PORT", "smtp", 'MAIL_PORT must be a whole number, not "smtp"'),
        ("MAIL_USE_TLS", "maybe", 'MAIL_USE_TLS must be true or false, not "maybe"'),
        ("LANGUAGES", "es,en", "LANGUAGES must be written as JSON"),
        ("HELPDESK_HEADERS", "[]", "HELPDESK_HEADERS must be a table, not []"),
        ("SUPPORT_FAX", "1", "SUPPORT_FAX is not a setting"),
    ],
)
def test_what_the_environment_cannot_mean_is_told(
    environment: Any, name: str, text: str, line: str
) -> None:
    environment(**{name: text})
    assert problems_of_environment() == [line]


@pytest.mark.usefixtures("environment")
def test_a_name_in_the_file_that_is_no_setting_is_told(toml: Any) -> None:
    toml('SUPPORT_FAX = "1"\nmail_server = "x"\n')
    assert problems_of_environment() == [
        "SUPPORT_FAX is not a setting",
        "mail_server is not a setting",
    ]


@pytest.mark.usefixtures("environment")
def test_a_file_that_cannot_be_read_is_told(toml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    toml("MAIL_SERVER = \n")
    (line,) = problems_of_environment()
    assert line.startswith("REPORTER_SETTINGS names ")
    assert "which cannot be read" in line
    monkeypatch.setenv("REPORTER_SETTINGS", "/no/such/file.toml")
    (line,) = problems_of_environment()
    assert line.startswith("REPORTER_SETTINGS names /no/such/file.toml, which cannot be read")


@pytest.mark.usefixtures("environment")
def test_a_value_of_the_wrong_kind_in_the_file_is_told(toml: Any) -> None:
    toml('MAIL_TIMEOUT = 2.5\nSERVICES = "web"\nSUPPORT_PHONE = 900\n')
    assert problems_of_environment() == [
        "SERVICES must be written as JSON",
        "MAIL_TIMEOUT must be a whole number, not 2.5",
        "SUPPORT_PHONE must be text, not 900",
    ]


def test_no_secret_has_a_default() -> None:
    from reporter.settings import resolve

    _, defaults, _ = resolve()
    for name in ("SECRET_KEY", "MAIL_USERNAME", "MAIL_PASSWORD"):
        assert defaults[name] == ""
    assert defaults["ALARM_URLS"] == []


def test_every_default_says_what_it_is_for() -> None:
    lines = Path(__file__).parent.parent.joinpath("config.py").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line[:1].isupper() and " = " in line:
            above = lines[number - 1]
            assert above.startswith("#") or above[:1].isupper(), line


def test_no_secret_is_shown_by_a_refusal() -> None:
    shown = problems(SECRET_KEY="hush-hush", MAIL_PASSWORD="hush-hush", MAIL_PORT=0)
    assert len(shown) == 3
    assert "hush" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("url", "secure"), [("https://x.example/", True), ("http://127.0.0.1:8000", False)]
)
def test_the_cookie_is_secure_where_the_site_is(url: str, secure: bool, tmp_path: Path) -> None:
    config = started(**{**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path), "BASE_URL": url}).config
    assert config["SESSION_COOKIE_SECURE"] is secure
    assert config["SESSION_COOKIE_HTTPONLY"] is True
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert config["BASE_URL"] == url.rstrip("/")
