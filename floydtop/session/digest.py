"""What a stretch of a session file tells, as far as it can be taken apart without what comes before it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import cast

from floydtop.events import Event, Malformed, Metrics, OutputLine
from floydtop.session.batch import Batch
from floydtop.session.files import BLOCK
from floydtop.session.format import Reader

FEW = 64
"""Metrics below which it is not worth to take them column by column."""

_LOOK = 256
"""Events that are looked at together."""


@dataclass
class Digest:
    """Events, most of the metrics among them as columns."""

    batch: Batch | None
    """The metrics; None when there are few: these are among the others."""
    others: list[Event]
    places: list[int]
    """How many metrics of the batch come before each of the others."""
    begins: float | None = None
    """Session time of the first event, None when it has none."""
    damaged: int = 0
    """Lines that could not be read."""
    strange: int = 0
    """Lines of a kind that a later floydtop may know."""

    def __bool__(self) -> bool:
        """Whether there is any event."""
        return self.batch is not None or bool(self.others)

    @property
    def lines(self) -> int:
        """How many lines of output are among the events."""
        return sum(type(event) is OutputLine for event in self.others)

    @property
    def malformed(self) -> int:
        """How many malformed metrics are among the events."""
        return sum(type(event) is Malformed for event in self.others)


def digest(events: list[Event]) -> Digest:
    """Events in that shape: 0.25 us for each of many metrics."""
    begins = getattr(events[0], "t", None) if events else None
    kinds = list(map(type, events))
    if kinds.count(Metrics) < FEW:
        return Digest(None, events, [0] * len(events), begins)
    at = _others(kinds)
    others = [events[place] for place in at]
    metrics, done = list[Event](), 0
    for place in at:
        metrics += events[done:place]
        done = place + 1
    metrics += events[done:]
    batch = Batch(cast(list[Metrics], metrics))
    return Digest(batch, others, [place - before for before, place in enumerate(at)], begins)


def _others(kinds: list[type]) -> list[int]:
    """Where it is not metrics: in few places, and counting takes a fiftieth of the time of looking."""
    found: list[int] = []
    for start in range(0, len(kinds), _LOOK):
        some = kinds[start : start + _LOOK]
        if some.count(Metrics) < len(some):
            found += [start + place for place, kind in enumerate(some) if kind is not Metrics]
    return found


def digest_file(fd: int, start: int, stop: int) -> Digest:
    """The digest of a file from the start of a line to the end of one.

    Raises:
        FloydtopError: a header of a newer version.
        OSError: it cannot be read.
    """
    reader, events = Reader(), list[Event]()
    for place in range(start, stop, BLOCK):
        events += reader.feed(os.pread(fd, min(BLOCK, stop - place), place))
    told = digest(events)
    told.damaged, told.strange = reader.damaged, reader.strange
    return told
