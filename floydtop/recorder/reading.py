"""Read a log that is there, once and as fast as can be: for `export`, and for `status` of a finished run."""

from __future__ import annotations

from collections.abc import Iterator

from floydtop.events import Event, Malformed, Metrics, Note, Progress
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.rules import Choice, Rules
from floydtop.recorder.stamps import SinceFirst
from floydtop.sources.chunks import Chunk
from floydtop.sources.finished import read_all, read_stream


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


def lines_of(path: str) -> Iterator[Line]:
    """The lines of a log, `-` for standard input.

    Raises:
        FloydtopError: the log cannot be read.
    """
    splitter = LineSplitter()
    for chunk in _chunks(path):
        yield from splitter.feed(chunk.data)
    yield from splitter.finish()


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
