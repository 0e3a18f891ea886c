"""Which characters this terminal can show."""

from __future__ import annotations

import locale

_PLAIN = {
    **dict.fromkeys("●◆■▲", "*"),
    **dict.fromkeys("○◇□△", "o"),
    **dict.fromkeys("━─", "-"),
    **dict.fromkeys("│▎", "|"),
    **dict.fromkeys("█▉▊▋▌▍", "#"),
    **dict.fromkeys("▎▏░", "."),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
    "✓": "+",
    "✗": "x",
    "×": "x",
    "‖": "=",
    "▸": ">",
    "▶": ">",
    "←": "<",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "…": "~",
    "≤": "<",
    "·": "-",
}

PLAIN = str.maketrans(_PLAIN)
"""What stands for our signs where only ASCII can be shown."""


def usable_glyphs(wanted: str) -> str:
    """`wanted`, or for `auto` braille where the locale is UTF-8 and plain ASCII elsewhere."""
    if wanted != "auto":
        return wanted
    return "braille" if locale.getpreferredencoding(False).lower().replace("-", "") == "utf8" else "ascii"


def plain(text: str) -> str:
    """Text in ASCII, each character that has no stand-in as a question mark."""
    return text if text.isascii() else text.translate(PLAIN).encode("ascii", "replace").decode()
