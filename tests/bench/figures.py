"""What a bench found: one row for each figure, with what was wanted where something was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`goal`: in words, empty where there is none; `met`: None where there is none to meet."""

    what: str
    found: str
    goal: str = ""
    met: bool | None = None

    @property
    def mark(self) -> str:
        return {None: "", True: "yes", False: "no"}[self.met]


def at_least(what: str, value: float, goal: float, shown: str = "{:.2f}") -> Figure:
    return Figure(what, shown.format(value), "≥ " + shown.format(goal), value >= goal)


def at_most(what: str, value: float, goal: float, shown: str = "{:.2f}") -> Figure:
    return Figure(what, shown.format(value), "≤ " + shown.format(goal), value <= goal)


def middle(values: list[float]) -> float:
    return median(values)


@dataclass(frozen=True)
class Section:
    """One bench: its title, what it does in a sentence or two, and how it is run."""

    title: str
    about: str
    run: Callable[[bool], list[Figure]]  # given whether it has to be quick
