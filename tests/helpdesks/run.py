"""Feeds five mails to real helpdesks, checks what they made of them, and writes the table of
docs/helpdesks/README.md: make helpdesks

    run.py              those of PyPI, in an environment of their own in build/helpdesks/
    run.py rt redmine   those of Debian, where they are installed: says what is needed where not
    run.py needs        what that is

Beside the five mails each gets the ticket of a service that runs: somebody of support answers it
there, solves it and opens it again, and after each step the receipt of the service is looked at.
The hook is the example of the helpdesk's page, or its plugin, but for address and secret.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE))

import debian  # noqa: E402
from live import ADDRESS, SECRET, Live, live  # noqa: E402

from reporter.mail.helpdesk import PROFILES  # noqa: E402

ENVIRONMENT = ROOT / "build" / "helpdesks"
PAGES = ROOT / "docs" / "helpdesks"
TABLE = re.compile(r"(?<=<!-- tried -->\n).*?(?=<!-- /tried -->)", re.DOTALL)
THREAD = ["ticket", "details", "worse", "solved"]
NAMES = [THREAD, ["other"]]
LIVE = "6-live.eml"
RIGHT = {
    "tickets": "2",
    "follow-ups in it": "yes",
    "customer on it": "yes",
    "bodies whole": "yes",
    "files whole": "yes",
    "mails by itself": "none",
    "answer reaches customer": "yes",
    "the hook": "created, answered, solved, reopened",
}


# Of a folder of mails, a folder of its own, its hook, and where to ask for a step.
Feed = Callable[[Path, Path, Path, str], Any]


@dataclass(frozen=True)
class Trial:
    """One helpdesk in one state. `feed` has it take the mails of a folder; `but` is what it makes
    otherwise than right, as its page says."""

    profile: str
    state: str
    hook: Callable[[Live], str]
    feed: Feed
    number: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    but: dict[str, str] = field(default_factory=dict)


def of_pypi(script: str) -> Feed:
    def feed(mails: Path, folder: Path, hook: Path, look: str) -> Any:
        done = subprocess.run(
            [install(), str(HERE / script), str(mails), str(folder), str(hook), look],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{script}: {done.stderr}")
        return json.loads(done.stdout)

    return feed


def install() -> Path:
    """The interpreter of an environment with the helpdesks in it."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(HERE / "requirements.txt")], check=True)
    return python


def example(profile: str, language: str) -> Callable[[Live], str]:
    return lambda service: service.example(PAGES / f"{profile}.md", language)


def away(hook: Callable[[Live], str]) -> Callable[[Live], str]:
    """As *hook*, but nobody is there whom it could tell."""
    return lambda service: hook(service).replace(service.url, "http://127.0.0.1:9/hooks/helpdesk")


def address_and_secret(service: Live) -> str:
    return f"{service.url}\n{SECRET}\n"


def web_service(service: Live) -> str:
    """Told at once: the daemon of Znuny, which would do it a moment later, does not run."""
    text = (debian.PLUGINS / "znuny" / "incident_reporter.yml").read_text(encoding="utf-8")
    for ours, theirs in (
        (ADDRESS.removesuffix("/hooks/helpdesk"), service.url.removesuffix("/hooks/helpdesk")),
        ("Bearer …", f"Bearer {SECRET}"),
        ("Asynchronous: '1'", "Asynchronous: '0'"),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    return text


def with_plugin(feed: Callable[..., Any]) -> Feed:
    return lambda mails, folder, hook, look: feed(mails, folder, hook, look, plugin=True)


# Its MySQL driver keeps no character beyond the first 65 536.
BARE = {"bodies whole": "but for emoji"}
SCRIPT, SPLIT = example("rt", "perl"), {"tickets": "5", "follow-ups in it": "**no**"}
# Its customer is a user, whom it tells of what they watch.
IN_TEXT = {"customer on it": "in its text", "mails by itself": "1"}
DEAF = {"the hook": "nothing"}
# It tells who watches of what they have added.
TOLD = {"mails by itself": "3"}


def of_python(desk: str, file: str) -> tuple[Trial, Trial]:
    """One that tells us by the script of its page, which finds us, and then does not."""
    script, place = example(desk, "python"), of_pypi(file)
    return (
        Trial(desk, "", script, place, but=TOLD),
        Trial(desk, "our service away", away(script), place, but=TOLD | DEAF),
    )


TRIALS = (
    *of_python("django-helpdesk", "django_helpdesk.py"),
    *of_python("roundup", "roundup_tracker.py"),
    Trial("rt", "as it comes", SCRIPT, debian.rt, but=SPLIT),
    Trial("rt", "the plugin", SCRIPT, with_plugin(debian.rt)),
    Trial("rt", "the number in the subject", SCRIPT, debian.rt, number="1"),
    Trial(
        "redmine",
        "as it comes",
        address_and_secret,
        debian.redmine,
        settings={"TICKET_CC_CUSTOMER": "true"},
        but=SPLIT | IN_TEXT | DEAF,
    ),
    Trial(
        "redmine",
        "the plugin",
        address_and_secret,
        with_plugin(debian.redmine),
        settings={"TICKET_CC_CUSTOMER": "true"},
        but=IN_TEXT,
    ),
    Trial(
        "redmine",
        "the number in the subject",
        address_and_secret,
        debian.redmine,
        number="1",
        settings={"TICKET_CC_CUSTOMER": "true"},
        but=IN_TEXT | DEAF,
    ),
    Trial(
        "znuny",
        "account not trusted",
        web_service,
        debian.znuny,
        but=BARE | {"customer on it": "**no**"},
    ),
    Trial("znuny", "account trusted", web_service, with_plugin(debian.znuny), but=BARE),
)


def take(trial: Trial) -> dict[str, str]:
    """What the helpdesk made of the mails, by column."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        mails, home, hook = folder / "mails", folder / "home", folder / "told_by.py"
        home.mkdir()
        (folder / "service").mkdir()
        make = [sys.executable, str(HERE / "mails.py"), trial.profile, str(mails), trial.number]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        expected = json.loads((mails / "expected.json").read_text(encoding="utf-8"))
        with live(folder / "service", trial.profile, **trial.settings) as service:
            (mails / LIVE).write_bytes(service.ticket)
            hook.write_text(trial.hook(service), encoding="utf-8")
            made = trial.feed(mails, home, hook, service.look)
            # A number in the subject is Redmine's own, and anybody's who knows it.
            assert made.get("stranger_apart", True) or trial.number, "a stranger was threaded"
            events = service.told(numbered=PROFILES[trial.profile].tag is not None)
    return {**judge(made, expected), "the hook": ", ".join(events) or "nothing"}


def judge(made: dict[str, Any], expected: dict[str, Any]) -> dict[str, str]:
    """*made* of the five mails and one more, the last, which support answered."""
    *tickets, answered = made["tickets"]
    pairs = list(zip(tickets, NAMES, strict=False))
    bodies = [plain(body or "") for each in tickets for body in each["bodies"]]
    hashes = {each for ticket in tickets for each in ticket["files"].values()}
    customers = [expected[name[0]]["customer"] for name in NAMES]
    live_customer = customer_of(answered)
    named = all(
        customer in each["requesters"] for (each, _), customer in zip(pairs, customers, strict=True)
    )
    in_text = all(
        f"reporter_email: {customer}" in (each["bodies"][0] or "")
        for (each, _), customer in zip(pairs, customers, strict=True)
    )
    nobody = not any(each["requesters"] for each in tickets)
    by_itself = [to for each in made["on_arrival"] for to in each["to"] if mailbox(to) in customers]
    reached = [
        to
        for each in made["on_answer"]
        if "Estamos en ello" in each["text"]
        for to in each["to"]
        if mailbox(to) == live_customer
    ]
    return {
        "tickets": str(len(tickets)),
        "follow-ups in it": yes([len(each["bodies"]) for each in tickets] == [4, 1]),
        "customer on it": "in its text" if nobody and in_text else yes(named),
        "bodies whole": whole(bodies, [plain(expected[key]["body"]) for key in expected]),
        "files whole": yes(
            {each for key in expected for each in expected[key]["files"].values()} <= hashes
        ),
        "mails by itself": str(len(by_itself)) if by_itself else "none",
        "answer reaches customer": yes(bool(reached)),
    }


def whole(bodies: list[str], sent: list[str]) -> str:
    def bare(text: str) -> str:
        return re.sub(r"[\U00010000-\U0010ffff]", "\ufffd", text)

    if sorted(bodies) != sorted(sent) and sorted(bodies) == sorted(map(bare, sent)):
        return "but for emoji"
    return yes(sorted(bodies) == sorted(sent))


def customer_of(ticket: dict[str, Any]) -> str:
    found = re.search(r"^reporter_email: (\S+)", ticket["bodies"][0], re.MULTILINE)
    assert found
    return found[1]


def mailbox(text: str) -> str:
    return text.rpartition("<")[2].strip("<> ").lower()


def yes(right: bool) -> str:
    return "yes" if right else "**no**"


def plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def label(trial: Trial) -> str:
    if trial.profile in debian.NEEDS:
        number = debian.version(trial.profile)
    else:
        said = f"from importlib.metadata import version; print(version({trial.profile!r}))"
        done = subprocess.run([install(), "-c", said], capture_output=True, text=True, check=True)
        number = done.stdout.strip()
    return f"{trial.profile} {number}" + (f", {trial.state}" if trial.state else "")


def table(results: dict[str, dict[str, str]], old: str) -> str:
    """The rows of *results*, and those of *old* of helpdesks that were not tried now."""
    tried = {name.split()[0] for name in results}
    kept = [
        line
        for line in old.splitlines()[2:]
        if (name := line.strip("| ").split()[0]) not in tried
        and name in {trial.profile for trial in TRIALS}
    ]
    new = [f"| {name} | {' | '.join(found.values())} |" for name, found in results.items()]
    order = [trial.profile for trial in TRIALS]
    rows = sorted([*kept, *new], key=lambda line: order.index(line.strip("| ").split()[0]))
    head = [f"| | {' | '.join(RIGHT)} |", "|---" * (len(RIGHT) + 1) + "|"]
    return "\n".join([*head, *rows]) + "\n"


def main() -> None:
    wanted = sys.argv[1:] or ["django-helpdesk", "roundup"]
    if wanted == ["needs"]:
        print("\n".join(f"{name}: {command}" for name, (_path, command) in debian.NEEDS.items()))
        return
    needed = [f"{name}: {command}" for name in wanted if (command := debian.missing(name))]
    if needed:
        raise SystemExit("\n".join(["These have to be installed first:", *needed]))
    results, wrong = {}, []
    for trial in TRIALS:
        if trial.profile in wanted:
            name = label(trial)
            results[name] = take(trial)
            print(name, results[name], flush=True)
            if results[name] != RIGHT | trial.but:
                wrong.append(name)
    page = PAGES / "README.md"
    text = page.read_text(encoding="utf-8")
    found = TABLE.search(text)
    assert found
    written = table(results, found[0])
    page.write_text(TABLE.sub(lambda _: written, text), encoding="utf-8")
    if wrong:
        raise SystemExit(f"not as the pages say: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
