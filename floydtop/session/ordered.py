"""The events of a session in the order of the log: what was read of it out of order first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from floydtop.events import Event, History, Malformed, Metrics, OutputLine
from floydtop.session.files import is_packed, open_session, read_events
from floydtop.session.format import LONGEST_LINE, Reader
from floydtop.session.past import LogsPast
from floydtop.session.thin import of_column

_START = b'{"k":"hist"'
"""How the line of such a record begins."""

_MOST_STEPS = 2.0**63


def read_in_order(path: str, tell: Callable[[str], None]) -> Iterator[Event]:
    """The events of a session, its histories as metrics before all others, oldest first.

    Lines have the numbers that they have in the log, where these are known: the recording of a huge log
    counts from where it began. Samples are left out where the points that they stand for are there. Of a
    session that can be read only once the histories come where they stand.

    Args:
        tell: takes a sentence about what is not all there.

    Raises:
        FloydtopError: it cannot be read, or is of a newer version.
    """
    if is_packed(path):
        for events in read_events(path, Reader()):
            for event in events:
                yield from metrics_of(event, None) if isinstance(event, History) else (event,)
        return
    past, stretches = _stretches(Path(path))
    before = past.lines_before
    kept = total = 0.0
    for offset, size in stretches:
        for event in _read(Path(path), offset, size):
            if isinstance(event, History):
                for column in event.columns.values():
                    kept += len(column.values)
                    total += sum(column.weights) if column.weights else len(column.values)
                yield from metrics_of(event, before)
    if kept < total:
        tell(f"{kept:.0f} of {total:.0f} points from before the recording are kept: export the log for all.")
    for events in read_events(path, Reader()):
        for event in events:
            if isinstance(event, History):
                continue
            if before and isinstance(event, Metrics | Malformed | OutputLine) and event.line > 0:
                event = replace(event, line=event.line + before)
            yield event


def metrics_of(history: History, before: int | None) -> Iterator[Metrics]:
    """The points of a stretch as if its lines had been read forwards.

    Args:
        before: lines of the log before line 1 of the recording, None when that is not known.
    """
    found = []
    for order, (name, column) in enumerate(history.columns.items()):
        points = of_column(column)
        epochs = points.epochs
        for place, line in enumerate(points.lines):
            step, t = points.steps[place], points.times[place]
            epoch = epochs[place] if epochs is not None else None
            event = Metrics(
                values={name: points.values[place]},
                t=t if t == t else None,
                approximate=column.approximate,
                step=int(step) if abs(step) < _MOST_STEPS else None,
                epoch=epoch if epoch == epoch else None,
                line=line + 1 + before if before is not None and line < 0 else line,
                group=column.group,
            )
            found.append((line, order, event))
    # Without numbers of lines the metrics follow each other.
    found.sort(key=lambda one: one[0])
    for _, _, event in found:
        yield event


def _stretches(path: Path) -> tuple[LogsPast, list[tuple[int, int]]]:
    """What is known of the log's past, and where in the file its records are, the oldest of the log first."""
    past, found = LogsPast(), {}
    for offset, size in _histories(path):
        for event in _read(path, offset, size):
            if isinstance(event, History) and past.take(event) is not None:
                found[offset] = (event.start, event.sampled, size)
    start = past.start
    wanted = [
        (begin, offset, size)
        for offset, (begin, sampled, size) in found.items()
        if not sampled or start is None or begin < start
    ]
    return past, [(offset, size) for _, offset, size in sorted(wanted)]


def _histories(path: Path) -> Iterator[tuple[int, int]]:
    """Offset and size of each line that is a history: 2 s for a gigabyte of other lines."""
    with open_session(path) as file:
        offset = 0
        while line := file.readline(LONGEST_LINE):
            if line.startswith(_START):
                yield offset, len(line)
            offset += len(line)


def _read(path: Path, offset: int, size: int) -> list[Event]:
    with open_session(path) as file:
        return Reader().feed(os.pread(file.fileno(), size, offset))
