"""Read a log that is there, once and as fast as can be: for `export`, and for `status` of a finished run."""

from __future__ import annotations

from collections.abc import Iterator

from floydtop.events import Event, Malformed, Metrics, Progress
from floydtop.parse.bulk import Bulk
from floydtop.sources.finished import read_all, read_stream


def read_log(path: str) -> Iterator[Metrics | Malformed | Progress]:
    """The metrics of a log, `-` for standard input, in order, and how far its job has come; no times.

    Raises:
        FloydtopError: the log cannot be read.
    """
    bulk = Bulk()
    for chunk in read_stream(0, "Standard input") if path == "-" else read_all(path):
        yield from bulk.feed(chunk.data)
    yield from bulk.finish()
    progress = bulk.parser.progress
    if progress is not None:
        yield progress


def read_session(path: str) -> Iterator[Event]:
    """The events of a session file, in order.

    Raises:
        FloydtopError: it cannot be read, or is of a newer version.
    """
    from floydtop.session.files import read_events
    from floydtop.session.format import Reader

    for events in read_events(path, Reader()):
        yield from events
