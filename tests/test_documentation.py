"""What the README says is so: settings, commands, targets, links, and the examples in deploy/."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from factories import SETTINGS, sqlite_url

from reporter import create_app
from reporter.cli import COMMANDS
from reporter.settings import resolve
from reporter.wizard.detail_views import UPLOAD_BYTES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
UNIT = (ROOT / "deploy/incident-reporter@.service").read_text(encoding="utf-8")
# A table row whose first cell is one code span.
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \|", re.MULTILINE)


def section(title: str) -> str:
    """What stands under a heading, up to the next of its level."""
    _, _, rest = README.partition(f"\n## {title}\n")
    assert rest, f"the README has no section {title}"
    return rest.partition("\n## ")[0]


def commands(group: click.Group | None = None, prefix: str = "reporter") -> Iterator[str]:
    """Every command there is, as it is typed."""
    for command in group.commands.values() if group else COMMANDS:
        name = f"{prefix} {command.name}"
        if isinstance(command, click.Group):
            yield from commands(command, name)
        else:
            yield name


def shown(default: object) -> str:
    """A default as the table has it."""
    return f"`{json.dumps(default)}`" if default not in ("", [], {}) else ""


def test_every_setting_is_in_the_table_with_its_default_and_in_order() -> None:
    _, defaults, _ = resolve()
    config = (ROOT / "config.py").read_text(encoding="utf-8")
    order = re.findall(r"^([A-Z_]+) = ", config, re.MULTILINE)
    assert set(order) == set(defaults)
    expected = {name: shown(defaults[name]) for name in order}
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| ?(.*?) ?\|", section("Settings"), re.MULTILINE))
    assert table.pop("SERVICES") == "nine"
    assert len(defaults["SERVICES"]) == 9
    assert list(table.items()) == [row for row in expected.items() if row[0] != "SERVICES"]


def test_what_is_required_is_called_so() -> None:
    required = re.findall(r"^\| `([A-Z_]+)` \|.*\*\*Required", section("Settings"), re.MULTILINE)
    assert required == ["SECRET_KEY", "BASE_URL", "SUPPORT_EMAIL"]


def test_every_command_is_in_the_table_and_exists() -> None:
    named = [name for name, _ in ROW.findall(section("Commands"))]
    without_options = {re.sub(r" (--.*|REF|KEY)$", "", name) for name in named}
    assert without_options == set(commands())


@pytest.mark.parametrize("text", [README, CHANGELOG, UNIT], ids=["README", "CHANGELOG", "unit"])
def test_a_command_that_is_named_anywhere_exists(text: str) -> None:
    known = set(commands()) | {"reporter outbox", "reporter notice", "reporter %i"}
    for name in re.findall(r"(?:`|/bin/|^)(reporter(?: [a-z%]+)+)", text, re.MULTILINE):
        assert any(name == each or name.startswith(f"{each} ") for each in known), name


def test_every_target_that_is_named_exists_and_is_explained() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True
    )
    explained = set(re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert explained == set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= explained


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    assert targets
    headings = {f"#{name.lower()}" for name in re.findall(r"^##+ (\w+)$", text, re.MULTILINE)}
    for target in targets:
        within = target in headings or (ROOT / target).is_file()
        assert target.startswith("https://") or within, target


def test_files_that_are_named_are_there() -> None:
    for name in re.findall(r"`((?:tests|deploy|reporter|\.ci)/[\w./@-]+\w)`", README):
        assert (ROOT / name).exists(), name


def test_the_question_that_is_added_is_the_one_that_is_tested() -> None:
    _, _, rest = README.partition("## Add a question")
    [declared] = re.findall(r"```python\n(.*?)```", rest, re.DOTALL)
    tested = (ROOT / "tests/test_questions.py").read_text(encoding="utf-8")
    said = re.findall(r'"[^"]+"', declared)
    assert len(said) > 8
    for each in [*said, "undone = Radios("]:
        assert each in tested


def test_the_version_is_the_one_of_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)[0] == project["version"]


def test_the_settings_of_deploy_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_SETTINGS", str(ROOT / "deploy/settings.toml"))
    monkeypatch.setenv("REPORTER_SECRET_KEY", SETTINGS["SECRET_KEY"])
    monkeypatch.setenv("REPORTER_MAIL_PASSWORD", "secret")
    monkeypatch.setenv("REPORTER_DATABASE_URL", sqlite_url(tmp_path))
    app = create_app()
    assert app.config["TRUSTED_PROXIES"] == 1


def test_the_proxies_of_deploy_let_our_own_pages_say_what_is_too_long(
    tmp_path: Path,
) -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)})
    for name, limit in (("nginx.conf", "_body_size 70m;"), ("Caddyfile", "max_size 70MB")):
        assert limit in (ROOT / "deploy" / name).read_text(encoding="utf-8")
    assert app.config["MAX_CONTENT_LENGTH"] < UPLOAD_BYTES < 70_000_000


def test_the_proxies_of_deploy_log_no_link_that_is_a_secret(tmp_path: Path) -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)})
    nginx = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    [hidden] = re.findall(r"~(\^\S+) /\$area/-;", nginx)
    hidden = hidden.replace("(?<", "(?P<")
    secret = {"token", "signed"}
    rules = [rule for rule in app.url_map.iter_rules() if secret & rule.arguments]
    assert {rule.rule.split("/")[1] for rule in rules} == {"r", "desk", "operator", "notices"}
    for rule in rules:
        found = re.match(hidden, rule.rule)
        assert found, rule
        assert "<" not in found["area"]


def test_the_unit_gives_the_service_the_time_it_takes_to_stop() -> None:
    from reporter.serving.supervisor import STOP_SECONDS

    [seconds] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > STOP_SECONDS
    assert f"{STOP_SECONDS:.0f} seconds at most" in README
