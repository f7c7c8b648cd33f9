"""Which of our languages a browser prefers (RFC 9110, section 12.5.4), and what others call it."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 16_384  # characters of the header that are looked at


def tag(language: str) -> str:
    """One of ours, as browsers and mail programs know it (RFC 5646): "pt-BR" for "pt_BR"."""
    return language.replace("_", "-")


def preferred(accepted: str, languages: Sequence[str]) -> str | None:
    """The first of *accepted* that is one of *languages*, by preference; None when none is.

    "es-AR" is "es", and "pt" is "pt-BR" where that is all there is.
    """
    known = {language.lower().replace("_", "-"): language for language in reversed(languages)}
    families = {tag.partition("-")[0]: language for tag, language in known.items()}
    wanted = sorted(_ranges(accepted[:LONGEST]), key=lambda each: -each[1])
    for tag, _quality in wanted:
        while tag:
            if tag in known:
                return known[tag]
            tag, _dash, last = tag.rpartition("-")
            if not tag and last in families:
                return families[last]
    return None


def _ranges(accepted: str) -> list[tuple[str, float]]:
    """Each language with its quality, but for those that are refused with 0."""
    found = []
    for each in accepted.lower().split(","):
        tag, _semicolon, parameter = each.partition(";")
        name, _equals, number = parameter.partition("=")
        try:
            quality = float(number) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag.strip() and 0 < quality <= 1:
            found.append((tag.strip()[:40], quality))
    return found
