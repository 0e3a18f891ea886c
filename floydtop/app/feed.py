"""Where the screen's knowledge comes from: a session file that may still grow."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Event, Position, Present, Sample
from floydtop.session.format import Reader
from floydtop.session.logtext import fill_in
from floydtop.session.session import Session
from floydtop.session.writer import is_being_recorded, present_path, read_present

SLICE = 1 << 20
"""Bytes read at a time, so that the screen answers while a large session loads."""

TRACE = 600
"""Present readings kept since the last recorded sample: twenty minutes at one every two seconds."""


class Feed:
    """Follows one session file and keeps the state that it adds up to.

    Attributes:
        session: what is known now.
        trace: present readings since the last recorded sample, oldest first.
        live: whether a recorder writes the file.
    """

    grows = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = Session()
        self.trace: deque[Present] = deque(maxlen=TRACE)
        self.live = is_being_recorded(path)
        self._reader = Reader()
        self._offset = 0
        self._present_stamp: tuple[int, int] | None = None

    def poll(self) -> bool:
        """Read what was added since the last call, at most one slice; True when anything is new.

        Raises:
            FloydtopError: the session is of a newer version, or cannot be read.
        """
        events = self._read_events()
        self.session.apply_all(events)
        if any(isinstance(event, Sample) for event in events):
            self.trace.clear()
        if any(isinstance(event, Position) for event in events):
            fill_in(self.session)
        return self._read_present() or bool(events)

    @property
    def behind(self) -> bool:
        """Whether there is more of the file to read."""
        try:
            return os.stat(self.path).st_size > self._offset
        except OSError:
            return False

    def check_recorder(self) -> bool:
        """Look whether the recorder still holds the file; True when that changed."""
        was, self.live = self.live, not self.session.finished and is_being_recorded(self.path)
        if was and not self.live:
            self.session.present = None
        return was != self.live

    def _read_events(self) -> list[Event]:
        if self._offset and not self.behind:
            return []
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                chunk = file.read(SLICE)
        except OSError as error:
            raise FloydtopError(f"Cannot read the session {self.path}: {error.strerror}.") from None
        self._offset += len(chunk)
        events = self._reader.feed(chunk)
        self.session.damaged = self._reader.damaged
        return events

    def _read_present(self) -> bool:
        if not self.live:
            return False
        try:
            status = os.stat(present_path(self.path))
        except OSError:
            return False
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp == self._present_stamp:
            return False
        self._present_stamp = stamp
        present = read_present(self.path)
        if present is None:
            return False
        newer = self.session.present is None or present.t > self.session.present.t
        self.session.present = present
        if newer and present.values:
            self.trace.append(present)
        self.session.now = max(self.session.now, present.t)
        return True
