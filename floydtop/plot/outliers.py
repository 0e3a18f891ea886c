"""A y-range without the few points that would flatten all the others, and how many they are."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from floydtop.plot.units import as_float

_TAIL = 0.05


class Clipped(NamedTuple):
    """The range of the points that are shown, and the number of those outside it."""

    low: float
    high: float
    hidden: int


def clipped_range(ys: Iterable[float]) -> Clipped:
    """The range of the values within twice the spread of their middle 90 %.

    The bulk is what lies between the 5th and the 95th percentile. Points further from it than the bulk is
    wide are outliers; without any, this is the range of all points. NaN and infinite values are neither
    shown nor counted; with nothing else, the range is (nan, nan).
    """
    values = sorted(value for value in map(as_float, ys) if math.isfinite(value))
    if not values:
        return Clipped(math.nan, math.nan, 0)
    tail = int(len(values) * _TAIL)
    low, high = values[tail], values[-1 - tail]
    # Constant but for a few points: those few are the news, so they are shown.
    if low == high:
        return Clipped(values[0], values[-1], 0)
    spread = high - low
    first = bisect_left(values, low - spread)
    end = bisect_right(values, high + spread)
    return Clipped(values[first], values[end - 1], len(values) - (end - first))
