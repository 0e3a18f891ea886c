"""One metric's points, as columns of time, step and value."""

from __future__ import annotations

import math
from array import array

_NAN = math.nan


class Series:
    """The points of one metric in the order in which they arrived.

    Attributes:
        run: the run that it belongs to, where several are compared.
        times: seconds of session time, NaN where not known.
        steps: step, or epoch where the job counts epochs, NaN where the line carried neither.
        lines: number of the log's line that told each point, 0 where it is not known.
        values: the values; NaN and infinities are kept, they are news.
        minimum, maximum, total: over the finite values.
        epochs: the epoch of each point, kept only where lines tell both step and epoch.
        restarts: how often the step fell: a resume, or a counter that starts again each epoch.
        step_low, step_high: the range of the known steps; inf and -inf when there is none.
    """

    def __init__(self, name: str, group: str = "training") -> None:
        self.name = name
        self.group = group
        self.run = ""
        self.times = array("d")
        self.steps = array("d")
        self.values = array("d")
        self.lines = array("q")
        self.minimum = math.inf
        self.maximum = -math.inf
        self.total = 0.0
        self.not_finite = 0
        self.has_times = False
        self.has_steps = False
        self.has_estimates = False
        self.in_epochs = False
        self.epochs: array[float] | None = None
        self.restarts = 0
        self._previous_step = -math.inf
        self.step_low = math.inf
        self.step_high = -math.inf

    def __len__(self) -> int:
        return len(self.values)

    def append(
        self,
        t: float | None,
        step: float | None,
        value: float,
        *,
        epoch: float | None = None,
        line: int = 0,
        estimated: bool = False,
    ) -> None:
        """Add one point.

        Args:
            t: session time; `estimated` when it is a guess from the line's place in the log.
            step: where the point lies on the step axis; without one its epoch serves.
        """
        if step is not None and epoch is not None and self.epochs is None:
            self.epochs = array("d", [_NAN]) * len(self.values)
        if self.epochs is not None:
            self.epochs.append(_NAN if epoch is None else epoch)
        self.in_epochs = step is None and epoch is not None
        if step is None:
            step = epoch
        self.times.append(_NAN if t is None else t)
        self.steps.append(_NAN if step is None else step)
        self.values.append(value)
        self.lines.append(line)
        self.has_times |= t is not None
        if step is not None:
            self.has_steps = True
            self.restarts += step < self._previous_step
            self._previous_step = step
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

    def in_epoch_units(self) -> array[float]:
        """The epoch of each point, NaN where its line told none."""
        if self.epochs is not None:
            return self.epochs
        return self.steps if self.in_epochs else array("d", [_NAN]) * len(self)

    @property
    def has_epochs(self) -> bool:
        """Whether any point's line told its epoch."""
        return self.epochs is not None or self.in_epochs

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
        self.run = ""
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
