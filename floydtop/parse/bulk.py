"""Whole chunks of a log at once: for a log's past, where the lines themselves are not wanted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter

from floydtop.events import Row
from floydtop.parse import OBJECT, Event, Parser, jsonl
from floydtop.parse.essence import has_frames, shown_last
from floydtop.parse.lines import LIMIT, Line, LineSplitter, without_colours
from floydtop.parse.shapes import DIGITS
from floydtop.parse.sink import (
    UNKNOWN,
    Sink,
    Times,
    add_objects,
    events_of_objects,
    give_batch,
    give_points,
    rows_of_objects,
)
from floydtop.parse.walk import FRAMED, Walk, When

LONG = b"\r\r"
"""Stands for an over-long line, which is read by itself: no essence of a line is that."""

FEW = 4
"""Shapes that are looked for one by one among others."""

SHORT = 2000
"""Mean bytes of a line up to which `split` is as fast as to look for each newline."""

_OBJECT_LINES = re.compile(re.escape(OBJECT) + rb"[^\n]*")
# A line that a return begins, and nothing in it that frames have: what is read is the rest of it.
_ONCE = re.compile(rb"\r[ !-+\--z|~]{0,200}[!-+\--z|~]")
# A line that wipes a bar out.
_WIPED = re.compile(rb"(?:[ \r]|\x1b\[A)*+")


class Bulk:
    """Reads a stream chunk by chunk; gives the very events that reading line by line gives."""

    def __init__(
        self,
        parser: Parser | None = None,
        splitter: LineSplitter | None = None,
        *,
        stamps_only: bool = False,
    ) -> None:
        """Make a reader of one stream.

        Args:
            stamps_only: who is asked for times knows one only of a line with a stamp: no other is shown.
        """
        self.parser = parser or Parser()
        self.splitter = splitter or LineSplitter()
        self._stamps_only = stamps_only
        self._when: When | None = None
        self._sink: Sink | list[Row] | None = None

    def feed(
        self, chunk: bytes, when: When | None = None, sink: Sink | list[Row] | None = None
    ) -> list[Event]:
        """The events of the lines that this chunk completes; chunks of about 1 MiB are best.

        Args:
            when: asked for the time of each line that may hold a metric; without it events have none.
            sink: gets whole columns of points, or the rows of them, in any order of the metrics; what is
                no part of such a column comes back as an event all the same.
        """
        splitter = self.splitter
        self._when, self._sink = when, sink
        events: list[Event] = []
        if not splitter.at_line_start:
            first = chunk.find(b"\n") + 1
            if first == 0:
                splitter.feed(chunk)
                return events
            self._each(splitter.feed(chunk[:first]), events)
            chunk = chunk[first:]
        end = chunk.rfind(b"\n")
        if end < 0 or not splitter.at_line_start:
            self._each(splitter.feed(chunk), events)
            return events
        if self.parser.learns:
            self._many(chunk[:end], events)
        else:
            self._each(splitter.feed(chunk[: end + 1]), events)
        splitter.feed(chunk[end + 1 :])
        return events

    def finish(self, when: When | None = None, sink: Sink | list[Row] | None = None) -> list[Event]:
        """End of the stream: the unfinished line is a line."""
        events: list[Event] = []
        self._when, self._sink = when, sink
        self._each(self.splitter.finish(), events)
        return events

    def _each(self, lines: list[Line], events: list[Event]) -> None:
        read, when = self.parser.read, self._when
        for line in lines:
            events += read(line) if when is None else read(line, *when(line))

    def _many(self, body: bytes, events: list[Event]) -> None:
        splitter = self.splitter
        if body.startswith(OBJECT) and self._only_objects(body, events):
            return
        lines: list[bytes] | None = None
        essences = body
        if b"\r" in body or b"\x08" in body or b"\x1b" in body or (b"%" in body and b"%|" in body):
            lines = _split(body)
            essences = b"\n".join(map(_essence, lines))
        # One pass over all bytes, not one a line: 0.1 us a line, which dull lines cost and no more.
        shapes = essences.translate(None, DIGITS).split(b"\n")
        wanted = set(shapes).difference(self.parser.dull)
        if wanted and not self._few_objects(essences, shapes, wanted, events):
            objects = any(shape.startswith(OBJECT) for shape in wanted)
            self._chunk(lines, essences.split(b"\n"), shapes, events, objects=objects)
        splitter.skip(len(shapes), len(body) + 1)

    def _only_objects(self, body: bytes, events: list[Event]) -> bool:
        """Read lines that are nothing but well-formed metric objects: 0.2 us a line, 0.4 of mixed ones."""
        if self._when is not None and not self._stamps_only:
            return False
        ends = body.count(b"\n")
        if body.count(b"\n" + OBJECT) != ends:
            return False
        found = jsonl.together(body, ends + 1)
        if found is None:
            return False
        first = self.splitter.number
        self._give(found, range(first, first + len(found)), None, events)
        self.splitter.skip(len(found), len(body) + 1)
        return True

    def _few_objects(self, body: bytes, shapes: list[bytes], wanted: set[bytes], events: list[Event]) -> bool:
        """Read metric objects of few shapes among dull lines, none of which is copied: half the time."""
        if self._when is not None and not self._stamps_only:
            return False
        if len(wanted) > FEW or not all(shape.startswith(OBJECT) for shape in wanted):
            return False
        indexes = _places(shapes, wanted)
        # A dull line holds no object, so that each line found here begins with one and is wanted.
        lines = _OBJECT_LINES.findall(body)
        found = jsonl.together(b"\n".join(lines), len(indexes)) if len(lines) == len(indexes) else None
        if found is None:
            return False
        self._give(found, list(map(self.splitter.number.__add__, indexes)), None, events)
        return True

    def _chunk(
        self,
        raws: list[bytes] | None,
        lines: list[bytes],
        shapes: list[bytes],
        events: list[Event],
        *,
        objects: bool,
    ) -> None:
        dull, number, offset = self.parser.dull, self.splitter.number, self.splitter.offset
        wanted = _wanted(shapes, dull)
        # Objects depend on no other line: they are decoded before all others are read.
        indexes = [index for index in wanted if lines[index].startswith(OBJECT)] if objects else []
        decoded = jsonl.quick_lines([lines[index] for index in indexes])
        if None in decoded:
            indexes = [index for index, one in zip(indexes, decoded, strict=True) if one is not None]
        found = [one for one in decoded if one is not None]
        asked = self._when is not None and not self._stamps_only
        decided = frozenset(indexes)
        skipped = frozenset() if asked else decided
        walk = Walk(
            self.parser,
            raws or lines,
            lines,
            shapes,
            number=number,
            offset=offset,
            when=self._when,
            stamps_only=self._stamps_only,
        )
        unread = [index for index in wanted if index not in skipped] if skipped else wanted
        walk.read(unread, decided, skipped)
        events += walk.events
        for batch in walk.batches:
            times = [walk.times.get(index, UNKNOWN) for index in batch.indexes] if walk.times else None
            give_batch(self._sink, batch, number, times, events)
        if indexes:
            moments = [walk.times[index] for index in indexes] if asked else None
            self._give(found, [number + index for index in indexes], moments, events)
        if walk.points:
            give_points(self._sink, walk.points, number, walk.times, events)
        if walk.batches or walk.points or indexes:
            events.sort(key=_line_of)

    def _give(
        self,
        found: Sequence[jsonl.MetricLine],
        lines: Sequence[int],
        times: Times | None,
        events: list[Event],
    ) -> None:
        """Hand metric objects on in the way that is wanted."""
        sink = self._sink
        if isinstance(sink, list):
            sink += rows_of_objects(found, lines, times)
        elif sink is not None:
            add_objects(sink, found, lines, times)
        else:
            events += events_of_objects(found, lines, times)


def _wanted(shapes: list[bytes], dull: set[bytes]) -> list[int]:
    """Where the shapes are that are not dull; few among many are found at 50 ns a line instead of 100."""
    flags = bytes(map(dull.__contains__, shapes))
    if flags.count(0) * 4 > len(flags):
        return [index for index, flag in enumerate(flags) if not flag]
    wanted: list[int] = []
    index = flags.find(0)
    while index >= 0:
        wanted.append(index)
        index = flags.find(0, index + 1)
    return wanted


def _places(shapes: list[bytes], wanted: set[bytes]) -> list[int]:
    """Where some shapes stand among others: 10 ns for each of these and each shape, where a loop takes 30."""
    places: list[int] = []
    find, take = shapes.index, places.append
    for shape in wanted:
        place = -1
        with suppress(ValueError):
            while True:
                place = find(shape, place + 1)
                take(place)
    return sorted(places)


def _essence(line: bytes) -> bytes:
    """The essence of a line; of one with frames what stands for it, of an over-long one only where thinning
    it would leave the same.
    """
    short = line.rstrip(b"\r")
    if b"\r" not in short and b"\x08" not in short:
        if len(line) > LIMIT:
            return LONG
        if b"%" in short and b"%|" in short:
            return FRAMED
        return without_colours(short) if b"\x1b" in short else short
    if _WIPED.fullmatch(line):
        return b""
    if line.rfind(b"\r") == 0 and _ONCE.fullmatch(line) and b"%|" not in line:
        return line[1:]
    if has_frames(line):
        return FRAMED
    found = shown_last(line)
    return found if len(found) <= LIMIT else LONG


def _split(body: bytes) -> list[bytes]:
    """The lines of a body; few in many bytes are found at 10 GB/s, where `split` looks at each byte."""
    if body.count(b"\n", 0, LIMIT) * SHORT > min(len(body), LIMIT):
        return body.split(b"\n")
    lines, start = [], 0
    while (end := body.find(b"\n", start)) >= 0:
        lines.append(body[start:end])
        start = end + 1
    return [*lines, body[start:]]


_line_of = attrgetter("line")
