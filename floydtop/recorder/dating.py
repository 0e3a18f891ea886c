"""When the lines of a log were printed: as they say themselves, as we saw them come, or by their place."""

from __future__ import annotations

from floydtop.parse.lines import Line
from floydtop.recorder.stamps import Stamps
from floydtop.sources.chunks import Chunk


class Dating:
    """Gives lines their session time.

    Args:
        job_start: session time at which the first line may have been printed, None when that is not known.
        stamps: understands the times that lines tell.

    Attributes:
        resumed: where in the log and when we took over from an earlier recorder.
    """

    def __init__(self, job_start: float | None, stamps: Stamps | None) -> None:
        self.job_start = job_start
        self.stamps = stamps
        self.resumed: tuple[int, float] | None = None

    def of(self, line: Line, chunk: Chunk, now: float) -> tuple[float | None, bool]:
        """When a line was printed, and whether that is a guess by its place in what was there before us."""
        told = self.stamps.read(line, now) if self.stamps is not None else None
        if told is not None and (chunk.history or not told[1]):
            return told
        if not chunk.history:
            return now, False
        t, approximate = self._guess(line, chunk, now)
        latest = self.stamps.latest if self.stamps is not None else None
        return (max(t, latest) if t is not None and latest is not None else t), approximate

    def of_rest(self, now: float) -> float | None:
        """When a last line without an end was printed."""
        return now if self.job_start is not None else None

    def between(self, data: bytes, offset: int, size: int, now: float) -> tuple[float | None, float | None]:
        """When the first and the last of some lines of the past were printed.

        Args:
            offset: where they stand.
            size: bytes that the log had when its recording began.
        """
        told = self.stamps.span(data, now) if self.stamps is not None else None
        if told is not None:
            return told
        if self.job_start is None:
            return None, None
        pace = self.job_start / size
        return self.job_start - pace * offset, self.job_start - pace * (offset + len(data))

    def _guess(self, line: Line, chunk: Chunk, now: float) -> tuple[float | None, bool]:
        if self.resumed is not None:
            # Printed while nobody recorded, or just before: somewhere between the last event and now.
            start, since = self.resumed
            share = (line.offset - start) / max(1, chunk.history_size - start)
            return round(since + (now - since) * min(1.0, share), 3), True
        if self.job_start is None or not chunk.history_size:
            return None, False
        return round(self.job_start * (1 - line.offset / chunk.history_size), 3), True
