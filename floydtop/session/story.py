"""A recorded session, and what it takes to tell how it was at any moment."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections import deque

from floydtop.events import (
    Clock,
    End,
    Event,
    Facts,
    Gap,
    Header,
    JobState,
    Metrics,
    Note,
    Position,
    Progress,
    Sample,
)
from floydtop.session.digest import Digest
from floydtop.session.pages import Page, Pages, Text
from floydtop.session.session import LINES_KEPT, MALFORMED_KEPT, POINTS_SHOWN, Session

TWIN_EVERY = 500
"""Entries between two copies of the state, 7 us each: what comes after a copy is applied again, 1 to 2 us an
entry at each key of a replay."""

MOST_TWINS = 64

MOST_ENTRIES = 200_000
"""Entries that are kept to be applied again; of a file that is nothing but notes only the end tells more."""

MOST_POSITIONS = 10_000

_ENTRIES = Clock | End | Facts | Gap | Header | JobState | Note | Progress


class Story:
    """Everything that a session file tells, bounded in memory.

    The points of a moment are a prefix of each series, by time. What is not a series is told by a few
    events, applied again from the nearest copy of the state; lines of output are read from the file again.

    Attributes:
        session: the state at the end.
        start: session time of the first event.
        pages: the job's output.
    """

    def __init__(self, most_points: int = POINTS_SHOWN) -> None:
        self.session = Session(most_points)
        self.session.journal = []
        self.start: float | None = None
        self.pages = Pages()
        self._moments: list[float] = []
        self._entries: list[Event] = []
        self._positions: list[Position] = []
        self._unknown: dict[str, str] = {}
        self._state = _twin(Session())
        self._twins: list[tuple[int, Session]] = []
        self._twin_every = TWIN_EVERY

    def take(self, told: Digest, offset: int = 0, size: int = 0, text: Text | None = None) -> None:
        """Take in the events of a page of the file.

        Args:
            offset: where the page begins, and how many bytes it has.
            text: the lines among the events, when they cannot be read again; the page then has 0 bytes.
        """
        if self.start is None and told:
            self.start = max(0.0, told.begins or 0.0)
        self.pages.add(Page(offset, size, self.session.now, told.lines, told.malformed), text)
        journal: list[Event] = []
        self.session.journal = journal
        self.session.take(told)
        for entry in journal:
            self._note(entry)

    def _note(self, entry: Event) -> None:
        if isinstance(entry, Position):
            self._positions.append(entry)
            if len(self._positions) > MOST_POSITIONS:
                self._positions = self._positions[1::2]
            return
        if isinstance(entry, Sample):
            if entry.unknown == self._unknown:
                return
            self._unknown = entry.unknown
            entry = Sample(t=entry.t, values={}, unknown=entry.unknown)
        self._apply(self._state, entry)
        if len(self._entries) >= MOST_ENTRIES:
            return
        before = self._moments[-1] if self._moments else self.start or 0.0
        self._moments.append(max(before, getattr(entry, "t", None) or before))
        self._entries.append(entry)
        if len(self._entries) % self._twin_every == 0:
            self._twins.append((len(self._entries), _twin(self._state)))
            if len(self._twins) > MOST_TWINS:
                del self._twins[::2]
                self._twin_every *= 2

    @staticmethod
    def _apply(state: Session, entry: Event) -> None:
        if isinstance(entry, Metrics):
            state.progress.take_metrics(entry)
        else:
            state.apply(entry)

    def at(self, moment: float) -> Session:
        """The state at a moment, all but its series."""
        stop = bisect_right(self._moments, moment)
        place = bisect_right(self._twins, stop, key=lambda twin: twin[0]) - 1
        first, state = (
            (0, _twin(Session())) if place < 0 else (self._twins[place][0], _twin(self._twins[place][1]))
        )
        if moment >= self.session.now:
            first, state = stop, _twin(self._state)
        for entry in self._entries[first:stop]:
            self._apply(state, entry)
        known = bisect_right(self._positions, moment, key=lambda position: position.t)
        state.position = self._positions[known - 1] if known else None
        text, state.lines_seen, state.malformed_count = self.pages.until(moment, LINES_KEPT, MALFORMED_KEPT)
        state.lines = deque((line for _, line in text.lines), maxlen=LINES_KEPT)
        state.malformed = deque((one for _, one in text.malformed), maxlen=MALFORMED_KEPT)
        state.metric_lines = set(text.metric_lines)
        state.past = self.session.past
        earliest = self.session.earliest
        state.earliest = earliest if earliest is not None and earliest <= moment else None
        return state


def _twin(state: Session) -> Session:
    """A copy that goes its own way; it has no series."""
    twin = copy.copy(state)
    twin.progress = state.progress.copy()
    twin.metrics, twin.system = {}, {}
    twin.notes, twin.gaps, twin.clocks = state.notes.copy(), state.gaps[:], state.clocks[:]
    return twin
