"""The one door through which text from outside reaches the screen.

Textual passes escape sequences on to the terminal and reads markup in plain strings, so job output,
metric names, command lines, paths and messages of the system go through here first.
"""

from __future__ import annotations

import re
from unicodedata import category

from textual.content import Content

LONGEST = 4096
"""Characters of one piece of text that are looked at: no screen shows more, and time stays bounded."""

_SEQUENCES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]?"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC: titles, clipboard
    r"|\x1b[ -/]{0,8}[0-~]?"  # the two-character ones
)

_TAB = "    "
_UNSEEN = "\ufffd"

_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")
"""Letters and marks by Unicode's tables, that nobody can see."""

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variants of the character before, on whose width no two terminals agree."""

MARKS = 3
"""Combining marks that one character may carry: as many as languages need."""


def clean(text: str) -> str:
    """Text without escape sequences, and with everything else that is not printable made visible.

    C0 controls become their pictures (U+2400 block); C1, bidirectional marks, zero-width and invisible
    characters and surrogates become U+FFFD; of a heap of combining marks the first ones stay.
    """
    text = text[:LONGEST]
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable():
        text = _SEQUENCES.sub("", text).replace("\t", _TAB)
        text = "".join(one if one.isprintable() else _picture(one) for one in text)
    if text.isascii():
        return text
    return _without_heaps(_INVISIBLE.sub(_UNSEEN, _SELECTORS.sub("", text)))


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else _UNSEEN


def _without_heaps(text: str) -> str:
    kept: list[str] = []
    heap = 0
    for character in text:
        heap = heap + 1 if category(character) in ("Mn", "Me") else 0
        if heap <= MARKS:
            kept.append(character)
    return "".join(kept)


def safe(text: str, style: str = "") -> Content:
    """Clean text as Textual content, which is never read as markup."""
    return Content.styled(clean(text), style) if style else Content(clean(text))
