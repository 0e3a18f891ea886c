"""A series whose steps start again after a resume, binned as one stroke for each stretch of rising x."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from operator import le

from floydtop.plot.columns import Column, ColumnCache, same
from floydtop.plot.units import as_float

# Beyond this many, x is no counter that restarts but something that goes back and forth.
_MOST_STROKES = 16


class StrokeCache:
    """The strokes of one series, kept between frames; to be drawn as one layer each.

    Args:
        log: As for `ColumnCache`.
    """

    hidden: int
    """Values in view that a logarithmic axis cannot show."""

    def __init__(self, *, log: bool = False) -> None:
        self.hidden = 0
        self._log = log
        self._starts: list[int] = []
        self._caches: list[ColumnCache] = []
        self._size = 0
        self._ends: tuple[float, ...] = ()
        self._latest = -math.inf
        self._rises = True

    def strokes(
        self, xs: Sequence[float], ys: Sequence[float], x0: float, x1: float, count: int
    ) -> list[Sequence[Column | None]]:
        """The columns of each stroke, oldest first; like `ColumnCache.columns`, only new points are visited.

        A stroke runs on to the edges of the view where its next point lies outside. A series that goes
        back more than a few times is one stroke.
        """
        size = min(len(xs), len(ys))
        if size < self._size or not same(self._ends, (xs[0], xs[self._size - 1]) if self._size else ()):
            self._starts, self._size, self._latest, self._rises = [], 0, -math.inf, True
        self._find_starts(xs, size)
        self._ends = (xs[0], xs[size - 1]) if size else ()
        starts = self._starts if len(self._starts) <= _MOST_STROKES else [0]
        ends = [*starts[1:], size] if starts else []
        self._caches = self._caches[: len(starts)]
        self._caches += [ColumnCache(log=self._log) for _ in range(len(starts) - len(self._caches))]
        strokes: list[Sequence[Column | None]] = []
        for cache, start, end in zip(self._caches, starts, ends, strict=True):
            if self._rises:
                cache.trust(size)
            whole = start == 0 and end == len(xs) == len(ys)
            own_xs, own_ys = (xs, ys) if whole else (xs[start:end], ys[start:end])
            columns = cache.columns(own_xs, own_ys, x0, x1, count)
            strokes.append(_reach_edges(columns, own_xs, own_ys, x0, x1, log=self._log))
        self.hidden = sum(cache.hidden for cache in self._caches)
        return strokes

    def _find_starts(self, xs: Sequence[float], size: int) -> None:
        if size and not self._starts:
            self._starts = [0]
        latest = self._latest
        fresh = xs[self._size : size]
        if fresh and fresh[0] >= latest and fresh[-1] == fresh[-1] and all(map(le, fresh, fresh[1:])):
            # Nearly always: a fifth of the time of the loop.
            self._latest, self._size = fresh[-1], size
            return
        self._rises = self._rises and not fresh
        for index, x in enumerate(fresh, self._size):
            if x < latest and len(self._starts) <= _MOST_STROKES:
                self._starts.append(index)
            if x == x:
                latest = x
        self._latest, self._size = latest, size


def _reach_edges(
    columns: Sequence[Column | None],
    xs: Sequence[float],
    ys: Sequence[float],
    x0: float,
    x1: float,
    *,
    log: bool,
) -> Sequence[Column | None]:
    """The columns, and the line's height at an edge of the view that it crosses between two points."""
    if not columns:
        return columns
    reached = columns
    for position, x in ((0, x0), (len(columns) - 1, x1)):
        value = _crossing(xs, ys, x, log=log) if columns[position] is None else None
        if value is not None:
            reached = list(reached)
            reached[position] = Column(value, value, value, value, 0)
    return reached


def _crossing(xs: Sequence[float], ys: Sequence[float], x: float, *, log: bool) -> float | None:
    """The height at `x` of the line between the points around it; None where no line runs."""
    after = bisect_left(xs, x)
    if not 0 < after < len(xs):
        return None
    x, left, right = as_float(x), as_float(xs[after - 1]), as_float(xs[after])
    start, end = as_float(ys[after - 1]), as_float(ys[after])
    if log:
        start, end = (math.log10(value) if value > 0 else math.nan for value in (start, end))
    if not left < x <= right or not all(map(math.isfinite, (left, right, start, end))):
        return None
    share = (x / 2 - left / 2) / (right / 2 - left / 2)
    return start * (1 - share) + end * share if 0 <= share <= 1 else None
