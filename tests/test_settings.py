"""Settings: three layers, and a wrong start refused with one list of everything to mend."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from factories import LANGUAGES, SETTINGS, sqlite_url
from flask import Flask
from phonenumbers import SUPPORTED_REGIONS

from reporter import create_app
from reporter.settings import SettingsError, provider_checks, service_checks
from reporter.settings.checks import PROFILES, catalogues

IN_ALL = dict.fromkeys(LANGUAGES, "x")  # a name of a service
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


@pytest.fixture(autouse=True)
def no_service_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reporter.settings.SYSTEM_FILE", tmp_path / "none.toml")


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


def test_what_is_blank_to_the_eye_is_blank(tmp_path: Path) -> None:
    blank = dict.fromkeys(("PROVIDER_NAME", "SUPPORT_PHONE", "SUPPORT_HOURS"), " \u200b\u00a0")
    config = started(**SETTINGS | blank | {"DATABASE_URL": sqlite_url(tmp_path)}).config
    assert [config[name] for name in blank] == ["example.com", "", ""]


def test_a_site_is_the_same_in_capitals(tmp_path: Path) -> None:
    url = {"BASE_URL": "HTTPS://Incidents.Example.com/", "DATABASE_URL": sqlite_url(tmp_path)}
    config = started(**SETTINGS | url).config
    assert config["BASE_URL"] == "https://incidents.example.com"
    assert config["SESSION_COOKIE_SECURE"] is True


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
        *(
            (
                "BASE_URL",
                f"https://{host}",
                f'BASE_URL must be "https://" and a host, with no path, not "https://{host}"',
            )
            for host in ("x.example?", "x.example#", "x.example:", ".", "-", "a..b", 'a"b', "<b>")
        ),
        (
            "BASE_URL",
            "https://ana:secret@x.example",
            'BASE_URL must be "https://" and a host, with no path, not "https://…@x.example"',
        ),
        (
            "DATABASE_URL",
            "sqlite:///file:x?mode=memory&uri=true",
            "DATABASE_URL must name a file: a database in memory would lose reports",
        ),
        *(
            (
                "DATABASE_URL",
                f"sqlite:///{path}",
                "DATABASE_URL must name a file by its path, and no folder",
            )
            for path in ("file:x?uri=true", "instance/", "/tmp", "a\0b")
        ),
        ("HOOK_SECRET", "whsec_", 'HOOK_SECRET has nothing behind "whsec_"'),
        *(
            (
                "RATELIMIT_STORAGE_URI",
                uri,
                'RATELIMIT_STORAGE_URI must be "memory://" or "redis://" and a host',
            )
            for uri in (
                "redis://h:port",
                "redis://h:99999",
                "redis+x://h",
                "redis+sentinel://h:1",
                "redis+cluster://h:1",
                "redis+unix://",
            )
        ),
        *(
            (name, most + 1, f"{name} must be {most} or less")
            for name, (_least, most) in service_checks.BETWEEN.items()
        ),
        ("MAIL_TIMEOUT", 3_601, "MAIL_TIMEOUT must be 3600 seconds or less"),
        (
            "SEEN_WITHIN_MINUTES",
            {"minor": 525_601},
            "SEEN_WITHIN_MINUTES: minor must be 525600 or less",
        ),
        (
            "TIMEZONE",
            "Factory",
            'TIMEZONE must be an IANA name as in "Europe/Madrid", not "Factory"',
        ),
        ("LANGUAGES", ["es", "en", "es"], 'LANGUAGES: "es" is there twice'),
        *(
            (name, text, f"{name} must be one line")
            for name in ("PROVIDER_NAME", "SUPPORT_PHONE", "SUPPORT_HOURS")
            for text in ("a\nb", "a\u2028b", "a\u202eb")
        ),
        (
            "SERVICES",
            [{"id": "web", "name": IN_ALL | {"es": " "}}],
            'SERVICES: "web" has no name in "es"',
        ),
        (
            "SERVICES",
            [{"id": "web", "name": IN_ALL | {"es": "a\nb"}}],
            'SERVICES: the name of "web" in "es" must be one line',
        ),
        (
            "SERVICES",
            [{"id": 1, "name": IN_ALL}],
            'SERVICES: an id is small letters, digits and "-", not "1"',
        ),
        *(
            ("SUPPORT_EMAIL", address, f'SUPPORT_EMAIL is not an email address: "{address}"')
            for address in ("a@b..c", ".a@b.c", "a..b@c.d", "a@-b", f"{'a' * 65}@b.c")
        ),
        (
            "MAIL_SERVER",
            "ana:secret@h:25",
            'MAIL_SERVER must be a host alone, not "…@h:25": its port is MAIL_PORT',
        ),
        *(
            (
                "MAIL_SERVER",
                host,
                f'MAIL_SERVER must be a host alone, not "{host}": its port is MAIL_PORT',
            )
            for host in ("a..b", "-", "*", "x" * 64)
        ),
        ("INBOUND_LISTEN", "*:8024", 'INBOUND_LISTEN must be as in "127.0.0.1:8024", not "*:8024"'),
        *(
            (
                "INBOUND_ADDRESS",
                address,
                "INBOUND_ADDRESS must be one that no customer sees: whoever knows it is believed",
            )
            for address in ("Support@Example.com", "incident-reporter@example.com")
        ),
        *(
            ("HELPDESK_HEADERS", {name: "x"}, f"HELPDESK_HEADERS cannot set {name}")
            for name in ("X-Incident-Reference", "Content-Disposition", "Resent-From", "Received")
        ),
        (
            "HELPDESK_HEADERS",
            {"X-Queue": "a", "x-queue": "b"},
            "HELPDESK_HEADERS: x-queue is there twice",
        ),
        (
            "HELPDESK_HEADERS",
            {"X-Queue": "x" * 901},
            "HELPDESK_HEADERS: X-Queue must have 900 characters or less",
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
            f'LANGUAGES: there is no catalogue for "fr", only {", ".join(catalogues())}',
        ),
        ("SUPPORT_LOCALE", "fr", 'SUPPORT_LOCALE must be one of LANGUAGES, not "fr"'),
        ("SERVICES", [], "SERVICES must name one service or more"),
        ("SERVICES", ["web"], "SERVICES, number 1: a table with id and name is needed"),
        (
            "SERVICES",
            [{"id": "web"}],
            "SERVICES, number 1: a table with id and name is needed",
        ),
        (
            "SERVICES",
            [{"id": "Web Hosting", "name": IN_ALL}],
            'SERVICES: an id is small letters, digits and "-", not "Web Hosting"',
        ),
        (
            "SERVICES",
            [{"id": "web", "name": {k: "x" for k in LANGUAGES if k != "en"}}],
            'SERVICES: "web" has no name in "en"',
        ),
        (
            "SERVICES",
            [{"id": "web", "name": IN_ALL}] * 2,
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
            'FALLBACK_RELAYS, number 2: "host" has no meaning there, only ca_file, password, port, '
            "server, use_ssl, use_tls, username",
        ),
        (
            "FALLBACK_RELAYS",
            [{"port": 25}],
            "FALLBACK_RELAYS, number 1: server is missing: the relay that takes our mail",
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay", "port": "smtp"}],
            "FALLBACK_RELAYS, number 1: port must be a whole number",
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay", "ca_file": 5}],
            "FALLBACK_RELAYS, number 1: ca_file must be text",
        ),
        ("ALARM_AFTER_SECONDS", 0, "ALARM_AFTER_SECONDS must be 1 or more"),
        (
            "RATELIMIT_STORAGE_URI",
            "nonsense",
            'RATELIMIT_STORAGE_URI must be "memory://" or "redis://" and a host',
        ),
        (
            "HELPDESK_PROFILE",
            "jira",
            f"HELPDESK_PROFILE must be one of {', '.join(PROFILES)}",
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
        ("LANGUAGES", "es", f"LANGUAGES must be a list, as in {json.dumps(LANGUAGES)}, not text"),
        ("SUPPORT_PHONE", 900, "SUPPORT_PHONE must be text, not 900"),
        ("MAIL_PASSWORD", 12345, "MAIL_PASSWORD must be text"),
        (
            "HELPDESK_HEADERS",
            [],
            'HELPDESK_HEADERS must be a table, as in {"X-Queue": "Incidents"}, not a list',
        ),
        (
            "SECRET_KEY",
            "x" * 31,
            "SECRET_KEY is too short: set it to at least 32 random characters",
        ),
        (
            "SECRET_KEY",
            "x" * 32,
            "SECRET_KEY is one character again and again: set it to at least 32 random characters",
        ),
        (
            "SECRET_KEY_FALLBACKS",
            [5],
            "SECRET_KEY_FALLBACKS, number 1 must be text: a SECRET_KEY of before",
        ),
        (
            "DATABASE_URL",
            "sqlite://var/x.db",
            "DATABASE_URL needs three slashes for a path from here, four for one from the root, "
            'as in "sqlite:////var/lib/incident-reporter/reporter.db"',
        ),
        (
            "DATABASE_URL",
            "postgresql+asyncpg://user:hush@host/x",
            "DATABASE_URL must be sqlite:// or postgresql://, not postgresql+asyncpg://",
        ),
        ("ALARM_URLS", ["hello"], "ALARM_URLS, number 1 is no address that Apprise knows"),
        (
            "ALARM_URLS",
            ["json://hush@host", "nothing://hush"],
            "ALARM_URLS, number 2 is no address that Apprise knows",
        ),
        (
            "MAIL_SERVER",
            "host:587",
            'MAIL_SERVER must be a host alone, not "host:587": its port is MAIL_PORT',
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "host:587"}],
            'FALLBACK_RELAYS, number 1: server must be a host alone, not "host:587": '
            "its port is port",
        ),
        ("MAX_ATTACHMENT_BYTES", -1, "MAX_ATTACHMENT_BYTES must be 0 or more"),
        ("RETENTION_DAYS", 0, "RETENTION_DAYS must be 1 or more"),
        ("WORKER_CONNECTIONS", 0, "WORKER_CONNECTIONS must be 1 or more"),
        (
            "SERVICES",
            [{"id": "web", "name": {**IN_ALL, "xx": "x"}}],
            'SERVICES: "web" has a name in "xx", an unknown language',
        ),
        (
            "FALLBACK_RELAYS",
            [{"server": "relay", "SUPPORT_PHONE": "900"}],
            "FALLBACK_RELAYS, number 1: SUPPORT_PHONE is a setting of its own: "
            "move it above the first [[FALLBACK_RELAYS]]",
        ),
        (
            "HELPDESK_HEADERS",
            {"MAIL_PASSWORD": "hush"},
            "HELPDESK_HEADERS: MAIL_PASSWORD is a setting of its own: "
            "move it above the first [HELPDESK_HEADERS]",
        ),
        (
            "SEEN_WITHIN_MINUTES",
            {"critical": 15, "ALARM_URLS": []},
            "SEEN_WITHIN_MINUTES: ALARM_URLS is a setting of its own: "
            "move it above the first [SEEN_WITHIN_MINUTES]",
        ),
        (
            "SEEN_WITHIN_MINUTES",
            {"critical": 0},
            "SEEN_WITHIN_MINUTES: critical must be a whole number of 1 or more, not 0",
        ),
        (
            "PRIVACY_URL",
            "privacy",
            'PRIVACY_URL must be the address of a page ("https://…"), not "privacy"',
        ),
        (
            "STATUS_URL",
            "javascript:alert(1)",
            'STATUS_URL must be the address of a page ("https://…"), not "javascript:alert(1)"',
        ),
        (
            "SECURITY_CONTACT",
            "me",
            'SECURITY_CONTACT must be an email address or a URL ("https://…"), not "me"',
        ),
        ("TRANSLATIONS", "/no/such", "TRANSLATIONS names no folder: /no/such"),
        (
            "MAIL_EHLO_NAME",
            "my host",
            'MAIL_EHLO_NAME must be a host name as in "incidents.example.com", not "my host"',
        ),
        ("MAIL_ENVELOPE_FROM", "bounces", 'MAIL_ENVELOPE_FROM is not an email address: "bounces"'),
        (
            "INBOUND_LISTEN",
            "8024",
            'INBOUND_LISTEN must be as in "127.0.0.1:8024", not "8024"',
        ),
        ("INBOUND_ADDRESS", "hush", "INBOUND_ADDRESS is not an email address"),
        (
            "INBOUND_AUTHSERV_ID",
            "mx one",
            'INBOUND_AUTHSERV_ID must be one word, as in "mx.example.com"',
        ),
        ("STAFF_HEADER", "X User", 'STAFF_HEADER must be the name of a header, not "X User"'),
        (
            "STAFF_HEADER_FROM",
            ["proxy"],
            "STAFF_HEADER_FROM must list addresses or networks, not 'proxy'",
        ),
        ("METRICS_TOKEN", "hush hush", "METRICS_TOKEN must be ASCII characters without spaces"),
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
    assert config["LANGUAGES"] == LANGUAGES
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
        'LANGUAGES = ["es", "en"]\n'
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
        ("LANGUAGES", "es,en", f"LANGUAGES must be written as JSON, as in {json.dumps(LANGUAGES)}"),
        (
            "HELPDESK_HEADERS",
            "[]",
            'HELPDESK_HEADERS must be a table, as in {"X-Queue": "Incidents"}, not a list',
        ),
        ("SUPPORT_FAX", "1", "SUPPORT_FAX is not a setting"),
        ("MAIL_PASSWORD", "contrase\udcf1a", "MAIL_PASSWORD must be text in UTF-8"),
        ("LANGUAGES", '["\udcf1"]', "LANGUAGES must be text in UTF-8"),
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
    toml('MAIL_TIMEOUT = 2.5\nLANGUAGES = "es"\nSUPPORT_PHONE = 900\n')
    assert problems_of_environment() == [
        f"LANGUAGES must be a list, as in {json.dumps(LANGUAGES)}",
        "MAIL_TIMEOUT must be a whole number, not 2.5",
        "SUPPORT_PHONE must be text, not 900",
    ]


def test_a_file_that_cannot_be_read_makes_nothing_missing(toml: Any) -> None:
    toml('BASE_URL = "https://incidents.example.com"\nMAIL_SERVER = \n')
    (line,) = problems_of_environment()
    assert "line 2" in line


def test_the_file_of_the_system_is_read_where_it_exists(
    environment: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "etc.toml"
    monkeypatch.setattr("reporter.settings.SYSTEM_FILE", file)
    assert started().config["SUPPORT_PHONE"] == ""
    file.write_text('SUPPORT_PHONE = "900"\n')
    assert started().config["SUPPORT_PHONE"] == "900"
    environment(SUPPORT_PHONE="901")
    assert started().config["SUPPORT_PHONE"] == "901"


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1", "::1"])
def test_a_login_may_be_in_clear_on_this_machine_alone(server: str) -> None:
    login = {"MAIL_USERNAME": "form", "MAIL_PASSWORD": "hush"}
    assert problems(MAIL_SERVER=server, **login) == []
    assert problems(MAIL_SERVER="smtp.example.com", MAIL_USE_TLS=True, **login) == []
    assert problems(MAIL_SERVER="smtp.example.com", **login) == [
        "MAIL_PASSWORD would be sent in clear to smtp.example.com: set MAIL_USE_TLS or MAIL_USE_SSL"
    ]


def test_a_login_that_cannot_be_said_is_refused() -> None:
    """Between NULs is where PLAIN has name and password (RFC 4616)."""
    login = {"MAIL_USERNAME": "form", "MAIL_PASSWORD": "hush\0hush"}
    assert problems(**login) == ["MAIL_PASSWORD must have no NUL in it, as no login can say it"]
    login = {"MAIL_USERNAME": "fo\0rm", "MAIL_PASSWORD": "hush"}
    assert problems(**login) == ["MAIL_USERNAME must have no NUL in it, as no login can say it"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://incidents.example.com", "incidents.example.com"),
        ("https://avisos.ñandú.example:8443", "avisos.xn--and-6ma2c.example"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
        ("http://[::1]:8000", "[IPv6:::1]"),
    ],
)
def test_a_relay_hears_the_host_that_customers_know(url: str, name: str, tmp_path: Path) -> None:
    config = started(**{**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path), "BASE_URL": url}).config
    assert config["MAIL_EHLO_NAME"] == name
    assert config["MAIL_ENVELOPE_FROM"] == "incident-reporter@example.com"


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


# What opens something, in whole or in part.
SECRETS = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "HOOK_SECRET", "METRICS_TOKEN", "INBOUND_ADDRESS"),
    *("MAIL_USERNAME", "MAIL_PASSWORD", "FALLBACK_RELAYS", "DATABASE_URL", "ALARM_URLS"),
    "RATELIMIT_STORAGE_URI",
)


@pytest.mark.parametrize(
    "wrong",
    [
        *(12345, "hush", True, ["hush"], {"hush": "hush"}, ["ntfy://hush@"]),
        *("postgresql://u:hush@db:port/x", "redis://:hush@[::1", "x://u:hush@"),
    ],
)
def test_no_value_of_a_secret_is_ever_printed(wrong: Any) -> None:
    for name in SECRETS:
        lines = json.dumps(problems(**{name: wrong, "FALLBACK_RELAYS": [{"password": wrong}]}))
        assert "hush" not in lines, name
        assert "12345" not in lines, name


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


def test_a_time_zone_and_a_country_are_known_as_their_libraries_know_them() -> None:
    """They are asked for one name, as a list of all takes longer than a command is to wait."""
    zones = available_timezones()
    for name in (*zones, "", "Madrid", "Europe", "posix/UTC", "right/UTC", "posixrules", "../UTC"):
        there = name in zones and name not in provider_checks.NO_PLACE
        assert provider_checks.is_zone(name) == there, name
    letters = [chr(each) for each in range(ord("A"), ord("Z") + 1)]
    for code in (*(a + b for a in letters for b in letters), "", "es", "001", "800", "../ES"):
        assert provider_checks.is_phone_region(code) == (code in SUPPORTED_REGIONS), code
