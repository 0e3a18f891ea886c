"""Columns of points with fewer of them, so that what is drawn, counted and averaged stays true.

Consecutive points make a group; of each group the least and the greatest finite value and the first value
that is not finite stay, in their order, as the points they are: with their own time, step and line. What
they stand for goes with them: the group's mean, and how many points there were.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import mul

from floydtop.events import Column, MetricGroup

_NAN = math.nan
_MOST_WEIGHT = 2.0**53
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_BLOCK = 1 << 14
"""Values that are made a list at a time: min and max of a list take half as long as of an array, and all of
ten million values would take 320 MB."""


def _doubles() -> array[float]:
    return array("d")


@dataclass
class Points:
    """Points of one metric in columns of equal length; `None` stands for a column without news.

    `steps` and `epochs` are what the lines told, NaN where they told none.
    """

    times: array[float] = field(default_factory=_doubles)
    steps: array[float] = field(default_factory=_doubles)
    values: array[float] = field(default_factory=_doubles)
    lines: array[int] = field(default_factory=lambda: array("q"))
    epochs: array[float] | None = None
    means: array[float] | None = None
    """Mean of the finite points that each stands for; None: the values themselves."""
    weights: array[float] | None = None
    """How many points each stands for; None: one each."""

    def __len__(self) -> int:
        return len(self.values)

    def append(
        self, t: float | None, step: float | None, value: float, *, epoch: float | None = None, line: int = 0
    ) -> None:
        """Add one point that stands for itself."""
        if epoch is not None and self.epochs is None:
            self.epochs = array("d", [_NAN]) * len(self.values)
        if self.epochs is not None:
            self.epochs.append(_NAN if epoch is None else epoch)
        if self.means is not None and self.weights is not None:
            self.means.append(value if value - value == 0.0 else _NAN)
            self.weights.append(1.0)
        self.times.append(_NAN if t is None else t)
        self.steps.append(_NAN if step is None else step)
        self.values.append(value)
        self.lines.append(line)

    @property
    def count(self) -> float:
        """How many points there were."""
        return float(len(self)) if self.weights is None else math.fsum(self.weights)


@dataclass(frozen=True)
class Kept:
    """What stays of some points."""

    places: list[int]
    """Their indices, rising."""
    means: array[float]
    weights: array[float]


def thinned(points: Points, group: float) -> Points:
    """The points with about two left of each `group` points that there were.

    Sum of weights, sum of mean times weight, least, greatest, and whether something is not finite are as
    before. Columns that were thinned may be thinned again, alone or with others before or behind them.

    Args:
        group: how many points make a group, counted by weight; up to 2 leaves the points as they are.
    """
    if group <= 2 or len(points) <= 2:
        return points
    kept = keep(points.values, points.means, points.weights, group)
    places = kept.places
    if len(places) == len(points):
        return points
    return Points(
        times=taken(points.times, places),
        steps=taken(points.steps, places),
        values=taken(points.values, places),
        lines=array("q", map(points.lines.__getitem__, places)),
        epochs=None if points.epochs is None else taken(points.epochs, places),
        means=kept.means,
        weights=kept.weights,
    )


def taken(column: array[float], places: Sequence[int]) -> array[float]:
    """The column at these places."""
    return array("d", map(column.__getitem__, places))


def keep(
    values: Sequence[float], means: Sequence[float] | None, weights: Sequence[float] | None, group: float
) -> Kept:
    """Which points stay, see `thinned`.

    Args:
        values: an array; NaN and infinities may be among them.
        means: as of `Points`, as are `weights`; both or neither.
    """
    kept = Kept([], array("d"), array("d"))
    if weights is None or means is None:
        _keep_plain(values, math.ceil(group), kept)
    else:
        _keep_weighted(values, means, weights, group, kept)
    return kept


def _keep_plain(values: Sequence[float], size: int, kept: Kept) -> None:
    """The same of points that stand for themselves: group after group of one size."""
    means, weights = kept.means, kept.weights
    pair = array("d", [size / 2] * 2)
    block = _BLOCK - _BLOCK % size if size < _BLOCK else size
    for first in range(0, len(values), block):
        some = list(values[first : first + block])
        for start in range(0, len(some), size):
            part = some[start : start + size]
            total = sum(part)
            low, high = min(part), max(part)
            if total - total != 0.0 or len(part) < size:
                _keep_some(first + start, part, part, [1.0] * len(part), kept)
                continue
            if low == high:
                kept.places.append(first + start)
                means.append(low)
                weights.append(float(size))
                continue
            _keep_both(first + start, part.index(low), part.index(high), kept)
            mean = total / size
            means.append(mean)
            means.append(mean)
            weights += pair


def _keep_weighted(
    values: Sequence[float], means: Sequence[float], weights: Sequence[float], group: float, kept: Kept
) -> None:
    """The same of points that stand for different numbers of points."""
    ends = list(accumulate(weights))
    start, before = 0, 0.0
    while start < len(ends):
        stop = min(bisect_left(ends, before + group, start) + 1, len(ends))
        part, weight = list(values[start:stop]), ends[stop - 1] - before
        total = sum(map(mul, means[start:stop], weights[start:stop]))
        low, high = min(part), max(part)
        if total - total != 0.0 or sum(part) * 0.0 != 0.0 or low == high or len(part) <= 2:
            _keep_some(start, part, means[start:stop], weights[start:stop], kept)
        else:
            _keep_both(start, part.index(low), part.index(high), kept)
            kept.means.extend([total / weight] * 2)
            kept.weights.extend([weight / 2] * 2)
        start, before = stop, ends[stop - 1]


def _keep_both(start: int, low: int, high: int, kept: Kept) -> None:
    kept.places.append(start + (low if low < high else high))
    kept.places.append(start + (high if low < high else low))


def _keep_some(
    start: int, values: Sequence[float], means: Sequence[float], weights: Sequence[float], kept: Kept
) -> None:
    """What stays of one group that begins at `start`, whatever is in it."""
    finite = [place for place, value in enumerate(values) if value - value == 0.0]
    found: dict[int, tuple[float, float]] = {}
    if finite:
        low = min(finite, key=values.__getitem__)
        high = max(finite, key=values.__getitem__)
        weight = math.fsum(weights[place] for place in finite)
        own = [means[place] for place in finite]
        mean = own[0]
        if min(own) < max(own):
            # Shares first: the sum of two numbers near the largest float would not be finite.
            mean = math.fsum(means[place] * (weights[place] / weight) for place in finite)
        ends = {low} if values[low] == values[high] else {low, high}
        found = {place: (mean, weight / len(ends)) for place in ends}
    if len(finite) < len(values):
        odd = [place for place, value in enumerate(values) if value - value != 0.0]
        found[odd[0]] = (_NAN, math.fsum(weights[place] for place in odd))
    if len(found) >= len(values):
        found = {
            place: (means[place] if place in finite else _NAN, weights[place]) for place in range(len(values))
        }
    for place in sorted(found):
        kept.places.append(start + place)
        kept.means.append(found[place][0])
        kept.weights.append(found[place][1])


def to_column(points: Points, group: MetricGroup = "training", *, approximate: bool = False) -> Column:
    """The points as a session file holds them."""
    odd = {}
    values: list[float | None] = [*points.values]
    for place, value in enumerate(points.values):
        if value - value != 0.0:
            values[place] = None
            odd[place] = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return Column(
        values=values,
        odd=odd,
        times=_known(points.times),
        steps=_known(points.steps),
        epochs=_known(points.epochs),
        lines=points.lines.tolist() if any(points.lines) else [],
        means=_known(points.means),
        weights=[] if points.weights is None else points.weights.tolist(),
        group=group,
        approximate=approximate,
    )


def _known(column: array[float] | None) -> list[float | None]:
    """A column with None for NaN, empty when nothing of it is known."""
    if column is None:
        return []
    found: list[float | None] = [value if value - value == 0.0 else None for value in column]
    return found if found.count(None) < len(found) else []


def of_column(column: Column) -> Points:
    """The points that a session file holds; a list of another length than the values counts as unknown."""
    size = len(column.values)
    values = array("d", (_NAN if value is None else value for value in column.values))
    for place, word in column.odd.items():
        if 0 <= place < size and column.values[place] is None:
            values[place] = _WORDS.get(word, _NAN)
    weights, means = column.weights, column.means
    weighted = 0 < size == len(weights) and all(0.0 < weight <= _MOST_WEIGHT for weight in weights)
    return Points(
        times=_doubles_of(column.times, size),
        steps=_doubles_of(column.steps, size),
        values=values,
        lines=array("q", column.lines) if len(column.lines) == size else array("q", [0]) * size,
        epochs=_doubles_of(column.epochs, size) if len(column.epochs) == size and size else None,
        means=_means(means, values) if weighted else None,
        weights=array("d", weights) if weighted else None,
    )


def _doubles_of(column: Sequence[float | None], size: int) -> array[float]:
    if len(column) != size:
        return array("d", [_NAN]) * size
    return array("d", (_NAN if value is None else value for value in column))


def _means(means: Sequence[float | None], values: array[float]) -> array[float]:
    """The means, a value itself where its mean is not told."""
    known = means if len(means) == len(values) else [None] * len(values)
    return array(
        "d",
        (
            _NAN if value - value != 0.0 else value if mean is None else mean
            for mean, value in zip(known, values, strict=True)
        ),
    )
