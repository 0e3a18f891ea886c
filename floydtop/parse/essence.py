"""What there is to be read of a line, as bytes: the key by which lines are alike."""

from __future__ import annotations

import re

from floydtop.parse.lines import last_segment, without_colours

REWRITTEN = re.compile(rb"[\r\x08\x1b]")
"""In a row that was drawn more than once."""


def essence(raw: bytes) -> bytes:
    """What there is to be read of a line: of a bar whose earlier frames say nothing the last one."""
    if b"\r" not in raw and b"\x08" not in raw:
        return without_colours(raw)
    short = raw.rstrip(b"\r")
    if (b"\r" not in short and b"\x08" not in short) or has_frames(short):
        return without_colours(short)
    return shown_last(raw)


def shown_last(raw: bytes) -> bytes:
    """The essence of a line with no frames that may matter."""
    last = last_segment(raw)
    return without_colours(raw.rstrip(b"\r") if last is None else last)


def has_frames(raw: bytes) -> bool:
    """Whether more than the last frame of a bar may matter: an object, tqdm with or without a total, Rich.

    One byte is looked for 100 times as fast as two: 0.4 us instead of 45 in a Keras bar of 16 kB.
    """
    if b"{" in raw or (b"%" in raw and b"%|" in raw) or (b"," in raw and b" [0" in raw):
        return True
    # Rich draws all rows of a bar anew: the first of the next drawing ends the line of the last one.
    return " \u2022 ".encode() in raw[-500:]
