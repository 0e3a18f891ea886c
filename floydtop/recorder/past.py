"""What an interrupted recording holds already, so that another recorder can go on where it stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import (
    Clock,
    End,
    Event,
    Header,
    History,
    JobState,
    Malformed,
    Metrics,
    OutputLine,
    Position,
)
from floydtop.session.format import Reader

_FIRST_REACH = 1 << 20
"""Bytes of the tail that are read first: there is a position every five seconds while the log grows."""

FromOutput = Metrics | Malformed | OutputLine
"""What comes from the lines of the log."""


@dataclass(frozen=True)
class Past:
    """The recording so far, as its head and its tail tell."""

    header: Header
    """That of the first segment."""
    segment: int
    """The number of the last one."""
    t: float
    """Session time of the last event."""
    clock: Clock | None
    position: Position | None
    line: int
    """The last line of the log, after `position`, that left an event; 0 when none did."""
    of_line: list[FromOutput] = field(default_factory=list)
    """The events that it left: its last ones may be missing."""
    state: JobState | None = None
    closed: bool = False
    """It was ended: nothing is missing."""


def read_past(path: Path) -> Past | None:
    """The past of a recording, None for a file without a byte.

    Raises:
        FloydtopError: the file holds something, but no session that could be continued.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return None
        file.seek(0)
        head = Reader().feed(file.readline(1 << 20))
        if not head or not isinstance(head[0], Header):
            raise FloydtopError(f"{path} holds no session that could be continued.")
        reach = _FIRST_REACH
        while True:
            start = max(0, size - reach)
            file.seek(start)
            tail = file.read(size - start)
            if start:
                tail = tail.partition(b"\n")[2]
            events = Reader().feed(tail)
            if start == 0 or any(isinstance(event, Position) for event in events):
                return _add_up(head[0], events)
            reach *= 8


def _add_up(header: Header, events: list[Event]) -> Past:
    segment, t = 0, 0.0
    clock: Clock | None = None
    position: Position | None = None
    state: JobState | None = None
    of_line: list[FromOutput] = []
    for event in events:
        match event:
            case Header():
                segment = event.segment
            case Clock():
                clock = event
            case Position():
                position, segment, of_line = event, event.segment, []
            case History() if position is not None and not event.sampled and event.stop == position.back:
                # Its own position was not written any more.
                lines = position.past_lines + event.lines
                position = msgspec.structs.replace(position, back=event.start, past_lines=lines)
            case JobState():
                state = event
            case Malformed() if event.line < 0:
                pass
            case Metrics() | Malformed() | OutputLine():
                if of_line and of_line[0].line != event.line:
                    of_line.clear()
                of_line.append(event)
        t = max(t, getattr(event, "t", None) or 0.0)
    return Past(
        header=header,
        segment=segment,
        t=t,
        clock=clock,
        position=position,
        line=of_line[0].line if of_line else 0,
        of_line=of_line,
        state=state,
        closed=bool(events) and isinstance(events[-1], End),
    )


def undated(event: FromOutput) -> str:
    """An event without its time: when a line is read a second time, all but that is as it was.

    As text, in which NaN equals itself.
    """
    if isinstance(event, Metrics):
        return repr(msgspec.structs.replace(event, t=None, approximate=False))
    return repr(msgspec.structs.replace(event, t=None))
