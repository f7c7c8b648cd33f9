"""An answer of support's and a bounce, by a real Postfix: what docs/inbound.md says to set, tried.

    postfix.py      as root, who Postfix has to be started by (apt-get install postfix)

Postfix runs in a folder of its own, beside one that is in use. A browser watches the receipt.
"""

from __future__ import annotations

import re
import shutil
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

from live import LOOPBACK, Visitor, smtp_server, until  # noqa: E402

sys.path.append(str(HERE.parent))

from browser import chromium  # noqa: E402
from factories import parsed  # noqa: E402
from pages import person  # noqa: E402
from playwright.sync_api import expect  # noqa: E402
from ports import free_port  # noqa: E402
from provider import answer_to  # noqa: E402
from running import serving  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "inbound.md"
SECRET = "copies-7q2fxm4k@example.com"
SENDER = "incident-reporter@example.com"


@contextmanager
def postfix(folder: Path, lmtp_port: int) -> Iterator[int]:
    """Postfix with the transports of the page; the port that it takes mail at."""
    config, port = folder / "conf", free_port()
    for name in ("conf", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    folder.chmod(0o755)
    (maps,) = re.findall(r"# /etc/postfix/transport\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (config / "transport").write_text(maps.replace(":8024", f":{lmtp_port}"))
    (config / "main.cf").write_text(
        f"""compatibility_level = 3.6
queue_directory = {folder / "spool"}
data_directory = {folder / "data"}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.com
mydestination = example.com
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
maillog_file = {folder / "log"}
maillog_file_prefixes = {folder}
alias_maps =
transport_maps = hash:{config / "transport"}
local_recipient_maps = hash:{config / "transport"}
"""
    )
    services = Path("/usr/share/postfix/master.cf.dist").read_text()
    services = services.replace("smtp      inet", f"127.0.0.1:{port} inet", 1)
    # No service in a chroot: there is none in that folder.
    services = re.sub(r"(?m)^(\S+\s+\w+\s+\S+\s+\S+\s+)y\b", r"\1n", services)
    (config / "master.cf").write_text(services)
    subprocess.run(["postmap", "-c", config, config / "transport"], check=True)
    subprocess.run(["postfix", "-c", config, "start"], check=True, capture_output=True)
    try:
        yield port
    finally:
        subprocess.run(["postfix", "-c", config, "stop"], check=True, capture_output=True)


def main() -> None:
    if not shutil.which("postfix"):
        raise SystemExit("Postfix has to be installed first: apt-get install postfix")
    lmtp_port = free_port()
    with (
        TemporaryDirectory() as temporary,
        TemporaryDirectory() as other,
        smtp_server() as smtp,
        serving(
            Path(temporary),
            smtp,
            INBOUND_LISTEN=f"{LOOPBACK}:{lmtp_port}",
            INBOUND_ADDRESS=SECRET,
        ) as service,
        postfix(Path(other), lmtp_port) as port,
        chromium() as browser,
        person(browser, service, service_workers="block") as customer,
    ):
        receipt = Visitor(service, customer.language).sends().receipt
        mails = until(
            lambda: len(smtp.received) == 2 and [parsed(m.content) for m in smtp.received]
        )
        ticket = next(mail for mail in mails if "X-Incident-Reference" in mail)
        acknowledgement = next(mail for mail in mails if mail is not ticket)
        customer.opens(receipt)
        live = customer.page.locator("#live")
        expect(live).to_contain_text("pendiente")
        with smtplib.SMTP(LOOPBACK, port) as server:
            server.sendmail("support@example.com", [SECRET, SENDER], answer_to(ticket))
        expect(live).to_contain_text("El equipo de soporte le ha respondido:", timeout=60_000)
        print("an answer through Postfix: the receipt that was open says so")
        with smtplib.SMTP(LOOPBACK, port) as server:  # which cannot hand it over, and says so to us
            server.sendmail(SENDER, ["nobody@nowhere.invalid"], acknowledgement.as_bytes())
        followup = until(
            lambda: next(
                (
                    mail
                    for mail in (parsed(each.content) for each in smtp.received)
                    if str(mail["Subject"]).startswith("Re: ")
                ),
                None,
            ),
            60,
        )
        text = followup.get_body(("plain",)).get_content()
        assert "news: unreachable" in text, text
        customer.opens(receipt)
        expect(customer.page.locator("main")).to_contain_text("devuelto")
        print("a bounce that Postfix made: the receipt says so, and support is told to call")


if __name__ == "__main__":
    main()
