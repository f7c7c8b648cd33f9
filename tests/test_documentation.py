"""What the documentation says is so: settings, commands, targets, links, and the examples in
deploy/."""

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
from reporter.cli import COMMANDS, load
from reporter.settings import resolve
from reporter.web.bounds import FILES_BODY_BYTES

ROOT = Path(__file__).resolve().parent.parent
# Every page, by its path from the root.
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
}
README = PAGES["README.md"]
CHANGELOG = PAGES["CHANGELOG.md"]
UNIT = (ROOT / "deploy/incident-reporter@.service").read_text(encoding="utf-8")
# A table row whose first cell is one code span.
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \|", re.MULTILINE)


def commands(group: click.Group | None = None, prefix: str = "reporter") -> Iterator[str]:
    """Every command there is, as it is typed."""
    context = click.Context(group or click.Group())
    names = group.list_commands(context) if group else COMMANDS
    for each in names:
        command = group.get_command(context, each) if group else load(each)
        assert command
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
    table = dict(
        re.findall(r"^\| `([A-Z_]+)` \| ?(.*?) ?\|", PAGES["docs/settings.md"], re.MULTILINE)
    )
    assert table.pop("SERVICES") == "nine"
    assert len(defaults["SERVICES"]) == 9
    assert list(table.items()) == [row for row in expected.items() if row[0] != "SERVICES"]


def test_what_is_required_is_called_so() -> None:
    required = re.findall(
        r"^\| `([A-Z_]+)` \|.*\*\*Required", PAGES["docs/settings.md"], re.MULTILINE
    )
    assert required == ["SECRET_KEY", "BASE_URL", "SUPPORT_EMAIL"]


def test_every_command_is_in_the_table_and_exists() -> None:
    named = [name for name, _ in ROW.findall(PAGES["docs/commands.md"])]
    without_options = {re.sub(r" (--|[A-Z]).*$", "", name) for name in named}
    assert without_options == set(commands())


@pytest.mark.parametrize("name", [*PAGES, "unit"])
def test_a_command_that_is_named_anywhere_exists(name: str) -> None:
    text = PAGES.get(name, UNIT)
    groups = {f"reporter {each}" for each in COMMANDS if isinstance(load(each), click.Group)}
    known = set(commands()) | groups | {"reporter %i"}
    for said in re.findall(r"(?:`|/bin/|^)(reporter(?: [a-z%]+)+)", text, re.MULTILINE):
        assert any(said == each or said.startswith(f"{each} ") for each in known), said


def test_every_target_that_is_named_exists_and_is_explained() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True
    )
    explained = set(re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert explained == set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    for text in PAGES.values():
        assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= explained


@pytest.mark.parametrize("name", list(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    text = PAGES[name]
    targets = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    headings = {heading(each) for each in re.findall(r"^##* (.+)$", text, re.MULTILINE)}
    for target in targets:
        if target.startswith("https://"):
            continue
        path, _, fragment = target.partition("#")
        there = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert there.is_file(), target
        if fragment and not path:
            assert fragment in headings, target


def heading(text: str) -> str:
    """How a link names a heading."""
    return re.sub(r"[^\w-]", "", text.lower().replace(" ", "-"))


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    reached, left = set(), ["README.md"]
    while left:
        name = left.pop()
        reached.add(name)
        for target in re.findall(r"\]\(([^)#]+\.md)[^)]*\)", PAGES[name]):
            if not target.startswith("https://"):
                there = str(((ROOT / name).parent / target).resolve().relative_to(ROOT))
                left += [] if there in reached else [there]
    assert set(PAGES) == reached


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("name", list(PAGES))
def test_files_that_are_named_are_there(name: str) -> None:
    for file in re.findall(r"`((?:tests|deploy|docs|reporter|\.ci)/[\w./@-]+\w)`", PAGES[name]):
        assert (ROOT / file).exists(), file


def test_the_version_is_the_one_of_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first, *rest = re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)
    assert first in {"Unreleased", project["version"]}
    assert not rest or rest[0] <= project["version"]


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
    assert app.config["MAX_CONTENT_LENGTH"] < FILES_BODY_BYTES < 70_000_000


def test_the_proxies_of_deploy_log_no_link_that_is_a_secret(tmp_path: Path) -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)})
    nginx = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    [hidden] = re.findall(r"~(\^\S+) /\$area/-;", nginx)
    hidden = hidden.replace("(?<", "(?P<")
    secret = {"token"}
    rules = [rule for rule in app.url_map.iter_rules() if secret & rule.arguments]
    assert {rule.rule.split("/")[1] for rule in rules} == {"r", "desk", "notices"}
    for rule in rules:
        found = re.match(hidden, rule.rule)
        assert found, rule
        assert "<" not in found["area"]


def test_the_unit_gives_the_service_the_time_it_takes_to_stop() -> None:
    from reporter.serving.supervisor import STOP_SECONDS

    [seconds] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > STOP_SECONDS
    assert f"{STOP_SECONDS:.0f} seconds at most" in PAGES["docs/upgrade.md"]
