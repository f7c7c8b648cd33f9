"""What is in deploy/: the wrapper runs, the configurations hold what their pages promise."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "incident-reporter@.service").read_text(encoding="utf-8")
WRAPPER = (DEPLOY / "incident-reporter").read_text(encoding="utf-8")


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """The wrapper of a service that is installed in a folder of the test's, for who runs it."""
    told = tmp_path / "reporter"
    told.write_text('#!/bin/sh\npwd; umask; env | grep ^REPORTER_ | sort; echo "$@"\n')
    told.chmod(0o755)
    (tmp_path / "home").mkdir()
    text = WRAPPER
    for name, value in (
        ("user=incident-reporter", f"user={getpass.getuser()}"),
        ("/var/lib/incident-reporter", str(tmp_path / "home")),
        ("/etc/incident-reporter/secrets", str(tmp_path / "secrets")),
        ("/opt/incident-reporter/bin/reporter", str(told)),
    ):
        assert name in text
        text = text.replace(name, value)
    script = tmp_path / "incident-reporter"
    script.write_text(text)
    script.chmod(0o755)
    return script


def test_a_command_runs_as_the_service_does(wrapper: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(
        "# comment\nREPORTER_SECRET_KEY=a$b `c` d\nREPORTER_MAIL_PASSWORD=\"with 'quotes'\"\n"
        "REPORTER_SECRET_KEY_FALLBACKS='[\"before\"]'\nPATH=/nowhere\nREPORTER_LAST=no newline"
    )
    done = subprocess.run(
        [wrapper, "outbox", "show", "INC-KX7M9Q"], capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"]}, cwd="/",
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        str(tmp_path / "home"),
        "0077",
        "REPORTER_LAST=no newline",
        "REPORTER_MAIL_PASSWORD=with 'quotes'",
        "REPORTER_SECRET_KEY=a$b `c` d",
        'REPORTER_SECRET_KEY_FALLBACKS=["before"]',
        "REPORTER_SETTINGS=/etc/incident-reporter/settings.toml",
        "outbox show INC-KX7M9Q",
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"a\b\\c\"d", r'ab\c"d'),
        ('in "the" middle', 'in "the" middle'),
        (" \t blanks around \t ", "blanks around"),
        (r"'in \ single' ", r"in \ single"),
        (r"""'of "both" \" '""", r"""of "both" \" """),
        (r'"in \d \\ \" \$ \` double"', r'in \d \ " $ ` double'),
        ("", ""),
    ],
)
def test_a_value_is_what_systemd_reads(
    wrapper: Path, tmp_path: Path, written: str, value: str
) -> None:
    """As systemd 252 read each of them."""
    (tmp_path / "secrets").write_text(f"; comment\n  REPORTER_MAIL_PASSWORD = {written}\n")
    done = subprocess.run([wrapper], capture_output=True, text=True, check=True)
    assert f"REPORTER_MAIL_PASSWORD={value}" in done.stdout.split("\n")


def test_who_may_not_read_the_secrets_is_told_so(wrapper: Path) -> None:
    done = subprocess.run([wrapper, "status"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "run it as root" in done.stderr


def test_the_wrapper_is_about_what_the_unit_runs() -> None:
    unit = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and line[0] != "#")
    words = dict(re.findall(r"^(\w+)=(\S+)$", WRAPPER, re.MULTILINE))
    assert unit["ExecStart"] == f"{words['reporter']} %i"
    assert unit["User"] == words["user"]
    assert unit["WorkingDirectory"] == words["folder"]
    assert unit["EnvironmentFile"] == words["secrets"]
    assert unit["Environment"] == f"REPORTER_SETTINGS={words['settings']}"


def test_after_a_reboot_the_unit_tries_for_ever_until_what_it_needs_is_there() -> None:
    lines = UNIT.splitlines()
    assert "After=network-online.target postgresql.service" in lines
    assert {"Restart=always", "StartLimitIntervalSec=0", "WantedBy=multi-user.target"} <= {*lines}


def test_the_example_names_its_database_from_the_root() -> None:
    settings = tomllib.loads((DEPLOY / "settings.toml").read_text(encoding="utf-8"))
    assert settings["DATABASE_URL"].startswith("sqlite:////var/lib/incident-reporter/")


def test_the_compose_file_runs_two_of_each_half_on_what_they_need() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert set(services) == {"migrate", "web", "worker", "postgres", "redis", "caddy"}
    for name in ("web", "worker"):
        assert services[name]["deploy"]["replicas"] == 2
        assert services[name]["read_only"] is True
        assert services[name]["depends_on"]["migrate"]["condition"].endswith("successfully")
    for service in services.values():
        assert "max-size" in service["logging"]["options"]  # else a log fills the disk
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            known = source in compose["volumes"] or (DEPLOY / source).is_file()
            assert known, source
    assert (DEPLOY / services["web"]["build"]["dockerfile"].removeprefix("deploy/")).is_file()


def test_slow_forms_are_the_proxy_s_to_wait_for() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for line in (
        "proxy_request_buffering on;",
        "client_body_timeout 15s;",
        "limit_conn clients 300;",
    ):
        assert line in nginx
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    for line in ("{$INCIDENT_REPORTER_BUFFERS:request_buffers 70MB}", "read_body 60s"):
        assert line in caddy


def test_nginx_asks_a_machine_that_was_restarted_before_the_next_one_is() -> None:
    """Though ready, it is left alone for `fail_timeout`: ten seconds where that is not set."""
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    servers = re.findall(r"^    (?:# )?server [\d.:]+(.*);$", nginx, re.MULTILINE)
    assert servers == ["", " fail_timeout=2s"]
    upgrade = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
    assert "five seconds after this one is ready again" in " ".join(upgrade.split())


def test_no_spelling_of_the_header_that_signs_in_comes_through_caddy() -> None:
    """To a WSGI application "_" and "-" in a name are one; nginx passes on none with "_"."""
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    taken_out = set(re.findall(r"^\t+header_up -(\S+)$", caddy, re.MULTILINE))
    spellings = {"-".join(name.split()) for name in ("X Forwarded Email",)}
    for at in (1, 11):
        spellings |= {f"{name[:at]}_{name[at + 1 :]}" for name in spellings}
    assert taken_out == spellings - {"X-Forwarded-Email"}
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "underscores_in_headers" not in nginx
