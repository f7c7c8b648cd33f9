"""The provider's accent colour: can it be read, and what is it on a dark page. Pure, no Flask."""

from __future__ import annotations

# What text has to stand out by against its background (WCAG 2.2, 1.4.3).
READABLE = 4.5
LIGHT_PAPER, LIGHT_TINT = "#ffffff", "#f3f6f9"
DARK_PAPER, DARK_TINT = "#12171d", "#1b222b"

Colour = tuple[int, int, int]


def is_readable(accent: str) -> bool:
    """Whether *accent* can be read on light paper and tint, and white on it."""
    return all(contrast(accent, paper) >= READABLE for paper in (LIGHT_PAPER, LIGHT_TINT))


def for_dark(accent: str) -> str:
    """The same hue, mixed with white until it can be read well on dark paper and tint."""
    for percent in range(0, 100, 5):
        mixed = _hex(tuple(c + (255 - c) * percent // 100 for c in _colour(accent)))
        if all(contrast(mixed, paper) >= READABLE + 2 for paper in (DARK_PAPER, DARK_TINT)):
            return mixed
    return "#ffffff"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted(_luminance(_colour(each)) for each in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(text: str) -> Colour:
    """Of "#rrggbb"."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _hex(colour: tuple[int, ...]) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)
