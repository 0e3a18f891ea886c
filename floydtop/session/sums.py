"""What points amount to, also those that were thinned away since."""

from __future__ import annotations

import math
import operator
from array import array
from dataclasses import dataclass


@dataclass(frozen=True)
class Sums:
    """What a stretch of points amounts to."""

    count: float = 0
    """Points there were, those among them that are not finite included."""
    not_finite: float = 0
    minimum: float = math.inf
    """The least finite value, inf when there is none; `maximum` likewise -inf."""
    maximum: float = -math.inf
    total: float = 0.0
    """Sum of the finite values."""
    step_low: float = math.inf
    step_high: float = -math.inf
    step_first: float = math.inf
    """The first known step, inf when there is none; the last one likewise -inf."""
    step_last: float = -math.inf
    restarts: int = 0
    """How often the step fell."""

    def joined(self, after: Sums) -> Sums:
        """The sums of this stretch and the one that follows it."""
        return Sums(
            count=self.count + after.count,
            not_finite=self.not_finite + after.not_finite,
            minimum=min(self.minimum, after.minimum),
            maximum=max(self.maximum, after.maximum),
            total=self.total + after.total,
            step_low=min(self.step_low, after.step_low),
            step_high=max(self.step_high, after.step_high),
            step_first=self.step_first if self.step_first < math.inf else after.step_first,
            step_last=after.step_last if after.step_last > -math.inf else self.step_last,
            restarts=self.restarts + after.restarts + (self.step_last > after.step_first),
        )


def sums_of(
    values: array[float],
    steps: array[float],
    means: array[float] | None = None,
    weights: array[float] | None = None,
) -> Sums:
    """The sums of points: 0.1 us each.

    Args:
        means: as of `floydtop.session.thin.Points`, as are `weights`; both or neither.
    """
    finite: list[float] = values.tolist()
    if not math.isfinite(sum(finite)):
        finite = [value for value in finite if value - value == 0.0]
    if means is None or weights is None:
        count: float = len(values)
        bad: float = len(values) - len(finite)
        total = _total(finite)
    else:
        count = math.fsum(weights)
        odd = len(finite) < len(values)
        bad = math.fsum(w for w, v in zip(weights, values, strict=True) if v - v != 0.0) if odd else 0
        total = _total([m * w for m, w in zip(means, weights, strict=True) if m == m])
    known: list[float] = steps.tolist()
    if not math.isfinite(sum(known)):
        known = [step for step in known if step == step]
    rising = all(map(operator.le, known, known[1:]))
    return Sums(
        count=count,
        not_finite=bad,
        minimum=min(finite, default=math.inf),
        maximum=max(finite, default=-math.inf),
        total=total,
        step_low=math.inf if not known else known[0] if rising else min(known),
        step_high=-math.inf if not known else known[-1] if rising else max(known),
        step_first=known[0] if known else math.inf,
        step_last=known[-1] if known else -math.inf,
        restarts=0 if rising else sum(map(operator.gt, known, known[1:])),
    )


def _total(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)
