"""Which reports of the board an address asks for, and the address that asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LONGEST_SEARCH = 200
PAGE_NUMBER = re.compile(r"[1-9]\d{0,3}", re.ASCII)
STATES = ("open", "unseen", "late", "solved", "all")


@dataclass(frozen=True)
class Asked:
    """What of the board is asked for. What is no such thing is the same as nothing."""

    state: str = "open"
    service: str = ""
    severity: int = 0
    words: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str], services: Sequence[str]) -> Asked:
        state, service = query.get("state", ""), query.get("service", "")
        severity, page = query.get("severity", ""), query.get("page", "")
        words = query.get("q", "").strip()[:LONGEST_SEARCH]
        return cls(
            # Who looks for somebody does not know whether it is solved.
            state=state if state in STATES else "all" if words else "open",
            service=service if service in services else "",
            severity=int(severity) if severity in {"1", "2", "3", "4"} else 0,
            words=words,
            page=int(page) if PAGE_NUMBER.fullmatch(page) else 1,
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.service or self.severity or self.words or self.state != "open")

    def query(self, page: int) -> dict[str, str]:
        """As it stands in the address of another page of it."""
        named = {
            "state": self.state if self.state != "open" else "",
            "service": self.service,
            "severity": str(self.severity or ""),
            "q": self.words,
            "page": str(page) if page > 1 else "",
        }
        return {name: value for name, value in named.items() if value}
