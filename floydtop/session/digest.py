"""What a stretch of a session file tells, as far as it can be taken apart without what comes before it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from floydtop.events import Event, Malformed, Metrics, OutputLine
from floydtop.session.batch import Batch
from floydtop.session.files import BLOCK
from floydtop.session.format import Reader

FEW = 64
"""Metrics below which it is not worth to take them column by column."""


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
    at = [place for place, kind in enumerate(kinds) if kind is not Metrics]
    others = [events[place] for place in at]
    metrics = [event for event in events if type(event) is Metrics]
    return Digest(Batch(metrics), others, [place - before for before, place in enumerate(at)], begins)


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
