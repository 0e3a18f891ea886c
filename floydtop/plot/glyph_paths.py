"""Draws the glyphs that terminals draw themselves: braille, blocks and box lines, exactly on the cell grid.

Fonts differ in them (DejaVu Sans Mono has no braille at all), and a viewer's fonts are not ours: as paths
they look the same everywhere, and lines join from cell to cell.
"""

from __future__ import annotations

DOTS = (
    (0x01, 0, 0),
    (0x02, 0, 1),
    (0x04, 0, 2),
    (0x08, 1, 0),
    (0x10, 1, 1),
    (0x20, 1, 2),
    (0x40, 0, 3),
    (0x80, 1, 3),
)
"""Bit, column and row of each braille dot (Unicode: U+2800 + bits)."""

LINES = {
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "udr", "┤": "udl",
    "┬": "lrd", "┴": "lru", "┼": "lrud", "╴": "l", "╵": "u", "╶": "r", "╷": "d",
    "━": "LR", "┃": "UD", "╸": "L", "╺": "R", "╹": "U", "╻": "D", "╼": "lR", "╽": "uD", "╾": "Lr", "╿": "Ud",
}  # fmt: skip
"""The arms of each line glyph: up, down, left, right; capital ones are heavy."""

CORNERS = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}
"""Round corners: the directions of their two arms."""

LEFT_BLOCKS = "▏▎▍▌▋▊▉"
LOWER_BLOCKS = "▁▂▃▄▅▆▇"
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}


def is_drawn(character: str) -> bool:
    """Whether `draw` has a shape for the character."""
    return (
        "\u2800" <= character <= "\u28ff"
        or character in LINES
        or character in CORNERS
        or "\u2580" <= character <= "\u2593"
    )


def draw(character: str, x: float, y: float, width: float, height: float) -> dict[str, list[str]]:
    """The path pieces of one glyph, by how they are painted: dots, light, heavy, fill, shade.

    Args:
        x, y: the upper left corner of its cell.
    """
    if "\u2800" <= character <= "\u28ff":
        bits = ord(character) - 0x2800
        return {
            "dots": [
                f"M{x + (column + 0.5) * width / 2:.1f} {y + (row + 0.5) * height / 4:.1f}h.01"
                for bit, column, row in DOTS
                if bits & bit
            ]
        }
    middle_x, middle_y = x + width / 2, y + height / 2
    if character in CORNERS:
        right, down = CORNERS[character]
        return {
            "light": [
                f"M{middle_x:.1f} {middle_y + down * height / 2:.1f}"
                f"Q{middle_x:.1f} {middle_y:.1f} {middle_x + right * width / 2:.1f} {middle_y:.1f}"
            ]
        }
    if character in LINES:
        pieces: dict[str, list[str]] = {}
        for arm in LINES[character]:
            way = {"l": f"h{-width / 2:.1f}", "r": f"h{width / 2:.1f}"}.get(arm.lower())
            way = way or f"v{height / 2 if arm.lower() == 'd' else -height / 2:.1f}"
            weight = "heavy" if arm.isupper() else "light"
            pieces.setdefault(weight, []).append(f"M{middle_x:.1f} {middle_y:.1f}{way}")
        return pieces
    if character in SHADES:
        return {f"shade {SHADES[character]}": [_box(x, y, width, height)]}
    return {"fill": [_block(character, x, y, width, height)]}


def _block(character: str, x: float, y: float, width: float, height: float) -> str:
    if character in LEFT_BLOCKS:
        return _box(x, y, width * (LEFT_BLOCKS.index(character) + 1) / 8, height)
    if character in LOWER_BLOCKS:
        part = height * (LOWER_BLOCKS.index(character) + 1) / 8
        return _box(x, y + height - part, width, part)
    if character == "▀":
        return _box(x, y, width, height / 2)
    if character == "▐":
        return _box(x + width / 2, y, width / 2, height)
    return _box(x, y, width, height)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"
