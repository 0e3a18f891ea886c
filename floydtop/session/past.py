"""What is known of a log from before its recording began, as stretches of it are read, the newest first."""

from __future__ import annotations

from floydtop.events import History, Position


class LogsPast:
    """Keeps count of the stretches; the points themselves are in the series.

    Attributes:
        start: byte offset from which on every stretch is known; None while none is.
        lines: lines of the stretches that are known.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self.lines = 0
        self._broken = False
        self._samples: list[tuple[int, dict[str, int]]] = []

    def take(self, stretch: History) -> dict[str, int] | None:
        """Take note of a stretch.

        Returns:
            How many samples of each metric it stands in for, which are to go; None when the stretch itself
            tells nothing new: it was there already.
        """
        if stretch.sampled:
            newer = self._samples and stretch.start <= self._samples[-1][0]
            if newer or (self.start is not None and stretch.start >= self.start):
                return None
            sizes = {name: len(column.values) for name, column in stretch.columns.items()}
            self._samples.append((stretch.start, sizes))
            return {}
        if self.start is not None and stretch.stop > self.start:
            return None
        self._broken |= self.start is not None and stretch.stop < self.start
        self.start = stretch.start
        self.lines += stretch.lines
        gone: dict[str, int] = {}
        while self._samples and self._samples[-1][0] >= stretch.start:
            for name, count in self._samples.pop()[1].items():
                gone[name] = gone.get(name, 0) + count
        return gone

    @property
    def sampled(self) -> bool:
        """Whether the oldest points are samples of what is still to be read."""
        return bool(self._samples)

    @property
    def lines_before(self) -> int | None:
        """Lines of the log before its line 1, as the recording counts; None while that is not known."""
        return self.lines if self.start == 0 and not self._broken else None

    def share_read(self, position: Position | None) -> float | None:
        """The share of the log of which every line was read, 0 to 1; None when all of it was."""
        if position is None or not position.begun or not position.offset:
            return None
        unread = position.back if self.start is None else min(self.start, position.back)
        return 1.0 - unread / position.offset if unread else None
