"""Replay: a clock that runs through a recorded session, and the state at each moment of it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from operator import le
from pathlib import Path

from floydtop.session import index
from floydtop.session.logtext import fill_in
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session
from floydtop.session.story import Story

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
DEFAULT_SPEED = 10.0
STEPS = 50
"""Seeks from one end of a session to the other."""


class Player:
    """A session file and a position in it.

    A replay is the events up to the position, applied as if they had just come; whoever shows them need
    not know that they are old. What has no time of its own (a log that was there before the recording)
    belongs to the moment of the event before it. Of a large file the newest part is there at once, and all
    of it as soon as `poll` says so.

    Attributes:
        session: the state at `position`.
        position: session time, seconds.
        playing, speed: seconds of session time that pass in one second.

    Raises (from the constructor):
        FloydtopError: the file cannot be read or is no session.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.speed = DEFAULT_SPEED
        self.playing = False
        self.start = self.end = self.position = 0.0
        self.session = Session()
        self._story: Story | None = None
        self._metrics: dict[str, Series] = {}
        self._system: dict[str, SystemSeries] = {}
        self._moments: dict[tuple[str, str], array[float]] = {}
        self._seeks = 0
        self._loading: index.Loading | None = None
        if index.is_large(path):
            self.session = index.newest(path)
            self.start = self.end = self.position = self.session.now
            self._loading = index.Loading(path)
        else:
            self._tell(index.load(path))

    @property
    def loading(self) -> float | None:
        """How much of the file has been read, 0 to 1; None when all of it is there."""
        return self._loading.share if self._loading is not None else None

    def poll(self) -> bool:
        """Go on loading; True when there is something new to show.

        Raises:
            FloydtopError: the rest of the file cannot be read.
        """
        if self._loading is None:
            return False
        loaded = self._loading.poll()
        if loaded is not None:
            self._loading = None
            self._tell(loaded)
            return True
        share, self.session.share_loaded = self.session.share_loaded, self._loading.share
        return round(share, 2) != round(self._loading.share, 2)

    def _tell(self, loaded: index.Loaded) -> None:
        """Go to the end of a session that is loaded."""
        self._story = story = loaded.story
        self.damaged = story.session.damaged + loaded.torn
        self.start, self.end = story.start or 0.0, max(story.session.now, story.start or 0.0)
        for name, series in story.session.metrics.items():
            self._moments["metrics", name] = _moments(series.times, max(self.start, series.begun))
            # Now, as the screen is drawn anew anyway, and not at the first key.
            series.summed_before(len(series))
        for name, system in story.session.system.items():
            self._moments["system", name] = _moments(system.times, self.start)
        self.seek(self.end)

    def seek(self, position: float) -> None:
        """Go to a moment of the session, kept within its ends."""
        self.position = position = max(self.start, min(self.end, position))
        if self._story is None:
            return
        self._seeks += 1
        session, whole = self._story.at(position), self._story.session
        for name, series in whole.metrics.items():
            count = bisect_right(self._moments["metrics", name], position)
            if count:
                shown = self._metrics.setdefault(name, Series(name, series.group))
                shown.show(series, count)
                session.metrics[name] = shown
        for name, system in whole.system.items():
            count = bisect_right(self._moments["system", name], position)
            if count:
                ticks = self._system.setdefault(name, SystemSeries(name))
                ticks.show(system, count)
                session.system[name] = ticks
        session.now, session.applied = position, self._seeks
        session.damaged, session.strange = self.damaged, whole.strange
        session.dropped_names = whole.dropped_names
        fill_in(session)
        self.session = session

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
        place = SPEEDS.index(self.speed) + notches
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, place))]


def _moments(times: array[float], start: float) -> array[float]:
    """When each point came: its time, never going back; without one, with the point before it."""
    if times[0] >= start and all(map(le, times, times[1:])):
        return times
    latest = accumulate((t if t == t else start for t in times), max, initial=start)
    next(latest)
    return array("d", latest)
