"""What a parser has to know of a log to read on in its middle: tables' headers, the epoch, the last lines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from floydtop.events import Progress
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.custom import Pattern
from floydtop.parse.lines import Line, LineSplitter
from floydtop.sources.history import OpenLog

HEAD = 64 * 1024
"""Bytes at the log's start in which headers are looked for; most tables are printed once."""

BEFORE = 512 * 1024
"""Bytes before a place that a parser reads to know what is going on there: a bar's pass, a block of lines.

A pass of a Lightning bar that is longer than this may repeat values of the pass before.
"""

LONGEST_BEFORE = 16 << 20
"""Bytes that are read for a line's sake that began before that: Keras draws an epoch's bar into one line."""

PIECE = 64 * 1024
"""Bytes that are read before others may do something: some 10 ms of a slow format."""

_HEADERS = 8
"""The newest different ones are kept; a table's is looked for 40 lines above its rows."""

_APART = 4
"""Lines between the headers and what is read: a metric hangs on a step that was told up to 2 lines above."""

_EPOCH = b"poch"
_TRIES = 16
"""Lines with that word that are looked at: the last one may be `saved epoch.pt`."""
_LONGEST_EPOCH = 4096

_MOST_DULL = 5000


class Context:
    """Makes parsers for places in one log.

    Args:
        log: the log, open.
        patterns: the user's own expressions.

    Attributes:
        tells_epochs: some line names epochs.
        of_headers: step and epoch that a sampler knows from the headers, where they are others by now.
    """

    def __init__(self, log: OpenLog, patterns: Sequence[Pattern] = ()) -> None:
        self._log = log
        self._patterns = patterns
        head = log.read(0, HEAD)
        self.tells_epochs = _EPOCH in head
        self._opening = Parser(patterns)
        self._headers = _headers(head, self._opening)
        parser = self._new()
        _read_all(parser, self._headers, 1)
        self.of_headers = parser.progress or Progress()
        self._dull: set[bytes] = set()
        self._searched: tuple[int, int, Line | None] = (0, 0, None)
        """Between two places no line tells an epoch; the one that does it at the first of them."""

    def _new(self) -> Parser:
        parser = Parser([pattern for pattern in self._patterns if not pattern.stopped])
        parser.resemble(self._opening)
        return parser

    def sampler(self) -> Bulk:
        """For a few lines anywhere: it knows the columns of tables and which lines are dull."""
        parser = self._new()
        number = _read_all(parser, self._headers, 1) + _APART
        if parser.learns:
            # With what is dull learned anew for each of 256 samples, chatter would take two seconds.
            parser.dull.update(self._dull)
        return Bulk(parser, LineSplitter(number, 1))

    def remember(self, sampler: Bulk) -> None:
        """Learn from a sampler that has done its work which lines are dull."""
        if len(self._dull) < _MOST_DULL:
            self._dull |= sampler.parser.dull

    async def at(self, place: int, number: int = 1) -> Bulk:
        """For the lines from `place` on: it knows what it would know if it had read all that is before it.

        Args:
            place: where a line begins.
            number: that line's number.

        Raises:
            OSError: the disk does not give them.
        """
        start = 0
        if place > BEFORE:
            start = await asyncio.to_thread(self._log.line_start, place - BEFORE, LONGEST_BEFORE)
        first = number - await asyncio.to_thread(self._log.count, b"\n", start, place)
        if start == 0:
            return await self._primed([], first, 0, place)
        bulk = await self._primed(self._headers, first, start, place)
        told = bulk.parser.progress
        if self.tells_epochs and (told.epoch if told is not None else None) == self.of_headers.epoch:
            line = await asyncio.to_thread(self._epoch_before, start)
            if line is not None:
                return await self._primed([*self._headers, line], first, start, place)
        return bulk

    async def _primed(self, lines: Sequence[Line], first: int, start: int, place: int) -> Bulk:
        """A reader that has read some lines and then those from one place to the other."""
        parser = self._new() if start else Parser(self._patterns)
        _read_all(parser, lines, first - _APART - len(lines))
        bulk = Bulk(parser, LineSplitter(first, start))
        while start < place and (data := self._log.read(start, min(PIECE, place - start))):
            bulk.feed(data)
            start += len(data)
            await asyncio.sleep(0)
        return bulk

    def _epoch_before(self, place: int) -> Line | None:
        """The last line before a place that tells an epoch.

        Each byte of the log is looked through once, when places are asked for from its end to its start.
        """
        first, last, found = self._searched
        if first < place <= last:
            return found
        found, end = None, place
        for _ in range(_TRIES):
            hit = self._log.find_back(_EPOCH, end)
            if hit < 0:
                end = 0
                break
            line, end = self._line_around(hit)
            parser = self._new()
            parser.read(line)
            if (told := parser.progress) is not None and told.epoch is not None:
                found = line
                break
        self._searched = (end, place, found)
        return found

    def _line_around(self, place: int) -> tuple[Line, int]:
        """The line or frame of a bar that holds a place, and where it begins."""
        start = max(0, place - _LONGEST_EPOCH)
        before = self._log.read(start, place - start)
        skip = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        behind = self._log.read(place, _LONGEST_EPOCH).replace(b"\r", b"\n").partition(b"\n")[0]
        return Line(1, 0, before[skip:] + behind), start + skip


def _headers(head: bytes, parser: Parser) -> list[Line]:
    """The lines after which others mean something."""
    found: dict[bytes, Line] = {}
    for line in LineSplitter().feed(head):
        before = parser.expectations
        parser.read(line)
        if parser.expectations != before:
            found.pop(line.raw, None)
            found[line.raw] = line
    return list(found.values())[-_HEADERS:]


def _read_all(parser: Parser, lines: Sequence[Line], first: int) -> int:
    """Let a parser read lines as if they stood below each other; the number behind the last one."""
    for number, line in enumerate(lines, first):
        parser.read(Line(number, 0, line.raw))
    return first + len(lines)
