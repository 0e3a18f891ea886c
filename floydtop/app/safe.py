"""The one door through which text from outside reaches the screen.

Textual passes escape sequences on to the terminal and reads markup in plain strings, so job output,
metric names, command lines, paths and messages of the system go through here first.
"""

from __future__ import annotations

import re

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


def clean(text: str) -> str:
    """Text without escape sequences, and with everything else that is not printable made visible.

    C0 controls become their pictures (U+2400 block); C1, bidirectional marks, zero-width characters and
    surrogates become U+FFFD.
    """
    text = text[:LONGEST]
    if text.isprintable():
        return text
    text = _SEQUENCES.sub("", text).replace("\t", _TAB)
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _picture(character) for character in text)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else _UNSEEN


def safe(text: str, style: str = "") -> Content:
    """Clean text as Textual content, which is never read as markup."""
    return Content.styled(clean(text), style) if style else Content(clean(text))
