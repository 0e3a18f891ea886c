"""Exponential moving averages over every point of a growing series."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from floydtop.plot.units import as_float

MAX_WEIGHT = 0.999

_CHUNK = 256
"""Points that are looked at together: steady ones take 0.08 us each, others 0.18."""


class Smoother:
    """The debiased exponential moving average of one series.

    The mean of all points so far, each point's weight being `weight` times that of the one after it:
    mean_n = sum(weight^(n-i) x_i) / sum(weight^(n-i)). That is the average with the bias correction of
    Kingma and Ba, "Adam" (arXiv:1412.6980, section 3), which TensorBoard's and W&B's sliders use too; it
    is computed as mean += (x - mean) * (1 / total) with total = weight * total + 1, which needs no division
    of two small numbers and keeps a constant exactly constant.

    A point that stands for w points whose mean is m counts as w points of that value: with
    g = (1 - weight^w) / (1 - weight), which is 1 for w = 1, total = weight^w * total + g and
    mean += (m - mean) * g / total.

    Args:
        weight: 0 (no smoothing) to 0.999; outside it is moved to the nearer end.
    """

    def __init__(self, weight: float) -> None:
        self.weight = min(max(weight, 0.0), MAX_WEIGHT)
        self.values = array("d")
        """One number per point; NaN where the point was NaN or infinite, which the mean skips."""
        self._mean = 0.0
        self._total = 0.0

    def extend(
        self,
        ys: Sequence[float],
        means: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> array[float]:
        """Smooth those of `ys` that are new since the last call, and return `values`, as long as `ys`.

        A series shorter than the last one is another series: it is smoothed from its start.

        Args:
            means: what the points stand for: the mean of as many points as `weights` tells, NaN where `ys`
                is not finite. Without them each stands for itself.
        """
        if len(ys) < len(self.values):
            self.values = array("d")
            self._mean = self._total = 0.0
        start = len(self.values)
        numbers: Sequence[float] = ys if means is None or weights is None else means
        for first in range(start, len(ys), _CHUNK):
            some = list(numbers[first : first + _CHUNK])
            if not isinstance(numbers, array):
                some = list(map(as_float, some))
            counts = None if weights is None or means is None else list(weights[first : first + _CHUNK])
            if not self._extend_steadily(some, counts):
                self._extend_one_by_one(some, counts)
        return self.values

    def _extend_steadily(self, ys: list[float], counts: list[float] | None) -> bool:
        """Smooth points of one weight once the total moves no more, by the same arithmetic in less time.

        False when they are not like that.
        """
        count = 1.0 if counts is None else counts[0]
        if counts is not None and counts.count(count) < len(counts):
            return False
        fade, gain = self._fade(count)
        total = self._total
        if fade * total + gain != total or not math.isfinite(sum(ys)):
            return False
        mean = self._mean
        if not math.isfinite(max(mean, max(ys)) - min(mean, min(ys))):
            return False
        part = gain / total
        self.values.extend(ys if part == 1.0 else [mean := mean + (y - mean) * part for y in ys])
        self._mean = self.values[-1]
        return True

    def _extend_one_by_one(self, ys: list[float], counts: list[float] | None) -> None:
        mean, total = self._mean, self._total
        append = self.values.append
        known, (fade, gain) = 1.0, self._fade(1.0)
        for place, y in enumerate(ys):
            if counts is not None and counts[place] != known:
                known = counts[place]
                fade, gain = self._fade(known)
            if y - y == 0.0:
                total = fade * total + gain
                part = gain / total
                step = y - mean
                if part == 1.0:
                    mean = y
                elif step - step == 0.0:
                    mean += step * part
                else:  # two numbers of opposite sign near the largest float
                    mean += y * part - mean * part
                append(mean)
            else:
                append(math.nan)
        self._mean, self._total = mean, total

    def _fade(self, count: float) -> tuple[float, float]:
        """How much of the total is left after so many points, and what they add to it."""
        fade = self.weight**count
        return fade, (1.0 - fade) / (1.0 - self.weight)
