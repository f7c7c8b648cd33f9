"""The wheel: installed by itself, away from the checkout, with everything that pages need."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Service, Visitor, running, until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel and the locked dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(folder)], cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv/bin/pip"), "install", "--quiet", "--no-compile"]
    pip += ["--disable-pip-version-check"]
    for what in (["--require-hashes", "--requirement", "requirements.txt"], ["--no-deps", wheel]):
        subprocess.run([*pip, *what], cwd=ROOT, check=True, capture_output=True, timeout=150)
    return folder / "venv"


@pytest.fixture
def service(installed: Path, tmp_path: Path) -> Iterator[Service]:
    command = (str(installed / "bin" / "reporter"),)
    with running(tmp_path, "serve", "--demo", command=command) as service:
        yield service


def test_it_serves_both_languages_and_delivers_from_an_empty_folder(
    installed: Path, service: Service
) -> None:
    python = [str(installed / "bin" / "python"), "-c", "import reporter; print(reporter.__file__)"]
    place = subprocess.run(python, cwd=service.folder, check=True, capture_output=True, text=True)
    assert place.stdout.startswith(str(installed))

    for language, heading in (("es", "Comunicar una incidencia"), ("en", "Report an incident")):
        assert f"<h1>{heading}</h1>" in Visitor(service, language).open("/").html
    client = Visitor(service)
    for path in ("/static/reporter.js", "/static/icon.svg", "/schema/ticket-v1.json"):
        assert client.peek(path).status == 200

    visitor = Visitor(service)
    assert "INC-" in visitor.report().text
    until(lambda: visitor.open("/inbox").html.count("<li>") == 2)
