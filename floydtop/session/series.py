"""One metric's points, as columns of time, step and value."""

from __future__ import annotations

import math
from array import array
from typing import Literal

Axis = Literal["time", "step"]

_NAN = math.nan


class Series:
    """The points of one metric in the order in which they arrived.

    Attributes:
        times: seconds of session time, NaN where not known.
        steps: step, or epoch where the job counts epochs, NaN where the line carried neither.
        values: the values; NaN and infinities are kept, they are news.
        minimum, maximum, total: over the finite values.
        step_low, step_high: the range of the known steps; inf and -inf when there is none.
    """

    def __init__(self, name: str, group: str = "training") -> None:
        self.name = name
        self.group = group
        self.times = array("d")
        self.steps = array("d")
        self.values = array("d")
        self.minimum = math.inf
        self.maximum = -math.inf
        self.total = 0.0
        self.not_finite = 0
        self.has_times = False
        self.has_steps = False
        self.has_estimates = False
        self.in_epochs = False
        self.step_low = math.inf
        self.step_high = -math.inf

    def __len__(self) -> int:
        return len(self.values)

    def append(self, t: float | None, step: float | None, value: float, *, estimated: bool = False) -> None:
        """Add one point; `estimated` says that `t` is a guess from the line's place in the log."""
        self.times.append(_NAN if t is None else t)
        self.steps.append(_NAN if step is None else step)
        self.values.append(value)
        self.has_times |= t is not None
        if step is not None:
            self.has_steps = True
            self.step_low = min(self.step_low, step)
            self.step_high = max(self.step_high, step)
        self.has_estimates |= estimated
        if not math.isfinite(value):
            self.not_finite += 1
            return
        self.total += value
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value

    def xs(self, axis: Axis) -> array[float]:
        """The x-values on an axis, NaN where a point has none."""
        return self.times if axis == "time" else self.steps

    def has(self, axis: Axis) -> bool:
        """Whether any point has a place on that axis."""
        return self.has_times if axis == "time" else self.has_steps

    @property
    def last(self) -> float:
        """The newest value, NaN when there is none."""
        return self.values[-1] if self.values else _NAN

    @property
    def last_step(self) -> float | None:
        """The newest step or epoch."""
        return self.steps[-1] if self.steps and not math.isnan(self.steps[-1]) else None

    @property
    def mean(self) -> float:
        """Mean of the finite values, NaN when there is none."""
        finite = len(self.values) - self.not_finite
        return self.total / finite if finite else _NAN


class SystemSeries:
    """One system metric: mean, minimum and maximum of each tick, at the tick's end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.times = array("d")
        self.means = array("d")
        self.lows = array("d")
        self.highs = array("d")

    def __len__(self) -> int:
        return len(self.times)

    def append(self, t: float, mean: float, low: float, high: float) -> None:
        """Add one tick."""
        self.times.append(t)
        self.means.append(mean)
        self.lows.append(low)
        self.highs.append(high)
