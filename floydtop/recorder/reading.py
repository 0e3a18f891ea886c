"""Read a log that is there, once and as fast as can be: for `export`, and for `status` of a finished run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import attrgetter
from typing import cast

from floydtop.events import Event, Malformed, Metrics, Note, Progress, Row
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.rules import Choice, Rules
from floydtop.recorder.stamps import SinceFirst
from floydtop.session.export import rows
from floydtop.session.format import spell
from floydtop.sources.chunks import Chunk
from floydtop.sources.finished import read_all, read_stream

TAIL = 64 * 1024
"""Bytes at a log's end whose lines are shown."""

MOST_HELD = 4 << 20
"""Bytes that are held of a longer last line."""

_line_of = attrgetter("line")


def read_log(
    path: str, rules: Rules | None = None, *, timed: bool = False
) -> Iterator[Metrics | Malformed | Progress | Note]:
    """The metrics of a log, `-` for standard input, in order, and how far its job has come.

    Args:
        timed: give events the seconds since the log's first timestamp, where their lines begin with one.
        rules: the user's own; a note tells when an expression of them was put aside.

    Raises:
        FloydtopError: the log cannot be read, or a rule cannot be used.
    """
    rules = rules or Rules()
    bulk, choice = Bulk(Parser(rules.patterns())), Choice(rules)
    when = SinceFirst() if timed else None
    for chunk in _chunks(path):
        yield from choice(bulk.feed(chunk.data, when))
        yield from _notes(bulk.parser)
    yield from choice(bulk.finish(when))
    yield from _notes(bulk.parser)
    progress = bulk.parser.progress
    if progress is not None:
        yield progress


def read_rows(path: str) -> Iterator[list[Row]]:
    """The rows of a log, `-` for standard input, in the order of its lines, many at a time.

    Their times are the seconds since the log's first timestamp, where their lines begin with one.

    Raises:
        FloydtopError: the log cannot be read.
    """
    bulk, when = Bulk(stamps_only=True), SinceFirst()
    for chunk in _chunks(path):
        found: list[Row] = []
        yield _ordered(found, bulk.feed(chunk.data, when, found))
    last: list[Row] = []
    yield _ordered(last, bulk.finish(when, last))


def _ordered(found: list[Row], events: list[Metrics | Malformed]) -> list[Row]:
    """Rows that came in any order and those of events, by their lines."""
    values = cast("list[float]", [row.value for row in found])
    if not all(map(math.isfinite, values)):
        for row, value in zip(found, values, strict=True):
            row.value = spell(value)
    found += rows(events)
    found.sort(key=_line_of)
    return found


def lines_of(path: str) -> Iterator[Line]:
    """The lines of a log, `-` for standard input.

    Raises:
        FloydtopError: the log cannot be read.
    """
    splitter = LineSplitter()
    for chunk in _chunks(path):
        yield from splitter.feed(chunk.data)
    yield from splitter.finish()


def last_lines(path: str, most: int) -> list[Line]:
    """The last lines of a log, at most so many, of at most the last `TAIL` bytes.

    Raises:
        FloydtopError: the log cannot be read.
    """
    number, held, offset = 1, b"", 0
    for chunk in _chunks(path):
        held += chunk.data
        offset = chunk.offset + len(chunk.data) - len(held)
        cut = held.rfind(b"\n", 0, max(0, len(held) - TAIL)) + 1 or max(0, len(held) - MOST_HELD)
        number += held.count(b"\n", 0, cut)
        held, offset = held[cut:], offset + cut
    splitter = LineSplitter(number, offset)
    return (splitter.feed(held) + splitter.finish())[-most:]


def _chunks(path: str) -> Iterator[Chunk]:
    return read_stream(0, "Standard input") if path == "-" else read_all(path)


def _notes(parser: Parser) -> list[Note]:
    return [Note(t=0.0, text=text, level="warning") for text in parser.complaints()]


def read_session(path: str) -> Iterator[Event]:
    """The events of a session file, in order.

    Raises:
        FloydtopError: it cannot be read, or is of a newer version.
    """
    from floydtop.session.files import read_events
    from floydtop.session.format import Reader

    for events in read_events(path, Reader()):
        yield from events
