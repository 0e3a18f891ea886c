"""Metrics of some lines on their way to a `History`: in columns, dated, and thinned to what is kept."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from floydtop.events import History, Malformed, MetricGroup, Metrics
from floydtop.session.thin import Kept, Points, keep, thinned, to_column

WHOLE = 1_000_000
"""Points that a log's past may have for a session to hold every one, in about 50 MB."""

KEPT = 250_000
"""Points that stay of a past that has more: some hundred to each column of a wide screen. To keep a million
of five took as long as to read them."""

EARLY = 8
"""From so large groups on, and so many of them at once, points are thinned as they come: what does not stay
need not be put into columns, which takes 80 ns a point."""

MOST_NAMES = 1000
"""Names of metrics; a session takes no more."""

_NAN = math.nan


class Block:
    """The metrics of some lines that follow each other.

    Args:
        start: byte offset of the first line.
        first: its number, as the reader of the stretch counts.
        groups: of how many points of each metric about two stay; of others all.

    Attributes:
        start: byte offset of the first line.
        first: its number, as the reader of the stretch counts.
        stop: byte offset behind the last line.
        lines: how many they are.
        malformed: the first of them that claim to be a metric and are not readable.
        unreadable: how many of those there are.
        size: points that are held.
    """

    def __init__(self, start: int, first: int, groups: dict[str, float] | None = None) -> None:
        self.start = self.stop = start
        self.first = first
        self.lines = 0
        self.malformed: list[Malformed] = []
        self.unreadable = 0
        self.size = 0
        self._wanted = groups or {}
        self._points: dict[str, Points] = {}
        self._groups: dict[str, MetricGroup] = {}
        self._parts: dict[str, int] = {}
        """In how many parts points of a metric came since the last call of `date`."""
        self._knots: list[tuple[int, float, float]] = []
        """From which line on, the time at it, and the seconds a line from there."""

    @property
    def counts(self) -> dict[str, float]:
        """How many points each metric had."""
        return {name: points.count for name, points in self._points.items()}

    def take(self, event: Metrics) -> None:
        """Add what a line told."""
        epoch: list[float | None] | None = None if event.epoch is None else [event.epoch]
        for name, value in event.values.items():
            # Its time comes later, with that of the others: see `date`.
            self.add(name, event.group, [value], [event.step], epoch, [event.line])

    def add(
        self,
        name: str,
        group: MetricGroup,
        values: list[float],
        steps: list[int | None] | None,
        epochs: list[float | None] | None,
        lines: list[int],
        times: list[float | None] | None = None,
        approximate: bool = False,
    ) -> None:
        """Add points of one metric in their order, as `floydtop.parse.sink.Sink` says; they have no times."""
        points = self._of(name, group)
        few = self._wanted.get(name, 1.0)
        kept = keep(values, None, None, few) if few >= EARLY and len(values) >= EARLY * few else None
        if kept is not None:
            values = list(map(values.__getitem__, kept.places))
            steps = None if steps is None else list(map(steps.__getitem__, kept.places))
            epochs = None if epochs is None else list(map(epochs.__getitem__, kept.places))
            lines = list(map(lines.__getitem__, kept.places))
        if kept is not None or points.weights is not None:
            _weigh(points, values, kept)
        if epochs is not None and points.epochs is None:
            points.epochs = array("d", [_NAN]) * len(points.values)
        if points.epochs is not None:
            points.epochs.extend(_numbers(epochs, len(values)))
        points.steps.extend(_numbers(steps, len(values)))
        # An array that is made of a list takes a third of the time of one that grows by it.
        points.values.extend(array("d", values))
        points.lines.extend(array("q", lines))
        self._parts[name] = self._parts.get(name, 0) + 1
        self.size += len(values)

    def date(self, first: int, lines: int, start: float | None, stop: float | None) -> None:
        """Tell when the lines since the last call were printed.

        Args:
            first: number of the first of them.
            lines: how many they are.
            start, stop: session time of the first one, and of what comes behind the last one.
        """
        for name, parts in self._parts.items():
            points = self._points[name]
            if parts > 1:
                # Lines of one shape come as one column, others between them.
                _sort(points, len(points.times))
            points.times.extend(array("d", [_NAN]) * (len(points.values) - len(points.times)))
        self._parts.clear()
        if start is not None and stop is not None:
            self._knots.append((first, start, (stop - start) / max(1, lines)))
        elif lines:
            self._knots.append((first, _NAN, 0.0))

    def close(self, stop: int, next_line: int) -> None:
        """There are no more lines: those up to `stop` were it."""
        self.stop, self.lines = stop, next_line - self.first

    def thin(self, groups: dict[str, float], *, again: bool = False) -> int:
        """Leave about two of so many points of each metric; how many are left of all.

        Args:
            again: also of those that were thinned as they came.
        """
        for name, points in self._points.items():
            if again or points.weights is None:
                self._points[name] = thinned(points, groups.get(name, 1.0))
        self.size = sum(map(len, self._points.values()))
        return self.size

    def most(self, count: int) -> dict[str, float]:
        """How many points make a group for about `count` of each metric to stay."""
        return {name: 2 * len(points) / count for name, points in self._points.items()}

    def forget_places(self, step: float | None, epoch: float | None) -> None:
        """Take a step and an epoch away that are not known to be those of the lines."""
        for points in self._points.values():
            for wrong, column in ((step, points.steps), (epoch, points.epochs)):
                if wrong is not None and column is not None and wrong in column:
                    column[:] = array("d", [_NAN if value == wrong else value for value in column])

    def history(self, shift: int | None = None, *, told: int = 0) -> History:
        """The record of it.

        Args:
            shift: what is added to the numbers of lines; None for a sample, where none are known.
            told: how many of the unreadable lines are told one by one.
        """
        columns = {}
        for name, points in self._points.items():
            times = self._times(points.lines)
            lines = array("q", [0 if shift is None else line + shift for line in points.lines])
            columns[name] = to_column(
                replace(points, times=times, lines=lines), self._groups[name], approximate=True
            )
        return History(
            start=self.start,
            stop=self.stop,
            columns=columns,
            lines=self.lines,
            sampled=shift is None,
            malformed=self.unreadable - told if shift is not None else 0,
        )

    def _times(self, lines: array[int]) -> array[float]:
        times = array("d")
        ends = [bisect_left(lines, first) for first, _, _ in self._knots[1:]]
        for (first, start, pace), stop in zip(self._knots, [*ends, len(lines)], strict=True):
            times.extend([round(start + pace * (line - first), 3) for line in lines[len(times) : stop]])
        return times

    def _of(self, name: str, group: MetricGroup) -> Points:
        points = self._points.get(name)
        if points is None:
            points = self._points[name] = Points()
            self._groups[name] = group
        return points


def _sort(points: Points, start: int) -> None:
    """Bring points into the order of their lines."""
    lines = points.lines[start:].tolist()
    if lines == sorted(lines):
        return
    order = sorted(range(len(lines)), key=lines.__getitem__)
    points.lines[start:] = array("q", sorted(lines))
    for column in (points.steps, points.values, points.epochs, points.means, points.weights):
        if column is not None:
            part = column[start:]
            column[start:] = array("d", map(part.__getitem__, order))


def _weigh(points: Points, values: list[float], kept: Kept | None) -> None:
    """Add what values stand for, that are about to be added themselves."""
    if points.weights is None or points.means is None:
        points.weights = array("d", [1.0]) * len(points.values)
        points.means = _finite(points.values)
    points.weights.extend(kept.weights if kept is not None else [1.0] * len(values))
    points.means.extend(kept.means if kept is not None else _finite(values))


def _finite(values: Sequence[float]) -> array[float]:
    return array("d", [value if value - value == 0.0 else _NAN for value in values])


def _numbers(column: Sequence[float | None] | None, size: int) -> array[float]:
    if column is None:
        return array("d", [_NAN]) * size
    try:
        return array("d", column)  # type: ignore[arg-type]  # a None is an error here
    except TypeError:
        return array("d", [_NAN if value is None else value for value in column])


class Density:
    """How many points of each metric there are to a byte, by what was read of the log so far."""

    def __init__(self) -> None:
        self._points: dict[str, float] = {}
        self._bytes = 0

    def take(self, block: Block) -> None:
        """Count a block that was read and not thinned yet."""
        self._bytes += block.stop - block.start
        for name, count in block.counts.items():
            if name in self._points or len(self._points) < MOST_NAMES:
                self._points[name] = self._points.get(name, 0.0) + count

    def fits(self, size: int) -> bool:
        """Whether a past of so many bytes is held as a whole."""
        return sum(self._points.values()) * size <= WHOLE * self._bytes

    def size_of(self, points: int) -> int:
        """How many bytes to come hold so many points."""
        return int(points * self._bytes / max(1.0, sum(self._points.values())))

    def groups(self, size: int, kept: float) -> dict[str, float]:
        """How many points of each metric make a group, of which about two stay.

        Metrics with few points keep all; the others share what is left evenly.

        Args:
            size: bytes to come.
            kept: how many points of them all may stay.
        """
        expected = {name: count * size / max(1, self._bytes) for name, count in self._points.items()}
        left, groups = kept, {}
        for place, (name, count) in enumerate(sorted(expected.items(), key=lambda item: item[1])):
            share = max(1.0, left / (len(expected) - place))
            groups[name] = 1.0 if count <= share else 2 * count / share
            left = max(0.0, left - min(count, share))
        return groups
