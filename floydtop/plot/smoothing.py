"""Exponential moving averages over every point of a growing series."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from floydtop.plot.units import as_float

MAX_WEIGHT = 0.999


class Smoother:
    """The debiased exponential moving average of one series.

    The mean of all points so far, each point's weight being `weight` times that of the one after it:
    mean_n = sum(weight^(n-i) x_i) / sum(weight^(n-i)). That is the average with the bias correction of
    Kingma and Ba, "Adam" (arXiv:1412.6980, section 3), which TensorBoard's and W&B's sliders use too; it
    is computed as mean += (x - mean) / total with total = weight * total + 1, which needs no division of
    two small numbers and keeps a constant exactly constant.

    Args:
        weight: 0 (no smoothing) to 0.999; outside it is moved to the nearer end.
    """

    def __init__(self, weight: float) -> None:
        self.weight = min(max(weight, 0.0), MAX_WEIGHT)
        self.values = array("d")
        """One number per point; NaN where the point was NaN or infinite, which the mean skips."""
        self._mean = 0.0
        self._total = 0.0

    def extend(self, ys: Sequence[float]) -> array[float]:
        """Smooth those of `ys` that are new since the last call, and return `values`, as long as `ys`.

        A series shorter than the last one is another series: it is smoothed from its start.
        """
        if len(ys) < len(self.values):
            self.values = array("d")
            self._mean = self._total = 0.0
        weight, mean, total = self.weight, self._mean, self._total
        append = self.values.append
        for y in map(as_float, ys[len(self.values) :]):
            if y - y == 0.0:
                total = weight * total + 1.0
                step = y - mean
                if total == 1.0:
                    mean = y
                elif step - step == 0.0:
                    mean += step / total
                else:  # two numbers of opposite sign near the largest float
                    mean += y / total - mean / total
                append(mean)
            else:
                append(math.nan)
        self._mean, self._total = mean, total
        return self.values
