"""Files that a customer chooses, and those that a mail carries."""

from __future__ import annotations

import os
from email.message import EmailMessage

from customers import Customer, Page
from provider import Provider, a_picture

from reporter.attachments import store as attachments

PNG = a_picture("PNG")
LOG = b"502 Bad Gateway\n"


def add(customer: Customer, token: str, *files: tuple[str, bytes], **fields: str) -> Page:
    """Choose *files* in the evidence step and press the button."""
    customer.open(f"/r/{token}/details/evidence")
    return customer.forge(files=files, **fields)


def kept(provider: Provider, token: str) -> list[attachments.StoredFile]:
    with provider.database.read() as session:
        return list(attachments.files_of(session, provider.receipt(token).report_id))


def names(provider: Provider, token: str) -> list[str]:
    return [file.name for file in kept(provider, token)]


def files_in(mail: EmailMessage) -> dict[str, bytes]:
    """The attachments but for the JSON, which is the last where there is one."""
    parts = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    assert not any(name.endswith(".json") for name in list(parts)[:-1])
    return {name: content for name, content in parts.items() if not name.endswith(".json")}


def pdf(size: int) -> bytes:
    return (b"%PDF-1.7\n" + os.urandom(size))[:size]


def remove(page: Page, name: str) -> str:
    """What the button beside a file says to remove it."""
    before, _, _ = page.html.partition(f'<span class="hidden"> {name}</span>')
    return before.rpartition('name="remove" value="')[2].partition('"')[0]
