"""One metric's points, as columns of time, step and value."""

from __future__ import annotations

import math
import operator
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

_NAN = math.nan


@dataclass(frozen=True)
class _Sums:
    """What the first `counted` points of a series amount to."""

    counted: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    total: float = 0.0
    not_finite: int = 0
    step_low: float = math.inf
    step_high: float = -math.inf
    restarts: int = 0

    def extended(self, values: array[float], steps: array[float]) -> _Sums:
        """The same over all points."""
        fresh: Sequence[float] = values[self.counted :]
        bad = 0
        if not math.isfinite(sum(fresh)):
            finite = [value for value in fresh if math.isfinite(value)]
            bad, fresh = len(fresh) - len(finite), finite
        known: Sequence[float] = [step for step in steps[self.counted :] if step == step]
        # The last step before them may be the one that they fall back from.
        before = [self.last_step(steps)] if self.counted else []
        return _Sums(
            counted=len(values),
            minimum=min(self.minimum, min(fresh, default=math.inf)),
            maximum=max(self.maximum, max(fresh, default=-math.inf)),
            total=self.total + math.fsum(fresh),
            not_finite=self.not_finite + bad,
            step_low=min(self.step_low, min(known, default=math.inf)),
            step_high=max(self.step_high, max(known, default=-math.inf)),
            restarts=self.restarts + sum(map(operator.gt, [*before, *known], known if before else known[1:])),
        )

    def last_step(self, steps: array[float]) -> float:
        """The last known step among the counted points, -inf when there is none."""
        places = range(self.counted - 1, -1, -1)
        return next((steps[place] for place in places if steps[place] == steps[place]), -math.inf)


class Series:
    """The points of one metric in the order in which they arrived.

    What sums them up is counted when somebody asks, over the points that are new since: two million points
    load twice as fast as with everything counted at each one.

    Attributes:
        run: the run that it belongs to, where several are compared.
        times: seconds of session time, NaN where not known.
        steps: step, or epoch where the job counts epochs, NaN where the line carried neither.
        epochs: the epoch of each point, kept only where lines tell both step and epoch.
        lines: number of the log's line that told each point, 0 where it is not known.
        values: the values; NaN and infinities are kept, they are news.
    """

    def __init__(self, name: str, group: str = "training") -> None:
        self.name = name
        self.group = group
        self.run = ""
        self.times = array("d")
        self.steps = array("d")
        self.values = array("d")
        self.lines = array("q")
        self.epochs: array[float] | None = None
        self.has_times = False
        self.has_steps = False
        self.has_estimates = False
        self.in_epochs = False
        self._sums = _Sums()

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
        if epoch is not None:
            self._append_epoch(step, epoch)
            if step is None:
                step = epoch
        elif self.epochs is not None:
            self.epochs.append(_NAN)
        if t is None:
            t = _NAN
        else:
            self.has_times = True
        if step is None:
            step = _NAN
        else:
            self.has_steps = True
        if estimated:
            self.has_estimates = True
        self.times.append(t)
        self.steps.append(step)
        self.values.append(value)
        self.lines.append(line)

    def _append_epoch(self, step: float | None, epoch: float) -> None:
        if step is not None and self.epochs is None:
            self.epochs = array("d", [_NAN]) * len(self.values)
        if self.epochs is not None:
            self.epochs.append(epoch)
        self.in_epochs = step is None

    def _summed(self) -> _Sums:
        if self._sums.counted < len(self.values):
            self._sums = self._sums.extended(self.values, self.steps)
        return self._sums

    @property
    def minimum(self) -> float:
        """The least finite value, inf when there is none."""
        return self._summed().minimum

    @property
    def maximum(self) -> float:
        """The greatest finite value, -inf when there is none."""
        return self._summed().maximum

    @property
    def not_finite(self) -> int:
        """How many values are NaN or infinite."""
        return self._summed().not_finite

    @property
    def step_low(self) -> float:
        """The lowest known step, inf when there is none."""
        return self._summed().step_low

    @property
    def step_high(self) -> float:
        """The highest known step, -inf when there is none."""
        return self._summed().step_high

    @property
    def restarts(self) -> int:
        """How often the step fell: a resume, or a counter that starts again each epoch."""
        return self._summed().restarts

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
        sums = self._summed()
        finite = sums.counted - sums.not_finite
        return sums.total / finite if finite else _NAN


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
