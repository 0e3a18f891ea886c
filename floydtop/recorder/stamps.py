"""When lines say themselves that they were printed: what logging, loguru, absl and others put before them."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime

from floydtop.parse.lines import Line
from floydtop.parse.prefix import Stamp, StampReader, stamp_of

SLACK = 2.0
"""Seconds that a stamp may lie ahead of our clock."""

BACK = 1.0
"""Seconds that a stamp may fall behind the one before; ranks that share a log do not wait for each other."""

NEAR = 2
"""Lines below a stamp that are of the same moment: a message of several lines."""

PROMPT = 1.5
"""A line that is read so many seconds after a stamp without fractions was read when it was printed."""


SPAN = 2048
"""Bytes at the start and the end of some lines in which a stamp is looked for."""

TAIL = 64 * 1024
"""Bytes at a log's end in which its last stamp is looked for."""

_CLOCK = re.compile(rb"\d\d:\d\d:\d\d")


class Stamps:
    """The stamps of one log as session time, as long as they are in order.

    Args:
        wall_start: Unix time of session time 0.
        log: where the log can be opened.
    """

    def __init__(self, wall_start: float, log: str) -> None:
        self._wall_start = wall_start
        self._log = log
        self._local: bool | None = None
        self._ordered = True
        self.latest: float | None = None
        """Session time that the last stamp told."""
        self._line = 0
        self._reader = StampReader()

    def read(self, line: Line, now: float) -> tuple[float, bool] | None:
        """When the line was printed, and whether the stamp is that of a line just above; None: not told."""
        stamp = self._reader.read(line) if self._ordered else None
        t = self._session_time(stamp, now) if stamp is not None else None
        if stamp is None or t is None or t > now + SLACK:
            if self.latest is not None and 0 <= line.number - self._line <= NEAR:
                return self.latest, True
            return None
        if self.latest is not None and t < self.latest - BACK:
            self._ordered = False
            return None
        self.latest, self._line = t, line.number
        if not stamp.fine and 0 <= now - t < PROMPT:
            return now, False
        return min(t, now), False

    def span(self, data: bytes, now: float) -> tuple[float, float] | None:
        """The first and the last time that some lines tell, where they begin and end with stamps."""
        head, tail = data[:SPAN], data[-SPAN:]
        if not _CLOCK.search(head) or not _CLOCK.search(tail):
            # To try each line for nothing would take a tenth of the time of a log without stamps.
            return None
        first = next(filter(None, map(_plain_stamp, head.split(b"\n")[1:])), None)
        last = next(filter(None, map(_plain_stamp, tail.split(b"\n")[-2:0:-1])), None)
        if first is None or last is None:
            return None
        start, stop = self._session_time(first, now), self._session_time(last, now)
        return (start, stop) if start <= stop <= now + SLACK else None

    def _session_time(self, stamp: Stamp, now: float) -> float:
        utc = stamp.unix - self._wall_start
        if stamp.zoned:
            return round(utc, 3)
        local = _as_local(stamp.unix) - self._wall_start
        if self._local is None and local != utc:
            said = _says_local_time(self._log)
            self._local = abs(local - now) <= abs(utc - now) if said is None else said
        return round(utc if self._local is False else local, 3)


def _plain_stamp(raw: bytes) -> Stamp | None:
    return stamp_of(Line(0, 0, raw))


def _says_local_time(log: str) -> bool | None:
    """Whether the last stamp of a log fits the file's own time in this machine's zone better than in UTC.

    A container often counts in UTC on a machine that does not. None: the log cannot be read, or has no stamp.
    """
    try:
        with open(log, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            file.seek(max(0, status.st_size - TAIL))
            tail = file.read(TAIL)
    except OSError:
        return None
    for raw in reversed(tail.split(b"\n")[1 if status.st_size > TAIL else 0 :]):
        stamp = stamp_of(Line(0, 0, raw))
        if stamp is not None and not stamp.zoned:
            written = status.st_mtime
            return abs(_as_local(stamp.unix) - written) <= abs(stamp.unix - written)
    return None


class SinceFirst:
    """Seconds since a log's first stamp, for a log that is read by itself; None where a line has none."""

    def __init__(self) -> None:
        self._first: Stamp | None = None
        self._latest = 0.0
        self._ordered = True
        self._reader = StampReader()

    def __call__(self, line: Line) -> tuple[float | None, bool]:
        stamp = self._reader.read(line) if self._ordered else None
        if stamp is None:
            return None, False
        if self._first is None:
            self._first = stamp
        t = round(stamp.unix - self._first.unix, 6)
        if stamp.zoned != self._first.zoned:
            return None, False
        if t < self._latest - BACK:
            self._ordered = False
            return None, False
        self._latest = t
        return max(0.0, t), False


def _as_local(unix: float) -> float:
    """A time of day that was taken for UTC, taken for that of this machine's zone."""
    return datetime.fromtimestamp(unix, UTC).replace(tzinfo=None).timestamp()
