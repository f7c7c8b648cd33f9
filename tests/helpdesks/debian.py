"""The helpdesks of Debian: each in a folder and a database of its own, beside one that is in use.

Nothing of the machine is changed, and nothing listens but MariaDB's socket in that folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parents[1] / "deploy" / "helpdesks"
RT = Path("/usr/share/request-tracker5")
REDMINE = Path("/usr/share/redmine")
ZNUNY = Path("/usr/share/otrs")
NEEDS = {
    "rt": (RT, "apt-get install request-tracker5 rt5-db-sqlite"),
    "redmine": (REDMINE, "apt-get install redmine redmine-sqlite"),
    "znuny": (
        ZNUNY,
        "apt-get install znuny mariadb-server librest-client-perl  (of non-free, or of"
        " bookworm-backports/non-free)",
    ),
}


def missing(profile: str) -> str:
    """What has to be installed for it; nothing where it is."""
    path, command = NEEDS.get(profile, (HERE, ""))
    return "" if path.exists() else command


def version(profile: str) -> str:
    package = {"rt": "request-tracker5"}.get(profile, profile)
    done = _run(["dpkg-query", "-W", "-f", "${Version}", package])
    return re.split(r"[+~-]", done)[0]


def rt(mails: Path, folder: Path, hook: Path, look: str, *, plugin: bool = False) -> Any:
    (folder / "sent").mkdir()
    (folder / "lib").mkdir()
    if plugin:
        shutil.copytree(PLUGINS / "rt", folder / "lib" / "RT" / "Interface")
    sendmail = folder / "sendmail"
    sendmail.write_text(f'#!/bin/sh\nexec cat > "{folder}/sent/$(date +%s%N)"\n')
    sendmail.chmod(0o755)
    settings = {
        "rtname": "example.com",
        "Organization": "example.com",
        "CorrespondAddress": "support@example.com",
        "CommentAddress": "support@example.com",
        "DatabaseType": "SQLite",
        "DatabaseName": str(folder / "rt.sqlite3"),
        "MailCommand": "sendmailpipe",
        "SendmailPath": str(sendmail),
        "WebDomain": "localhost",
        "LogToSTDERR": "error",
        "LogToSyslog": "",
    }
    config = folder / "RT_SiteConfig.pm"
    config.write_text("".join(f"Set(${k}, '{v}');\n" for k, v in settings.items()) + "1;\n")
    environment = {"RT_SITE_CONFIG": str(config), "RT_SITE_CONFIG_DIR": str(folder / "none")}
    set_up = ["/usr/sbin/rt-setup-database-5", "--action", "init", "--force"]
    _run([*set_up, "--dba", "x", "--dba-password", "x"], **environment)
    libraries = ["-I", str(folder / "lib"), "-I", str(RT / "lib")]
    script = [str(HERE / "rt.pl"), str(mails), str(folder), str(hook), look]
    return json.loads(_run(["perl", *libraries, *script], **environment))


def redmine(mails: Path, folder: Path, hook: Path, look: str, *, plugin: bool = False) -> Any:
    """*hook*: a file with the address and the secret, a line each."""
    home, site = folder / "redmine", folder / "redmine" / "instances" / "trial"
    home.mkdir()
    for name in ("app", "bin", "config", "db", "extra", "lib", "public"):
        (home / name).mkdir()
        _run(["cp", "-r", f"{REDMINE / name}/.", str(home / name)])
    for name in ("Gemfile", "Gemfile.lock", "Rakefile", "config.ru"):
        shutil.copy(REDMINE / name, home)
    for name in ("config", "tmp/cache", "log", "files", "public"):
        (site / name).mkdir(parents=True)
    (home / "tmp").mkdir()
    (site / "config" / "database.yml").write_text(
        f"production:\n  adapter: sqlite3\n  database: {folder / 'redmine.sqlite3'}\n"
    )
    if plugin:
        shutil.copy(PLUGINS / "redmine" / "incident_reporter.rb", home / "config" / "initializers")
    url, secret = hook.read_text(encoding="utf-8").split()
    environment = {
        "RAILS_ENV": "production",
        "REDMINE_INSTANCE": "trial",
        "REDMINE_LANG": "en",
        "SECRET_KEY_BASE": "x" * 64,
        "INCIDENT_REPORTER_HOOK": url,
        "INCIDENT_REPORTER_SECRET": secret,
    }
    for task in ("db:migrate", "redmine:load_default_data"):
        _run(["bundle", "exec", "rake", task], home, **environment)
    out = folder / "told.json"
    script = [str(HERE / "redmine.rb"), str(mails), str(out), look]
    _run(["bundle", "exec", "rails", "runner", *script], home, **environment)
    return json.loads(out.read_text(encoding="utf-8"))


def znuny(mails: Path, folder: Path, hook: Path, look: str, *, plugin: bool = False) -> Any:
    """*plugin*: the mail account is a trusted one."""
    home = folder / "otrs"
    with mariadb(folder) as socket:
        _copy_of_znuny(home, socket)
        for name in ("schema", "initial_insert", "schema-post"):
            script = ZNUNY / "scripts" / "database" / f"{name}.mysql.sql"
            with script.open("rb") as statements:
                subprocess.run(
                    ["mariadb", f"--socket={socket}", "znuny"], stdin=statements, check=True
                )
        script_line = [str(HERE / "znuny.pl"), str(mails), str(hook), str(int(plugin)), look]
        return json.loads(_run(["perl", *script_line], ZNUNY_HOME=str(home)))


def _copy_of_znuny(home: Path, socket: Path) -> None:
    home.mkdir()
    _run(["cp", "-rL", str(ZNUNY / "Kernel"), str(ZNUNY / "RELEASE"), str(home)], fails=True)
    for name in ("tmp", "log", "article", "spool", "sessions"):
        (home / "var" / name).mkdir(parents=True)
    _run(["cp", "-rL", str(ZNUNY / "var" / "fonts"), str(home / "var")], fails=True)
    (home / "Kernel" / "Config.pm").write_text(
        f"""package Kernel::Config;
use strict; use warnings; use utf8;
sub Load {{
    my $Self = shift;
    $Self->{{DatabaseUser}} = '{_user()}';
    $Self->{{DatabasePw}} = '';
    $Self->{{DatabaseDSN}} = 'DBI:mysql:database=znuny;mysql_socket={socket}';
    $Self->{{Home}} = '{home}';
    return 1;
}}
use Kernel::Config::Defaults;
use parent qw(Kernel::Config::Defaults);
1;
"""
    )


@contextmanager
def mariadb(folder: Path) -> Iterator[Path]:
    """A MariaDB of our own with an empty database "znuny"; its socket."""
    home, socket = folder / "mysql", folder / "sock"
    user = _user()
    _run(["mariadb-install-db", "--no-defaults", f"--user={user}", f"--datadir={home}",
          "--auth-root-authentication-method=normal", "--skip-test-db"])  # fmt: skip
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--user={user}", f"--datadir={home}", f"--socket={socket}",
         "--skip-networking", "--skip-grant-tables", f"--pid-file={folder / 'pid'}",
         "--character-set-server=utf8mb4", "--max-allowed-packet=64M",
         "--innodb-flush-log-at-trx-commit=0", "--log-bin=0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            if socket.exists():
                break
            time.sleep(0.2)
        _run(["mariadb", f"--socket={socket}", "-e", "CREATE DATABASE znuny"])
        yield socket
    finally:
        server.terminate()
        server.wait(60)


def _user() -> str:
    import getpass

    return getpass.getuser()


def _run(words: list[str], folder: Path | None = None, *, fails: bool = False, **more: str) -> str:
    """What a command says. *fails*: it may."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and not fails:
        raise SystemExit(f"{' '.join(words)}: {done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    return done.stdout
