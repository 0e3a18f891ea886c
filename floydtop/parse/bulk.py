"""Whole chunks of a log at once: for a log's past, where the lines themselves are not wanted."""

from __future__ import annotations

from floydtop.parse import Event, Parser
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.shapes import DIGITS

LONG_LINES = 1000
"""Mean bytes of a line above which shapes do not pay: a bar's frames are long, only its end is read."""


class Bulk:
    """Reads a stream chunk by chunk; gives the very events that reading line by line gives."""

    def __init__(self, parser: Parser | None = None, splitter: LineSplitter | None = None) -> None:
        self.parser = parser or Parser()
        self.splitter = splitter or LineSplitter()

    def feed(self, chunk: bytes) -> list[Event]:
        """The events of the lines that this chunk completes; chunks of about 1 MiB are best."""
        splitter = self.splitter
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
        if body.count(b"\n") * LONG_LINES < len(body) or not self.parser.learns:
            self._each(splitter.feed(chunk[: end + 1]), events)
        else:
            self._many(body, events)
        splitter.feed(rest)
        return events

    def finish(self) -> list[Event]:
        """End of the stream: the unfinished line is a line."""
        events: list[Event] = []
        self._each(self.splitter.finish(), events)
        return events

    def _each(self, lines: list[Line], events: list[Event]) -> None:
        read = self.parser.read
        for line in lines:
            events += read(line)

    def _many(self, body: bytes, events: list[Event]) -> None:
        splitter, read = self.splitter, self.parser.read
        dull = self.parser.dull
        # One pass over all bytes, not one a line: 0.15 us a line, which dull lines cost and no more.
        shapes = body.translate(None, DIGITS).replace(b"\r\n", b"\n").split(b"\n")
        wanted = [index for index, shape in enumerate(shapes) if shape not in dull]
        lines = body.split(b"\n") if wanted else []
        number, offset = splitter.number, splitter.offset
        while wanted:
            expectations = self.parser.expectations
            for index in wanted:
                if shapes[index] not in dull:
                    # Events do not tell offsets, so none is counted here.
                    events += read(Line(number + index, offset, lines[index]))
                    if self.parser.expectations != expectations:
                        wanted = list(range(index + 1, len(shapes)))
                        break
            else:
                break
        splitter.skip(len(shapes), len(body) + 1)
