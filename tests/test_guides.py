"""The guides for contributors, followed to the letter on a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import polib
import pytest
from customers import Customer
from factories import an_app

from reporter.settings import SettingsError, resolve

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ROOT / "docs" / "contributing"
# What one more question may change: everything that loops over questions, and what says them.
AFFECTED = (
    "test_catalogues.py", "test_offline.py", "test_questions.py", "test_steps.py",
    "test_submission.py", "test_ticket.py", "test_ticket_json.py", "test_whole_mails.py",
    "test_wizard.py",
)  # fmt: skip
# Where a whole ticket is told to the letter, and no mail leaves out what is blank.
TO_THE_LETTER = {"tests/test_ticket_json.py"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project as it stands, in a folder of its own."""
    named = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in named:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a guide in *language*, in order."""
    text = (GUIDES / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(copy: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in the copy, whose package it imports."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy, env={**os.environ, "PYTHONPATH": str(copy), **environment},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.timeout(900)  # a suite within a test
def test_a_question_is_added_as_its_guide_says(copy: Path) -> None:
    [declared] = blocks("add-a-question.md", "python")
    steps = copy / "reporter/wizard/steps.py"
    before, heading, rest = steps.read_text(encoding="utf-8").partition("class ChangesForm")
    own, following, others = rest.partition("\n\n\nclass ")
    steps.write_text(before + heading + own + "\n" + declared.rstrip() + following + others)

    assert run(copy, "tests/catalogues.py").returncode == 0
    [words] = blocks("add-a-question.md", "po")
    spanish = copy / "reporter/translations/es/LC_MESSAGES/messages.po"
    catalogue = polib.pofile(str(spanish))
    for entry in polib.pofile(words):
        catalogue.find(entry.msgid).msgstr = entry.msgstr
    catalogue.save()
    assert run(copy, "tests/catalogues.py").returncode == 0

    [line] = blocks("add-a-question.md", "json")
    schema_file = copy / "reporter/mail/ticket-v1.json"
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    added = json.loads(f"{{{line}}}")
    answers = schema["properties"]["answers"]
    names = list(answers["properties"])
    place = names.index("change_description") + 1
    answers["properties"] = {
        name: (answers["properties"] | added)[name]
        for name in [*names[:place], *added, *names[place:]]
    }
    answers["required"][place:place] = list(added)
    schema_file.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n")

    tests = [f"tests/{name}" for name in AFFECTED]
    done = run(copy, "-m", "pytest", "-q", "-k", "not postgresql", "-p", "no:cacheprovider", *tests)
    red = set(re.findall(r"^(?:FAILED|ERROR) ([^:\s]+)", done.stdout, re.MULTILINE))
    assert red == TO_THE_LETTER, done.stdout[-4000:]


@pytest.mark.timeout(900)  # a suite within a test
def test_a_language_is_added_as_its_guide_says(copy: Path, tmp_path: Path) -> None:
    make, compiles = blocks("add-a-language.md", "sh")
    folder = tmp_path / "translations"

    def follow(line: str) -> subprocess.CompletedProcess[str]:
        words = line.replace("/etc/incident-reporter/translations", str(folder)).split()
        return run(copy, *words[1:])

    assert follow(make).returncode == 0
    half_done = follow(compiles)
    assert half_done.returncode == 1
    assert "ca: " in half_done.stdout
    assert "without a translation" in half_done.stdout

    file = folder / "ca/LC_MESSAGES/messages.po"
    catalogue = polib.pofile(str(file))
    for entry in catalogue:
        entry.msgstr = f"{entry.msgid} (ca)"
    catalogue.save()
    assert follow(compiles).returncode == 0

    [settings] = blocks("add-a-language.md", "toml")
    told = tomllib.loads(settings.replace("/etc/incident-reporter/translations", str(folder)))
    _, defaults, _ = resolve()
    names = [{**each, "name": {**each["name"], "ca": "Servei"}} for each in defaults["SERVICES"]]
    with an_app(tmp_path, **told, SERVICES=names) as app:
        page = Customer(app, "ca").open("/report/failure")
    assert "(ca)" in page.text
    assert "Servei" in page.text
    assert 'lang="ca"' in page.html

    # A part of the package is one the same way: the suite knows no language by name.
    shutil.copytree(folder / "ca", copy / "reporter/translations/ca")
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_catalogues.py")
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_catalogue_that_is_half_done_or_broken_is_refused_by_name(tmp_path: Path) -> None:
    written(tmp_path, "ca", Yes="Sí")
    written(tmp_path, "es", Yes="Sí").write_bytes(b"\xde\x12\x04\x95 no catalogue")
    with (
        pytest.raises(SettingsError) as error,
        an_app(tmp_path, LANGUAGES=["es", "en", "ca"], TRANSLATIONS=str(tmp_path)),
    ):
        pass
    assert any('the catalogue "ca" lacks ' in problem for problem in error.value.problems)
    assert any('the catalogue "es" cannot be read' in each for each in error.value.problems)


def test_a_folder_may_change_a_single_text(tmp_path: Path) -> None:
    written(tmp_path, "es", **{"Skip to the content": "Ir a las preguntas"})
    with an_app(tmp_path, TRANSLATIONS=str(tmp_path)) as app:
        text = Customer(app, "es").open("/report/failure").text
    assert "Ir a las preguntas" in text
    assert "Alojamiento web" in text


def written(folder: Path, language: str, **texts: str) -> Path:
    """A compiled catalogue with *texts* alone; its path."""
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    for msgid, msgstr in texts.items():
        catalogue.append(polib.POEntry(msgid=msgid, msgstr=msgstr))
    file = folder / language / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    catalogue.save_as_mofile(str(file))
    return file
