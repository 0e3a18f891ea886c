"""How long a unit of progress takes, from when the job was where: pure arithmetic on observations."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

STALL = 3.0
"""An interval that took this many times what was usual is a stall."""


class Mark(NamedTuple):
    """Where the job was at a moment."""

    t: float
    """Seconds; time in which the job was stopped does not count."""
    position: float
    """Units done: epochs, or steps."""
    breaks: int = 0
    """How often work of another kind came in between so far: an epoch's end, a validation."""


class Pace(NamedTuple):
    """What progress costs."""

    unit: float
    """Seconds for an epoch's training, or for a step."""
    boundary: float
    """Seconds for what comes after each epoch, such as validation; 0 where steps are the unit."""
    longest: float
    """The longest time between two marks that is nothing unusual."""

    def left(self, position: float, total: float) -> float:
        """Seconds from when that position was reached to the end, with what follows the last epoch."""
        boundaries = _boundaries(position, math.nextafter(total, math.inf)) if self.boundary else 0
        return (total - position) * self.unit + boundaries * self.boundary


class _Interval(NamedTuple):
    seconds: float
    units: float
    boundaries: int
    broken: bool


def pace(marks: Sequence[Mark], *, epochs: bool) -> Pace | None:
    """The pace over the later half of what was done; None before there are two marks.

    The earlier half is left out since compiling and filling caches make the start slow. What belongs to
    the run counts: validations, checkpoints. A lone stall between two breaks does not: a machine that
    slept, the first batch.

    Args:
        marks: in order of time, positions rising.
        epochs: the unit is the epoch; then the half is at least a whole one, for its validation.
    """
    if len(marks) < 2:
        return None
    end = marks[-1]
    done = end.position - marks[0].position
    window = max(1.0, done // 2) if epochs and done >= 1 else done / 2
    marks = _since(marks, end.position - window)
    intervals = [_interval(before, after, epochs=epochs) for before, after in pairwise(marks)]
    usual = median(one.seconds / one.units for one in intervals)
    stalls = [
        one.seconds - usual * one.units
        for one in intervals
        if not one.broken and one.seconds > STALL * usual * one.units
    ]
    lone = stalls[0] if len(stalls) == 1 and len(intervals) >= 5 else 0.0
    longest = max(
        (one.seconds for one in intervals if one.broken or one.seconds <= STALL * usual * one.units),
        default=0.0,
    )
    inner = [one for one in intervals if not one.boundaries]
    outer = [one for one in intervals if one.boundaries]
    if not inner or not outer:
        seconds = sum(one.seconds for one in intervals) - lone
        return Pace(seconds / sum(one.units for one in intervals), 0.0, longest)
    unit = (sum(one.seconds for one in inner) - lone) / sum(one.units for one in inner)
    beyond = sum(one.seconds - unit * one.units for one in outer)
    return Pace(unit, max(0.0, beyond / sum(one.boundaries for one in outer)), longest)


def _interval(before: Mark, after: Mark, *, epochs: bool) -> _Interval:
    boundaries = _boundaries(before.position, after.position) if epochs else 0
    return _Interval(
        after.t - before.t,
        after.position - before.position,
        boundaries,
        boundaries > 0 or after.breaks != before.breaks,
    )


def _boundaries(position: float, end: float) -> int:
    """Epochs that end at or after one position and before the other."""
    return math.ceil(end) - max(1, math.ceil(position))


def _since(marks: Sequence[Mark], position: float) -> Sequence[Mark]:
    """The marks from that position on, with one at it that is interpolated."""
    index = bisect_right(marks, position, key=lambda mark: mark.position)
    if not 0 < index < len(marks):
        return marks
    before, after = marks[index - 1], marks[index]
    share = (position - before.position) / (after.position - before.position)
    start = Mark(before.t + share * (after.t - before.t), position, before.breaks)
    return [start, *marks[index:]]
