"""Whole chunks of a log at once: for a log's past, where the lines themselves are not wanted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from floydtop.events import MetricGroup, Metrics
from floydtop.parse import Event, Parser, jsonl
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.names import is_timing
from floydtop.parse.shapes import DIGITS

OBJECT = b'{"metric"'
MOST_NAMES = 10_000

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
        self._groups: dict[str, MetricGroup] = {}
        self._when: When | None = None

    def feed(self, chunk: bytes, when: When | None = None) -> list[Event]:
        """The events of the lines that this chunk completes; chunks of about 1 MiB are best.

        Args:
            when: asked for the time of each line that may hold a metric; without it events have none.
        """
        splitter = self.splitter
        self._when = when
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

    def finish(self, when: When | None = None) -> list[Event]:
        """End of the stream: the unfinished line is a line."""
        events: list[Event] = []
        self._when = when
        self._each(self.splitter.finish(), events)
        return events

    def _each(self, lines: list[Line], events: list[Event]) -> None:
        read, when = self.parser.read, self._when
        for line in lines:
            events += read(line) if when is None else read(line, *when(line))

    def _many(self, body: bytes, events: list[Event]) -> None:
        splitter, read = self.splitter, self.parser.read
        dull = self.parser.dull
        # One pass over all bytes, not one a line: 0.15 us a line, which dull lines cost and no more.
        shaped = body.translate(None, DIGITS)
        if b"\r\n" in shaped:
            shaped = shaped.replace(b"\r\n", b"\n")
        shapes = shaped.split(b"\n")
        if dull.issuperset(shapes):
            splitter.skip(len(shapes), len(body) + 1)
            return
        wanted = [index for index, shape in enumerate(shapes) if shape not in dull]
        lines = body.split(b"\n") if wanted else []
        number, when = splitter.number, self._when
        # Without times nobody asks where a line stands.
        sizes = (len(line) + 1 for line in lines) if wanted and when is not None else ()
        offsets = list(accumulate(sizes, initial=splitter.offset))
        while wanted:
            expectations = self.parser.expectations
            objects: list[int] = []
            for index in wanted:
                raw = lines[index]
                if raw.startswith(OBJECT):
                    objects.append(index)
                elif shapes[index] not in dull:
                    self._objects(objects, lines, offsets, events)
                    objects = []
                    if when is None:
                        events += read(Line(number + index, 0, raw))
                    else:
                        line = Line(number + index, offsets[index], raw)
                        events += read(line, *when(line))
                    if self.parser.expectations != expectations:
                        wanted = list(range(index + 1, len(shapes)))
                        break
            else:
                wanted = []
            self._objects(objects, lines, offsets, events)
        splitter.skip(len(shapes), len(body) + 1)

    def _objects(
        self, indexes: list[int], lines: list[bytes], offsets: list[int], events: list[Event]
    ) -> None:
        """Lines that are metric objects, decoded together: 1.2 us a line instead of 4."""
        if not indexes:
            return
        number, when = self.splitter.number, self._when
        raws = [lines[index] for index in indexes]
        found = jsonl.quick_lines(raws)
        if found is None:
            self._each(
                [_line(number, index, raw, offsets) for index, raw in zip(indexes, raws, strict=True)], events
            )
            return
        groups = self._groups
        for index, one in zip(indexes, found, strict=True):
            name = one.metric
            group = groups.get(name)
            if group is None:
                if len(groups) > MOST_NAMES:
                    groups.clear()
                group = groups[name] = "timing" if is_timing(name) else "training"
            t, approximate = None, False
            if when is not None:
                t, approximate = when(_line(number, index, lines[index], offsets))
            events.append(
                Metrics({name: one.value}, t, approximate, one.step, one.epoch, number + index, group)
            )


def _line(first: int, index: int, raw: bytes, offsets: list[int]) -> Line:
    return Line(first + index, offsets[index] if len(offsets) > 1 else 0, raw)
