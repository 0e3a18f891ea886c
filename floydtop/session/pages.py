"""The output lines of a long session, read again where they are wanted instead of kept in memory."""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from floydtop.events import Event, Malformed, Metrics, OutputLine
from floydtop.session.files import BLOCK
from floydtop.session.format import LONGEST_LINE, Reader

MOST_PAGES = 24
"""Pages that are read for one moment: 4 ms each. Lines that stand thinner than that are not all shown."""

PAGES_AT_HAND = 8
"""Pages kept as they were read last: playing asks for the same ones again and again."""

MOST_READ = LONGEST_LINE + BLOCK
"""Bytes of a page that are read: one with a longer line than that may be as large as the file."""

PACKED_BYTES = 32 << 20
"""Bytes of text kept of a session that can be read only once, some two million lines; the oldest go first."""

Told = OutputLine | Malformed


class Text(msgspec.Struct):
    """What a page tells of the job's output."""

    lines: list[tuple[float, OutputLine]]
    """With the moment of each."""
    malformed: list[tuple[float, Malformed]]
    metric_lines: list[int]


@dataclass
class Page:
    """A stretch of a session file."""

    offset: int
    size: int
    moment: float
    """Session time of the newest event before it."""
    lines: int = 0
    malformed: int = 0
    packed: bytes = b""
    """The text itself, where the file cannot be read again."""


class Pages:
    """Pages in the order of the file, and how many lines stand before each."""

    def __init__(self) -> None:
        self._pages: list[Page] = []
        self._packed = 0
        self._first_packed = 0
        self._fd: int | None = None
        self._at_hand: OrderedDict[int, Text] = OrderedDict()

    def __getstate__(self) -> dict[str, object]:
        return {"_pages": self._pages, "_packed": self._packed, "_first_packed": self._first_packed}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__()  # type: ignore[misc]  # what is not in an index is as new
        self.__dict__.update(state)

    def read_from(self, fd: int) -> None:
        """Read pages again from this file; it is ours from here on."""
        self._fd = fd

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def add(self, page: Page, text: Text | None = None) -> None:
        """Note a page, with its text if it cannot be read again."""
        if text is not None:
            page.packed = zlib.compress(msgspec.msgpack.encode(text), 1)
            self._packed += len(page.packed)
        self._pages.append(page)
        while self._packed > PACKED_BYTES:
            oldest = self._pages[self._first_packed]
            self._packed -= len(oldest.packed)
            oldest.packed = b""
            self._first_packed += 1

    def until(self, moment: float, count: int, count_malformed: int) -> tuple[Text, int, int]:
        """The newest text up to a moment, at most so many lines and malformed ones.

        Returns:
            The text, how many lines there were up to then, and how many malformed ones.
        """
        last = bisect_right(self._pages, moment, key=lambda page: page.moment)
        found = Text([], [], [])
        before = list(accumulate((page.lines for page in self._pages[:last]), initial=0))
        before_malformed = list(accumulate((page.malformed for page in self._pages[:last]), initial=0))
        seen = seen_malformed = 0
        read = 0
        for place in range(last - 1, -1, -1):
            page = self._pages[place]
            wanted = before[place + 1] and len(found.lines) < count
            wanted_malformed = before_malformed[place + 1] and len(found.malformed) < count_malformed
            if not (wanted or wanted_malformed) or read >= MOST_PAGES:
                break
            if not ((wanted and page.lines) or (wanted_malformed and page.malformed)):
                continue
            read += 1
            text = self._read(place)
            lines = text.lines[: bisect_right(text.lines, moment, key=lambda one: one[0])]
            bad = text.malformed[: bisect_right(text.malformed, moment, key=lambda one: one[0])]
            seen = seen or before[place] + len(lines)
            seen_malformed = seen_malformed or before_malformed[place] + len(bad)
            found = Text(
                [*lines, *found.lines][-count:],
                [*bad, *found.malformed][-count_malformed:],
                [*text.metric_lines, *found.metric_lines],
            )
        return found, seen, seen_malformed

    def _read(self, place: int) -> Text:
        known = self._at_hand.get(place)
        if known is None:
            page = self._pages[place]
            if page.packed:
                known = msgspec.msgpack.decode(zlib.decompress(page.packed), type=Text)
            elif page.size and self._fd is not None:
                # Lines are at its end, if it is larger: what is before them is no line that is read.
                size = min(page.size, MOST_READ)
                data = os.pread(self._fd, size, page.offset + page.size - size)
                known = text_of(Reader().feed(data if data.endswith(b"\n") else data + b"\n"), page.moment)
            else:
                known = Text([], [], [])
            self._at_hand[place] = known
        self._at_hand.move_to_end(place)
        while len(self._at_hand) > PAGES_AT_HAND:
            self._at_hand.popitem(last=False)
        return known


def text_of(events: Sequence[Event], moment: float) -> Text:
    """The text among events, each line with the moment at which it came: an event without a time of its own
    belongs to the moment of the one before it."""
    text = Text([], [], [])
    for event in events:
        t = getattr(event, "t", None)
        if t is not None and t > moment:
            moment = t
        if type(event) is OutputLine:
            text.lines.append((moment, event))
        elif type(event) is Malformed:
            text.malformed.append((moment, event))
        elif type(event) is Metrics and event.line:
            text.metric_lines.append(event.line)
    return text
