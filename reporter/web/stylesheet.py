"""The stylesheet as it is served, with the provider's accent colour in it."""

from __future__ import annotations

import re
from pathlib import Path

from rcssmin import cssmin

from reporter.settings.accent import for_dark

STYLESHEET = Path(__file__).parent.parent / "static" / "reporter.css"


def stylesheet(accent: str) -> str:
    """With the provider's accent in it, and without comments and needless white space."""
    css = STYLESHEET.read_text(encoding="utf-8")
    ours, in_dark = re.findall(r"--accent: (#\w+);", css)
    css = css.replace(f"--accent: {ours};", f"--accent: {accent};")
    css = css.replace(f"--accent: {in_dark};", f"--accent: {for_dark(accent)};")
    return str(cssmin(css))
