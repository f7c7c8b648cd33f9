"""Cells of a table for a spreadsheet, which runs no text of it as a formula. Pure."""

from __future__ import annotations

# What it takes for a formula when a cell begins with it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str) -> str:
    """*text* as a cell that is nothing but text."""
    return f"'{text}" if text.startswith(FORMULA) else text
