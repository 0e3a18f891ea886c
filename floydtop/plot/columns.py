"""A growing series binned into the dot columns of a chart, visiting only the points that are new."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import islice
from operator import le
from typing import NamedTuple

from floydtop.plot.units import as_float

# Below this many new points the plain loop is as fast as looking for a sorted stretch to slice.
_FEW = 64


class Column(NamedTuple):
    """What the points of one dot column say; `first` to `high` are NaN when none of them is finite."""

    first: float
    last: float
    low: float
    high: float
    bad: int
    """NaN and infinite values in the column."""


class ColumnCache:
    """The columns of one series, kept between frames.

    Args:
        log: columns hold log10 of the values; those not above zero are left out and counted in `hidden`.
    """

    hidden: int
    """Values in view that a logarithmic axis cannot show."""

    def __init__(self, *, log: bool = False) -> None:
        self.hidden = 0
        self._log = log
        self._view = (0.0, 0.0, 0)
        self._size = 0
        self._edges = (0.0, 0.0, 0.0, 0.0)
        self._columns: list[Column | None] = []
        self._rises_to = 0
        self._trusted = 0

    def columns(
        self, xs: Sequence[float], ys: Sequence[float], x0: float, x1: float, count: int
    ) -> Sequence[Column | None]:
        """Bin the points with x in [x0, x1] into `count` columns of equal width; None where there are none.

        While range and count stay and the series only grows, only new points are visited; the same object
        comes back when nothing changed. The order of x does not matter: `first` and `last` follow the
        order of arrival. Points whose x is NaN are skipped. `xs` and `ys` may differ in length: the longer
        one's rest waits.
        """
        size = min(len(xs), len(ys))
        x0, x1 = as_float(x0), as_float(x1)
        view = (x0, x1, count)
        continues = self._continues(xs, ys, size)
        if not continues:
            self._rises_to = 0
        if self._trusted:
            self._rises_to, self._trusted = min(self._trusted, size), 0
        if view != self._view or not continues:
            self._view = view
            self._clear(max(count, 0))
        begin, self._size = self._size, size
        if size:
            self._edges = (xs[0], ys[0], xs[size - 1], ys[size - 1])
        if begin < size and count > 0 and math.isfinite(x0) and math.isfinite(x1) and x0 <= x1:
            self._columns = list(self._columns)
            self._extend(xs, ys, begin, size)
        return self._columns

    def trust(self, size: int) -> None:
        """Somebody has looked: the first `size` x never fall, and none is NaN."""
        self._trusted = size

    def _clear(self, count: int) -> None:
        self.hidden = 0
        self._size = 0
        self._columns = [None] * count

    def _continues(self, xs: Sequence[float], ys: Sequence[float], size: int) -> bool:
        """Whether the series is the one already binned, perhaps longer: its ends are where they were."""
        seen = self._size
        if not seen:
            return True
        if size < seen:
            return False
        return same(self._edges, (xs[0], ys[0], xs[seen - 1], ys[seen - 1]))

    def _extend(self, xs: Sequence[float], ys: Sequence[float], begin: int, size: int) -> None:
        if size - begin >= _FEW and self._rises(xs, size):
            self._extend_sorted(xs, ys, begin, size)
            return
        xs, ys = xs[begin:size], ys[begin:size]
        if len(xs) >= _FEW and any(x != x for x in xs):
            kept = [(x, y) for x, y in zip(xs, ys, strict=True) if x == x]
            xs, ys = [x for x, _ in kept], [y for _, y in kept]
            if all(map(le, xs, islice(xs, 1, None))):
                self._extend_sorted(xs, ys, 0, len(xs))
                return
        self._extend_any(xs, ys)

    def _rises(self, xs: Sequence[float], size: int) -> bool:
        """Whether x never falls and has no NaN; what was looked at once, in another view too, is known."""
        start = self._rises_to
        if 0 <= start < size:
            known = max(0, start - 1)
            before, after = islice(xs, known, size - 1), islice(xs, known + 1, size)
            rises = all(map(le, before, after)) and xs[size - 1] == xs[size - 1]
            self._rises_to = size if rises else -1
        return self._rises_to >= size

    def _extend_sorted(self, xs: Sequence[float], ys: Sequence[float], begin: int, size: int) -> None:
        """Cut rising x at the column edges: min, max and sum of slices cost 0.1 µs a point, a loop 0.5."""
        x0, x1, count = self._view
        place = _placer(x0, x1, count)
        width = (x1 - x0) / count
        begin = bisect_left(xs, x0, begin, size)
        end = bisect_right(xs, x1, begin, size)
        while begin < end:
            index = place(xs[begin])
            # The edge is where rounding puts it: a point or two beside it may belong to the other column.
            stop = bisect_left(xs, x0 + width * (index + 1), begin, end) if math.isfinite(width) else begin
            if stop < end and place(xs[stop]) <= index:
                stop = bisect_left(xs, index + 1, stop, end, key=place)
            elif stop > begin and place(xs[stop - 1]) > index:
                stop = bisect_left(xs, index + 1, begin, stop, key=place)
            self._extend_column(index, ys[begin:stop])
            begin = stop

    def _extend_any(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        x0, x1, count = self._view
        place = _placer(x0, x1, count)
        waiting: dict[int, list[float]] = {}
        for x, y in zip(xs, ys, strict=True):
            if x == x:
                index = place(x)
                if 0 <= index < count:
                    waiting.setdefault(index, []).append(y)
        for index, values in waiting.items():
            self._extend_column(index, values)

    def _extend_column(self, index: int, values: Sequence[float]) -> None:
        # Three looks at a list take less than at an array, which makes each number anew.
        values, bad = list(values), 0
        if not _all_plain(values, positive=self._log):
            values, bad, hidden = _sift(values, positive=self._log)
            self.hidden += hidden
        old = self._columns[index]
        if not values:
            if bad:
                self._columns[index] = _merged(old, Column(math.nan, math.nan, math.nan, math.nan, bad))
            return
        first, last, low, high = values[0], values[-1], min(values), max(values)
        if self._log:
            first, last, low, high = map(math.log10, (first, last, low, high))
        column = Column(first, last, low, high, bad)
        self._columns[index] = _merged(old, column)


def same(before: Sequence[float], now: Sequence[float]) -> bool:
    """Whether the numbers are equal, NaN being equal to NaN."""
    return len(before) == len(now) and all(
        a == b or (a != a and b != b) for a, b in zip(before, now, strict=True)
    )


def spread(
    middles: Sequence[Column | None], lows: Sequence[Column | None], highs: Sequence[Column | None]
) -> list[Column | None]:
    """Columns of a series that comes with a minimum and maximum of its own, such as the mean over a tick.

    The line runs through the middles, and each column covers everything from the lows to the highs.
    """
    return [
        middle
        if middle is None or low is None or high is None or low.low != low.low or high.low != high.low
        else middle._replace(low=min(middle.low, low.low), high=max(middle.high, high.high))
        for middle, low, high in zip(middles, lows, highs, strict=True)
    ]


def extent(columns: Sequence[Column | None]) -> tuple[float, float]:
    """Minimum and maximum over columns; (nan, nan) when none holds a finite value."""
    drawn = [column for column in columns if column is not None and column.low == column.low]
    if not drawn:
        return math.nan, math.nan
    return min(column.low for column in drawn), max(column.high for column in drawn)


def _placer(x0: float, x1: float, count: int) -> Callable[[float], int]:
    """x -> column: -1 left of the view, `count` right of it. Rising, so that `bisect` may use it."""
    span = x1 - x0
    if not math.isfinite(span):
        x0, x1, shrink = x0 / 4, x1 / 4, 0.25
        span = x1 - x0
    else:
        shrink = 1.0

    def place(x: float) -> int:
        x = as_float(x) * shrink if shrink != 1.0 or type(x) is not float else x
        if x < x0:
            return -1
        if x > x1:
            return count
        return min(count - 1, int((x - x0) / span * count)) if span else 0

    return place


def _all_plain(values: Sequence[float], *, positive: bool) -> bool:
    """Whether all values are finite (and above zero), found without looking at each in Python."""
    try:
        return math.isfinite(sum(values)) and not (positive and min(values) <= 0)
    except OverflowError:
        return False


def _sift(values: Sequence[float], *, positive: bool) -> tuple[list[float], int, int]:
    """The values that can be drawn, how many are not finite, how many are not above zero."""
    finite = [value for value in map(as_float, values) if math.isfinite(value)]
    bad = len(values) - len(finite)
    if not positive:
        return finite, bad, 0
    drawn = [value for value in finite if value > 0]
    return drawn, bad, len(finite) - len(drawn)


def _merged(old: Column | None, new: Column) -> Column:
    """Two parts of one column, in order of arrival."""
    if old is None:
        return new
    bad = old.bad + new.bad
    if new.low != new.low:
        return old._replace(bad=bad)
    if old.low != old.low:
        return new._replace(bad=bad)
    return Column(old.first, new.last, min(old.low, new.low), max(old.high, new.high), bad)
