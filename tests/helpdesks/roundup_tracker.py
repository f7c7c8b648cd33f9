"""Feeds mails to a fresh Roundup tracker and says, as JSON, what it made of them.

roundup_tracker.py MAILS FOLDER HOOK LOOK

MAILS: the last one is answered, solved and opened again. HOOK: the detector that tells it, of the
page's example. LOOK: where to ask for each step (live.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from roundup import date, instance

BIN = Path(sys.executable).parent
MAILS, FOLDER, HOOK = map(Path, sys.argv[1:4])
LOOK = sys.argv[4]
HOME, SENT = FOLDER / "tracker", FOLDER / "sent"
SETTINGS = {
    ("[tracker]", "email"): "support@example.com",
    ("[tracker]", "web"): "https://tracker.example.com/",
    ("[mail]", "domain"): "example.com",
    ("[mail]", "host"): "localhost",
    ("[mail]", "debug"): str(SENT.absolute()),
    ("[mailgw]", "keep_quoted_text"): "yes",
    ("[mailgw]", "leave_body_unchanged"): "yes",
    ("[mailgw]", "subject_prefix_parsing"): "loose",
    ("[mailgw]", "subject_suffix_parsing"): "none",
    ("[nosy]", "messages_to_author"): "no",
    ("[nosy]", "add_recipients"): "new",
}


def run(*words: str, mail: bytes = b"") -> str:
    done = subprocess.run(words, input=mail, capture_output=True, timeout=120, check=False)
    if done.returncode:
        sys.stderr.write(f"{words}: {done.stdout.decode()} {done.stderr.decode()}\n")
    return done.stdout.decode()


def admin(*words: str) -> str:
    return run(str(BIN / "roundup-admin"), "-i", str(HOME), *words)


def set_up() -> None:
    """The classic tracker, as docs/helpdesks/roundup.md says to set it."""
    admin("install", "classic", "anydbm")
    config = HOME / "config.ini"
    section, lines = "", []
    for line in config.read_text(encoding="utf-8").splitlines():
        section = line if line.startswith("[") else section
        name = line.lstrip("#").partition(" =")[0]
        value = SETTINGS.get((section, name)) if re.match(r"#?\w+ =", line) else None
        lines.append(f"{name} = {value}" if value else line)
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    schema = HOME / "schema.py"
    schema.write_text(
        schema.read_text(encoding="utf-8")
        + "\ndb.security.addPermissionToRole('Anonymous', 'Email Access')\n"
        "db.security.addPermissionToRole('Anonymous', 'Register', 'user')\n"
        "db.security.addPermissionToRole('User', 'Create', 'user')\n",
        encoding="utf-8",
    )
    shutil.copy(HOOK, HOME / "detectors" / "incident_reporter.py")
    admin("initialise", "secret")
    admin("create", "user", "username=form", "address=incident-reporter@example.com", "roles=User")


def main() -> None:
    set_up()
    for path in sorted(MAILS.glob("*.eml")):
        take(path.read_bytes())
    look("created")
    db = instance.open(str(HOME)).open("admin")
    tickets = []
    for issue in sorted(db.issue.list(), key=int):
        messages = sorted(db.issue.get(issue, "messages"), key=int)
        files = db.issue.get(issue, "files")
        tickets.append(
            {
                "subject": db.issue.get(issue, "title"),
                "requesters": [db.user.get(u, "address") for u in db.issue.get(issue, "nosy")],
                "bodies": [db.msg.get(each, "content") for each in messages],
                "files": {
                    db.file.get(each, "name"): hashlib.sha256(content(db, each)).hexdigest()
                    for each in files
                },
            }
        )
    db.close()
    on_arrival = sent()
    issue = str(len(tickets))
    admin("create", "user", "username=ana", "address=ana@example.com", "roles=User")
    answer(issue)
    look("answered")
    on_answer = sent()[len(on_arrival) :]
    set_status(issue, "resolved")
    look("solved")
    take(look("works"))
    look("heard")
    set_status(issue, "resolved")
    set_status(issue, "chatting")
    look("reopened")
    told = {"tickets": tickets, "on_arrival": on_arrival, "on_answer": on_answer}
    print(json.dumps(told, ensure_ascii=False))


def take(mail: bytes) -> None:
    run(str(BIN / "roundup-mailgw"), str(HOME), mail=mail)


def look(step: str) -> bytes:
    with urllib.request.urlopen(f"{LOOK}/{step}", timeout=60) as answer:
        return bytes(answer.read())


def sent() -> list[dict[str, object]]:
    """What the tracker has sent so far."""
    told = SENT.read_text(encoding="utf-8", errors="replace") if SENT.exists() else ""
    parts = re.split(r"(?m)^FROM: ", told)[1:]
    return [
        {
            "to": [
                to
                for line in re.findall(r"^TO: (.*)$", part, re.MULTILINE)
                for to in re.split(r",\s*", line)
            ],
            "text": part,
        }
        for part in parts
    ]


def answer(issue: str) -> None:
    """As an agent does on the issue's page."""
    db = instance.open(str(HOME)).open("ana")
    message = db.msg.create(
        content="Estamos en ello.", author=db.getuid(), date=date.Date(), summary="Estamos"
    )
    db.issue.set(issue, messages=[*db.issue.get(issue, "messages"), message])
    db.commit()
    db.close()


def set_status(issue: str, status: str) -> None:
    db = instance.open(str(HOME)).open("ana")
    db.issue.set(issue, status=db.status.lookup(status))
    db.commit()
    db.close()


def content(db: object, each: str) -> bytes:
    found = db.file.get(each, "content")  # type: ignore[attr-defined]
    if isinstance(found, bytes):
        return found
    return Path(db.filename("file", each)).read_bytes()  # type: ignore[attr-defined]


main()
