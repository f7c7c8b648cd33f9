"""The stylesheets as they stand in a page, with the provider's accent colour in them."""

from __future__ import annotations

import re
from pathlib import Path

from rcssmin import cssmin

from reporter.settings.accent import for_dark

FOLDER = Path(__file__).parent.parent / "static"


def stylesheet(accent: str) -> str:
    """Of every page: with the provider's accent in it."""
    css = (FOLDER / "reporter.css").read_text(encoding="utf-8")
    ours, in_dark = re.findall(r"--accent: (#\w+);", css)
    css = css.replace(f"--accent: {ours};", f"--accent: {accent};")
    css = css.replace(f"--accent: {in_dark};", f"--accent: {for_dark(accent)};")
    return _small(css)


def report_stylesheet() -> str:
    """What the receipt, known incidents and the desk have besides; no form has to carry it."""
    return _small((FOLDER / "report.css").read_text(encoding="utf-8"))


def _small(css: str) -> str:
    """Without comments and needless white space."""
    return str(cssmin(css))
