"""Where the screen's knowledge comes from: a session file that may still grow."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Event, Position, Present, Sample
from floydtop.session import index
from floydtop.session.format import Reader
from floydtop.session.logtext import fill_in
from floydtop.session.pulse import Pulse, answers, is_remote
from floydtop.session.session import POINTS_SHOWN, Session
from floydtop.session.writer import is_being_recorded, present_path, read_present

SLICE = 1 << 20
"""Bytes read at a time, so that the screen answers while a large session loads."""

TRACE = 600
"""Present readings kept since the last recorded sample: twenty minutes at one every two seconds."""


FIRST_OUTPUT, LOOK = 0.15, 0.005
"""Seconds that a screen waits, and how often it looks, for the first that a recorder tells of a log that
holds something: that comes some 50 ms after the header, and a screen that begins with its charts has them
0.15 s before one that begins empty."""


class Feed:
    """Follows one session file and keeps the state that it adds up to, its points thinned to what is shown.

    Of a large file the newest part is there at once; the rest is loaded beside the screen.

    Attributes:
        session: what is known now; its `share_loaded` is below 1 while only a part of it is.
        trace: present readings since the last recorded sample, oldest first.
        live: whether a recorder writes the file.
        silent: whether the file's network mount does not answer at present; nothing is read meanwhile.
    """

    grows = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trace: deque[Present] = deque(maxlen=TRACE)
        self.silent = False
        self._pulse = Pulse(path) if is_remote(path) else None
        self.live = is_being_recorded(path)
        self._reader = Reader()
        self._offset = 0
        self._damaged = 0
        self._present_stamp: tuple[int, int] | None = None
        self._loading: index.Loading | None = None
        self.session = Session(POINTS_SHOWN)
        if index.is_large(path):
            self._loading = index.Loading(path)
            self.session = index.newest(path)
            # Not before all of it is there.
            self.session.end = None

    def poll(self) -> bool:
        """Read what was added since the last call, at most one slice; True when anything is new.

        Raises:
            FloydtopError: the session is of a newer version, or cannot be read.
        """
        if self._pulse is not None:
            was, self.silent = self.silent, not self._pulse.beats()
            if was or self.silent:
                return was != self.silent
        if self._loading is not None:
            return self._go_on_loading(self._loading) | self._read_present()
        events = self._read_events()
        self.session.apply_all(events)
        if any(isinstance(event, Sample) for event in events):
            self.trace.clear()
        if any(isinstance(event, Position) for event in events):
            fill_in(self.session)
        return self._read_present() or bool(events)

    def wait_for_output(self, seconds: float = FIRST_OUTPUT) -> None:
        """Before there is a screen: poll until something is known of the output, if it is worth waiting for.

        Raises:
            FloydtopError: as `poll` does.
        """
        until = time.monotonic() + seconds
        self.poll()
        while self._output_is_near() and time.monotonic() < until:
            time.sleep(LOOK)
            self.poll()

    def _output_is_near(self) -> bool:
        """Whether a recorder is about to tell the first of a log."""
        session = self.session
        log = session.header.log if session.header is not None else None
        if not self.live or log is None or session.metrics or session.lines_seen or not answers(log.path):
            return False
        try:
            return os.stat(log.path).st_size > 0
        except OSError:
            return False

    def _go_on_loading(self, loading: index.Loading) -> bool:
        """Look how far the thread is; what it has loaded takes the place of the newest part."""
        loaded = loading.poll()
        if loaded is None:
            before, self.session.share_loaded = self.session.share_loaded, loading.share
            return round(before, 2) != round(loading.share, 2)
        self._loading = None
        loaded.story.pages.close()
        session, self._offset, self._damaged = loaded.session, loaded.offset, loaded.session.damaged
        session.journal = None
        session.present, session.now = self.session.present, max(session.now, self.session.now)
        self.session = session
        fill_in(session)
        return True

    @property
    def behind(self) -> bool:
        """Whether there is more of the file to read, and nobody reads it already."""
        if self._loading is not None or self.silent:
            return False
        try:
            return os.stat(self.path).st_size > self._offset
        except OSError:
            return False

    def check_recorder(self) -> bool:
        """Look whether the recorder still holds the file; True when that changed."""
        if self.silent:
            return False
        was, self.live = self.live, not self.session.finished and is_being_recorded(self.path)
        if was and not self.live:
            self.session.present = None
        return was != self.live

    def close(self) -> None:
        """Let go of what watches over the file."""
        if self._pulse is not None:
            self._pulse.close()

    def _read_events(self) -> list[Event]:
        if self._offset and not self.behind:
            return []
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                chunk = file.read(SLICE)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise FloydtopError(f"Cannot read the session {self.path}: {error.strerror}.") from None
        self._offset += len(chunk)
        self.session.share_loaded = min(1.0, self._offset / max(1, size))
        events = self._reader.feed(chunk)
        self.session.damaged = self._damaged + self._reader.damaged
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
