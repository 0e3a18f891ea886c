"""Replay: a clock that runs through a recorded session, and the state at each moment of it."""

from __future__ import annotations

from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Event
from floydtop.session.files import read_events
from floydtop.session.format import Reader
from floydtop.session.logtext import fill_in
from floydtop.session.session import Session

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
DEFAULT_SPEED = 10.0
STEPS = 50
"""Seeks from one end of a session to the other."""


class Player:
    """A session file, read whole, and a position in it.

    A replay is the events up to the position, applied as if they had just come; whoever shows them need
    not know that they are old. What has no time of its own (a log that was there before the recording)
    belongs to the moment of the event before it.

    Attributes:
        session: the state at `position`.
        position: session time, seconds.
        playing, speed: seconds of session time that pass in one second.

    Raises (from the constructor):
        FloydtopError: the file cannot be read or is no session.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        reader = Reader()
        self._events: list[Event] = [event for events in read_events(path, reader) for event in events]
        if not self._events:
            raise FloydtopError(f"There is no event in {path} that could be read.")
        self.damaged = reader.damaged + reader.torn
        self._times = _moments(self._events)
        self.start = self._times[0]
        self.end = self._times[-1]
        self.speed = DEFAULT_SPEED
        self.playing = False
        self._next = 0
        self.session = Session()
        self.position = self.start
        self.seek(self.end)

    def seek(self, position: float) -> None:
        """Go to a moment of the session, kept within its ends."""
        position = max(self.start, min(self.end, position))
        if position < self.position:
            self.session, self._next = Session(), 0
        self.position = position
        first = self._next
        while self._next < len(self._events) and self._times[self._next] <= position:
            self._next += 1
        self.session.apply_all(self._events[first : self._next])
        self.session.now = position
        self.session.damaged = self.damaged
        fill_in(self.session)

    def step(self, steps: int) -> None:
        """Seek by fiftieths of the session."""
        self.seek(self.position + steps * (self.end - self.start) / STEPS)

    def advance(self, seconds: float) -> bool:
        """Let `seconds` of real time pass; True when the position moved. Playing stops at the end."""
        if not self.playing:
            return False
        self.seek(self.position + seconds * self.speed)
        if self.position >= self.end:
            self.playing = False
        return True

    def toggle(self) -> None:
        """Play or pause; from the end, play from the start."""
        if not self.playing and self.position >= self.end:
            self.seek(self.start)
        self.playing = not self.playing

    def change_speed(self, notches: int) -> None:
        """Faster or slower by notches of `SPEEDS`."""
        index = SPEEDS.index(self.speed) + notches
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, index))]


def _moments(events: list[Event]) -> list[float]:
    """When each event happened, never going back: an event without a time takes that of the one before."""
    moments: list[float] = []
    latest = 0.0
    for event in events:
        t = getattr(event, "t", None)
        if t is not None and t > latest:
            latest = t
        moments.append(latest)
    return moments
