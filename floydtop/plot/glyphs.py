"""The characters that dots become: braille, quadrant blocks, or plain ASCII."""

from __future__ import annotations

from typing import NamedTuple


class Glyphs(NamedTuple):
    """How dots become characters: a cell is `across` x `down` dots."""

    across: int
    down: int
    table: tuple[str, ...]
    """Character by the cell's dots: the left column's bits, then the right's; bit 0 is the bottom dot."""
    mark: str
    """Shown where a value was NaN or infinite."""
    levels: str
    """Bars of a sparkline, lowest first; empty where its cells are made of two bars of dots."""


def _braille_table() -> tuple[str, ...]:
    # Unicode numbers the dots 1 2 3 down the left, 4 5 6 down the right, then 7 and 8 at the bottom.
    weights = (0x40, 0x04, 0x02, 0x01, 0x80, 0x20, 0x10, 0x08)
    patterns = (
        sum(weight for bit, weight in enumerate(weights) if dots >> bit & 1) for dots in range(1, 256)
    )
    # A space for the empty pattern: some fonts draw U+2800 as eight hollow circles.
    return (" ", *(chr(0x2800 + pattern) for pattern in patterns))


GLYPHS = {
    "braille": Glyphs(2, 4, _braille_table(), "×", ""),
    "block": Glyphs(2, 2, tuple(" ▖▘▌▗▄▚▙▝▞▀▛▐▟▜█"), "×", "▁▂▃▄▅▆▇█"),
    "ascii": Glyphs(1, 3, tuple(" .-|':||"), "x", "_.-=+*#"),
}


def dots(width: int, glyphs: str = "braille") -> int:
    """How many dot columns `width` cells have: the number of columns that a curve is binned into."""
    return max(width, 0) * GLYPHS[glyphs].across
