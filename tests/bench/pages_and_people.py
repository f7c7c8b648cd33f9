"""First paint on a link of 400 ms and 400 kbit/s, beside the same form made with Bootstrap; largest
paint and blocking time with a processor four times slower; and the keystroke-level model of a
report."""

from __future__ import annotations

import first_paint
import klm
from figures import Figure


def run(quick: bool) -> list[Figure]:
    return [*first_paint.figures(1 if quick else first_paint.ROUNDS), *klm.figures()]
