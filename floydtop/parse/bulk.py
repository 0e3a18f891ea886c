"""Whole chunks of a log at once: for a log's past, where the lines themselves are not wanted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from operator import attrgetter

from floydtop.events import Row
from floydtop.parse import Event, Parser, jsonl
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.shapes import DIGITS
from floydtop.parse.sink import Sink, add_objects, events_of_objects, rows_of_objects

OBJECT = b'{"metric"'

SAMPLE = 32 * 1024
"""Bytes at the start of a chunk that tell how long its lines are."""

LONG_LINES = 1000
"""Mean bytes of a line above which shapes do not pay: a bar's frames are long, only its end is read."""


When = Callable[[Line], tuple[float | None, bool]]
"""Gives the time of a line, None where it is not known, and whether that is an estimate."""


class Bulk:
    """Reads a stream chunk by chunk; gives the very events that reading line by line gives."""

    def __init__(self, parser: Parser | None = None, splitter: LineSplitter | None = None) -> None:
        self.parser = parser or Parser()
        self.splitter = splitter or LineSplitter()
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
        body, rest = chunk[:end], chunk[end + 1 :]
        sample = body[:SAMPLE]
        if sample.count(b"\n") * LONG_LINES < len(sample) or not self.parser.learns:
            self._each(splitter.feed(chunk[: end + 1]), events)
        else:
            self._many(body, events)
        splitter.feed(rest)
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
        # One pass over all bytes, not one a line: 0.15 us a line, which dull lines cost and no more.
        shaped = body.translate(None, DIGITS)
        if b"\r\n" in shaped:
            shaped = shaped.replace(b"\r\n", b"\n")
        shapes = shaped.split(b"\n")
        if not self.parser.dull.issuperset(shapes):
            self._chunk(body.split(b"\n"), shapes, events)
        splitter.skip(len(shapes), len(body) + 1)

    def _chunk(self, lines: list[bytes], shapes: list[bytes], events: list[Event]) -> None:
        dull, number, when = self.parser.dull, self.splitter.number, self._when
        wanted = [index for index, shape in enumerate(shapes) if shape not in dull]
        # Objects depend on no other line: they are decoded before all others are read.
        indexes = [index for index in wanted if lines[index].startswith(OBJECT)]
        decoded = jsonl.quick_lines([lines[index] for index in indexes]) if indexes else []
        objects = {index: one for index, one in zip(indexes, decoded, strict=True) if one is not None}
        times: dict[int, tuple[float | None, bool]] = {}
        # Without times nobody asks where a line stands.
        sizes = (len(line) + 1 for line in lines) if when is not None else ()
        offsets = list(accumulate(sizes, initial=self.splitter.offset))
        read = self.parser.read
        skipped = objects.keys() if when is None else frozenset()
        while wanted:
            expectations = self.parser.expectations
            for index in wanted:
                if index in skipped or shapes[index] in dull:
                    continue
                if when is None:
                    events += read(Line(number + index, 0, lines[index]))
                else:
                    line = Line(number + index, offsets[index], lines[index])
                    times[index] = when(line)
                    if index in objects:
                        continue
                    events += read(line, *times[index])
                if self.parser.expectations != expectations:
                    wanted = list(range(index + 1, len(shapes)))
                    break
            else:
                wanted = []
        if objects:
            self._objects(objects, times, events)

    def _objects(
        self,
        objects: dict[int, jsonl.MetricLine],
        times: dict[int, tuple[float | None, bool]],
        events: list[Event],
    ) -> None:
        sink, first = self._sink, self.splitter.number
        found = list(objects.values())
        lines = [first + index for index in objects]
        moments = None if self._when is None else [times[index] for index in objects]
        if isinstance(sink, list):
            sink += rows_of_objects(found, lines, moments)
        elif sink is not None:
            add_objects(sink, found, lines, moments)
        else:
            mixed = bool(events)
            events += events_of_objects(found, lines, moments)
            if mixed:
                events.sort(key=_line_of)


_line_of = attrgetter("line")
