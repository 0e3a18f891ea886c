"""Which of the many words of a job on its progress are written to the session."""

from __future__ import annotations

import msgspec

from floydtop.events import Progress

EVERY = 2.0
"""Seconds between two lines at least; later, a thousandth of the recording's time.

A week of a bar that moves ten times a second comes to 7,400 lines, half a megabyte.
"""


class Milestones:
    """Gives each new word on the progress its time, and keeps the newest that was not written yet."""

    def __init__(self) -> None:
        self._newest: Progress | None = None
        self._written: Progress | None = None
        self._next = 0.0

    def stamp(self, progress: Progress | None, now: float) -> Progress | None:
        """The progress with the time when it was first seen; the same object while it stays the same."""
        newest = self._newest
        if progress is None:
            return None
        if newest is None or msgspec.structs.replace(newest, t=None) != progress:
            self._newest = msgspec.structs.replace(progress, t=now)
        return self._newest

    def due(self, now: float) -> list[Progress]:
        """What is to be written now: nothing, or the newest."""
        return self.rest() if now >= self._next else []

    def rest(self) -> list[Progress]:
        """The newest, if it is not written yet."""
        if self._newest is None or self._newest is self._written or self._newest.t is None:
            return []
        self._written = self._newest
        self._next = self._newest.t + max(EVERY, self._newest.t / 1000)
        return [self._newest]
