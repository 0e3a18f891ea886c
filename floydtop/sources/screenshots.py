"""Turn pictures of a terminal, taken once a second, into the lines that were printed in between."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Awaitable, Callable

from floydtop.sources.chunks import Chunk, Idle, Item, Restart

Screenshot = tuple[list[bytes], bytes]
"""The finished lines, oldest first, and the text of the line that the cursor is on."""

_STEP_SECONDS = 1.0
_REWRITTEN = (0, 1, 3, 10, 50)
"""How many of the last lines may have been printed over, by bars of several lines, tried in this order."""
_DIGITS = re.compile(rb"[0-9]+")
_BEGINNING = 8
"""Bytes by which a line that begins as the one before is told from the rest of that one."""


def unwrapped(rows: list[bytes], columns: int) -> list[bytes]:
    """The lines that were printed, of the rows of a terminal that broke them at its width.

    A row as wide as the terminal goes on in the next one, unless one of them is a drawn rule, or the next one
    begins as its line does: then the lines just have that width.

    Args:
        rows: as a picture shows them, without blanks at the end. A row that was broken at a blank cannot be
            told from one that ended there, and is left alone.
        columns: width of the terminal.
    """
    lines: list[bytes] = []
    row = b""
    for following in rows:
        # A wide letter that did not fit leaves the last column free.
        full = _width(row) == columns or (not row.isascii() and _width(row) == columns - 1)
        drawn = not following or _is_rule(row) or _is_rule(following)
        if full and not drawn and _shape(following) != _shape(lines[-1]):
            lines[-1] += following
        else:
            lines.append(following)
        row = following
    return lines


def _width(row: bytes) -> int:
    if row.isascii():
        return len(row)
    text = row.decode("utf-8", "replace")
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _is_rule(row: bytes) -> bool:
    last = row.decode("utf-8", "replace")[-2:]
    return not last.isalnum() and last == 2 * last[:1]


def _shape(row: bytes) -> bytes:
    return _DIGITS.sub(b"0", row[: 4 * _BEGINNING])[:_BEGINNING]


def added(previous: list[bytes], lines: list[bytes]) -> list[bytes] | None:
    """The lines at the end of `lines` that are new since `previous`, None when nothing connects the two.

    Lines at the beginning may be gone: a terminal keeps only so many.
    """
    for cut in _REWRITTEN:
        kept = previous[: len(previous) - cut]
        if not kept:
            break
        for gone, line in enumerate(kept):
            rest = len(kept) - gone
            if lines and line == lines[0] and kept[gone:] == lines[:rest]:
                old = previous[len(previous) - cut :] if cut else []
                new = lines[rest:]
                same = 0
                while same < min(len(old), len(new)) and old[same] == new[same]:
                    same += 1
                return new[same:]
    return None if previous else lines


async def follow_screenshots(
    take: Callable[[], Awaitable[Screenshot | None]],
    *,
    stop: Callable[[], bool] | asyncio.Event,
    known: Screenshot | None = None,
    offset: int = 0,
) -> AsyncGenerator[Item, None]:
    """Yield what is printed between two pictures; an unfinished line is printed over by its next state.

    Args:
        take: takes a picture; None when the terminal is gone.
        stop: when true or set, one last picture is taken and the iteration ends.
        known: what was shown already; without it the first picture is.
        offset: counted on from here in the chunks.
    """
    ended = stop.is_set if isinstance(stop, asyncio.Event) else stop
    while True:
        last = ended()
        shot = await take()
        if shot is None:
            yield Idle(missing=True)
            return
        if known is not None:
            lines = added(known[0], shot[0])
            if lines is None:
                yield Restart("the terminal scrolled further than it remembers: lines are missing")
                lines = shot[0]
            text = b"".join(line + b"\n" for line in lines)
            if known[1] and (lines or shot[1] != known[1]):
                text = b"\r" + text
            if shot[1] and (lines or shot[1] != known[1]):
                text += shot[1]
            if text:
                yield Chunk(text, offset)
                offset += len(text)
                yield Idle()
        known = shot
        if last:
            return
        await _pause(stop)


async def _pause(stop: Callable[[], bool] | asyncio.Event) -> None:
    if not isinstance(stop, asyncio.Event):
        await asyncio.sleep(_STEP_SECONDS)
        return
    try:
        await asyncio.wait_for(stop.wait(), _STEP_SECONDS)
    except TimeoutError:
        return
