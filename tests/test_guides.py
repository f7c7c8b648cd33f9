"""The guides for contributors, followed to the letter on a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ROOT / "docs" / "contributing"
# What one more question may change: everything that loops over questions, and what says them.
AFFECTED = (
    "test_catalogues.py", "test_questions.py", "test_steps.py", "test_submission.py",
    "test_wizard.py",
)  # fmt: skip


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
    assert done.returncode == 0, done.stdout[-4000:]
