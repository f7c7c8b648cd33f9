"""Known incidents for programs: a JSON feed and an Atom feed."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from customers import Customer
from incidents import ENGLISH, TEXT, follow, from_desk, opened
from provider import Provider

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


# For programs


def feed(provider: Provider, name: str) -> Any:
    answer = provider.app.test_client().get(name)
    assert answer.status_code == 200
    return answer


def test_the_json_feed(provider: Provider) -> None:
    assert feed(provider, "/notices.json").json == {"notices": []}
    key = opened(provider, "--translation", f"en={ENGLISH}", "--next-news", "10:30")
    other = opened(provider, service="email")
    follow(provider, other)
    provider.later(minutes=30)
    provider.command("notice", "close", other, "--text", "Era un disco")
    assert feed(provider, "/notices.json").json == {
        "notices": [
            {
                "key": other,
                "url": f"https://incidents.example.com/notices/{other}",
                "services": ["email"],
                "state": "closed",
                "started_at": "2026-11-23T02:22:00Z",
                "opened_at": "2026-11-23T02:22:00Z",
                "closed_at": "2026-11-23T02:52:00Z",
                "next_news_at": None,
                "entries": [
                    {
                        "at": "2026-11-23T02:22:00Z",
                        "state": "open",
                        "text": {"es": TEXT},
                        "next_news_at": None,
                    },
                    {
                        "at": "2026-11-23T02:52:00Z",
                        "state": "closed",
                        "text": {"es": "Era un disco"},
                        "next_news_at": None,
                    },
                ],
            },
            {
                "key": key,
                "url": f"https://incidents.example.com/notices/{key}",
                "services": ["web-hosting"],
                "state": "open",
                "started_at": "2026-11-23T02:22:00Z",
                "opened_at": "2026-11-23T02:22:00Z",
                "closed_at": None,
                "next_news_at": "2026-11-23T09:30:00Z",
                "entries": [
                    {
                        "at": "2026-11-23T02:22:00Z",
                        "state": "open",
                        "text": {"es": TEXT, "en": ENGLISH},
                        "next_news_at": "2026-11-23T09:30:00Z",
                    }
                ],
            },
        ]
    }
    assert "ana@example.com" not in json.dumps(feed(provider, "/notices.json").json)


def test_the_feeds_keep_what_was_closed_for_thirty_days(provider: Provider, key: str) -> None:
    provider.command("notice", "close", key, "--text", "Era un disco")
    provider.later(days=29)
    assert len(feed(provider, "/notices.json").json["notices"]) == 1
    provider.later(days=2)
    assert feed(provider, "/notices.json").json == {"notices": []}
    assert ET.fromstring(feed(provider, "/notices.atom").data).findall(f"{ATOM}entry") == []


def moment(element: ET.Element) -> datetime:
    """Its date, which RFC 4287 has as in RFC 3339 with a capital T and Z."""
    text = element.findtext(f"{ATOM}updated") or ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    return datetime.fromisoformat(text)


def valid(atom: ET.Element) -> list[ET.Element]:
    """The entries of a feed that has what RFC 4287 requires (sections 4.1.1 and 4.1.2)."""
    assert atom.tag == f"{ATOM}feed"
    identities = []
    for element in (atom, *atom.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}")
        identity = element.findtext(f"{ATOM}id") or ""
        assert identity.startswith("https://incidents.example.com/")
        identities.append(identity)
    assert len(set(identities)) == len(identities)
    assert atom.findtext(f"{ATOM}author/{ATOM}name")
    links = {each.get("rel"): each.get("href") for each in atom.findall(f"{ATOM}link")}
    assert links["self"] == "https://incidents.example.com/notices.atom"
    entries = atom.findall(f"{ATOM}entry")
    for entry in entries:
        assert entry.findtext(f"{ATOM}content")
        assert entry.find(f"{ATOM}link") is not None
    times = [moment(entry) for entry in entries]
    assert times == sorted(times, reverse=True)
    assert all(moment(atom) >= time for time in times)
    return entries


def test_the_atom_feed_has_what_its_standard_requires(provider: Provider) -> None:
    answer = feed(provider, "/notices.atom")
    assert answer.mimetype == "application/atom+xml"
    assert valid(ET.fromstring(answer.data)) == []
    key = opened(provider, "--translation", f"en={ENGLISH}")
    provider.later(minutes=30)
    provider.command("notice", "update", key, "--text", "Casi listo & <b>bien</b>")
    first = ET.fromstring(feed(provider, "/notices.atom").data)
    newest, oldest = valid(first)
    assert newest.findtext(f"{ATOM}content") == "Casi listo & <b>bien</b>"
    assert oldest.findtext(f"{ATOM}content") == TEXT
    assert newest.findtext(f"{ATOM}title") == f"{key}: Alojamiento web"
    provider.later(minutes=30)
    again = ET.fromstring(feed(provider, "/notices.atom").data)
    assert ET.tostring(again) == ET.tostring(first)  # nothing moves while nothing is told
    provider.command("notice", "close", key, "--text", "Era un disco")
    last, *rest = valid(ET.fromstring(feed(provider, "/notices.atom").data))
    assert last.findtext(f"{ATOM}title") == f"{key}: Alojamiento web – terminada"
    assert [entry.findtext(f"{ATOM}id") for entry in rest] == [
        entry.findtext(f"{ATOM}id") for entry in (newest, oldest)
    ]
    english = ET.fromstring(feed(provider, "/notices.atom?lang=en").data)
    assert english.get(LANG) == "en"
    contents = [entry.find(f"{ATOM}content") for entry in valid(english)]
    assert [(each.get(LANG), each.text) for each in contents if each is not None] == [
        ("es", "Era un disco"), ("es", "Casi listo & <b>bien</b>"), ("en", ENGLISH),
    ]  # fmt: skip
    page = Customer(provider.app, "en").open(f"/notices/{key}").html
    assert '<link rel="alternate" type="application/atom+xml" title="Known incidents"' in page
    assert 'href="/notices.atom?lang=en"' in page


def test_no_text_can_break_the_atom_feed(provider: Provider) -> None:
    """XML has no way to say most control characters."""
    hostile = "uno\x0b\x0c\x1b[31m\x08\ufffe dos\tcon & ]]> <x>"
    support = provider.support()
    support.open(from_desk(provider, provider.report()))
    assert support.submit(text=hostile).status == 200
    (entry,) = valid(ET.fromstring(feed(provider, "/notices.atom").data))
    assert entry.findtext(f"{ATOM}content") == "uno\n\n  dos\tcon & ]]> <x>"
