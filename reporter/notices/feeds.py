"""Known incidents for programs: JSON and Atom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from flask import current_app
from flask_babel import gettext as _

from reporter.formats.languages import tag
from reporter.formats.text import visible
from reporter.formats.words import service_name
from reporter.links import full_url
from reporter.notices.notice import Notice

ATOM = "http://www.w3.org/2005/Atom"
# Characters that XML 1.0 cannot hold, in whatever way (section 2.2).
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(notice: Notice) -> dict[str, Any]:
    """Times are ISO 8601 in UTC, or null; texts are by language."""
    return {
        "key": notice.key,
        "url": _url(notice),
        "services": list(notice.services),
        "state": "closed" if notice.closed_at else "open",
        "started_at": _utc(notice.started_at),
        "opened_at": _utc(notice.opened_at),
        "closed_at": notice.closed_at and _utc(notice.closed_at),
        "next_news_at": notice.latest.next_news_at and _utc(notice.latest.next_news_at),
        "entries": [
            {
                "at": _utc(entry.at),
                "state": "closed" if _closes(notice, number) else "open",
                "text": dict(entry.text),
                "next_news_at": entry.next_news_at and _utc(entry.next_news_at),
            }
            for number, entry in enumerate(notice.entries)
        ],
    }


def atom(notices: Sequence[Notice], language: str) -> bytes:
    """One entry for each thing told, the newest first. *language* is the one in use."""
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": tag(language)})
    link = full_url("notices.atom_feed")
    told = [(notice, number) for notice in notices for number in range(len(notice.entries))]
    told.sort(key=lambda each: each[0].entries[each[1]].at, reverse=True)
    newest = told[0][0].entries[told[0][1]].at if told else datetime.now(UTC)
    _add(feed, "id", link)
    _add(feed, "title", current_app.config["PROVIDER_NAME"])
    _add(feed, "updated", _utc(newest))
    ET.SubElement(feed, f"{{{ATOM}}}link", rel="self", href=link)
    author = ET.SubElement(feed, f"{{{ATOM}}}author")
    _add(author, "name", current_app.config["PROVIDER_NAME"])
    for notice, number in told:
        entry = notice.entries[number]
        element = ET.SubElement(feed, f"{{{ATOM}}}entry")
        _add(element, "id", f"{_url(notice)}#{number + 1}")
        _add(element, "title", _title(notice, number))
        _add(element, "updated", _utc(entry.at))
        ET.SubElement(element, f"{{{ATOM}}}link", href=_url(notice))
        told_in = {"xml:lang": tag(entry.language(language))}
        _add(element, "content", visible(entry.words(language)), told_in)
    content: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _title(notice: Notice, number: int) -> str:
    """As in "N-7M9QK: Email – over", in the language in use."""
    services = ", ".join(map(service_name, notice.services))
    over = f" – {_('over')}" if _closes(notice, number) else ""
    return f"{notice.key}: {services}{over}"


def _closes(notice: Notice, number: int) -> bool:
    """Whether the entry of that number tells the end."""
    return notice.closed_at is not None and number == len(notice.entries) - 1


def _add(
    parent: ET.Element, name: str, text: str, attributes: Mapping[str, str] | None = None
) -> None:
    element = ET.SubElement(parent, f"{{{ATOM}}}{name}", dict(attributes or {}))
    element.text = NOT_XML.sub("", text)


def _url(notice: Notice) -> str:
    return full_url("notices.notice", key=notice.key)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
