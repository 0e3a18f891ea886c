"""Where the points of a series lie on the x-axis, also on axes that their lines did not print."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from floydtop.app.options import Options
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session

LEAST_PAUSE = 60.0
"""Seconds: a shorter silence is no pause."""

PAUSE_FACTOR = 20.0
"""A pause is that much longer than the median time between two lines."""


class Abscissa:
    """Finds the x-values of series for one session; what is costly is kept until the series grow."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[tuple[int, ...], Sequence[float]]] = {}

    def xs(
        self, session: Session, name: str, series: Series | SystemSeries, options: Options
    ) -> Sequence[float]:
        """The x-value of each point, NaN where it has no place on this axis."""
        match options.axis:
            case "time" | "clock":
                if options.axis == "time" and options.without_pauses:
                    return self._without_pauses(session, name, series)
                return series.times
            case "step" | "epoch":
                if isinstance(series, Series):
                    return series.steps if options.axis == "step" else series.in_epoch_units()
                return self._by_time(session, name, series, options.axis)
            case "metric":
                return self._by_metric(session, name, series, options.x_metric)

    def _keep(
        self, key: tuple[str, str], sizes: tuple[int, ...], make: Callable[[], Sequence[float]]
    ) -> Sequence[float]:
        known = self._kept.get(key)
        if known is None or known[0] != sizes:
            known = self._kept[key] = (sizes, make())
        return known[1]

    def _by_time(self, session: Session, name: str, series: SystemSeries, axis: str) -> Sequence[float]:
        """System metrics on the step axis: the step that the job was at when the sample was taken."""
        counter = step_counter(session, axis, series.run)
        if counter is None:
            return array("d", [math.nan]) * len(series)
        steps = counter.steps if axis == "step" else counter.in_epoch_units()
        return self._keep(
            (axis, name),
            (len(series), len(counter)),
            lambda: _interpolated(series.times, counter.times, steps),
        )

    def _by_metric(
        self, session: Session, name: str, series: Series | SystemSeries, x_metric: str
    ) -> Sequence[float]:
        other = session.metrics.get(x_metric)
        if other is None:
            return array("d", [math.nan]) * len(series)
        by_steps = isinstance(series, Series) and series.has_steps and other.has_steps
        own, theirs = (
            (series.steps, other.steps)
            if by_steps and isinstance(series, Series)
            else (series.times, other.times)
        )
        return self._keep(
            (f"={x_metric}", name),
            (len(series), len(other)),
            lambda: _latest(own, theirs, other.values),
        )

    def _without_pauses(self, session: Session, name: str, series: Series | SystemSeries) -> Sequence[float]:
        counter = step_counter(session, "step", series.run) or next(iter(session.metrics.values()), None)
        if counter is None:
            return series.times
        pauses = find_pauses(counter.times)
        if not pauses:
            return series.times
        return self._keep(
            ("unpaused", name),
            (len(series), len(pauses)),
            lambda: array("d", [cut(t, pauses) for t in series.times]),
        )


def step_counter(session: Session, axis: str, run: str = "") -> Series | None:
    """Of one run, the series whose steps or epochs count its progress best: rising, timed, the most."""
    timed = [
        series
        for series in session.metrics.values()
        if series.run == run and series.has_times and series.has_steps
    ]
    found = [one for one in timed if (one.has_epochs if axis == "epoch" else not one.in_epochs)]
    if not found and axis == "step":
        found = timed
    return min(found, key=lambda series: (series.restarts, -len(series)), default=None)


def _interpolated(times: Sequence[float], known: Sequence[float], steps: Sequence[float]) -> array[float]:
    """The step at each time, on the straight line between the lines around it; NaN outside them."""
    pairs = [(t, step) for t, step in zip(known, steps, strict=True) if t == t and step == step]
    moments = [t for t, _ in pairs]
    result = array("d")
    for t in times:
        after = bisect_right(moments, t)
        if after == 0 or (after == len(pairs) and t > moments[-1]):
            result.append(math.nan)
            continue
        if after == len(pairs):
            result.append(pairs[-1][1])
            continue
        (t0, step0), (t1, step1) = pairs[after - 1], pairs[after]
        share = (t - t0) / (t1 - t0) if t1 > t0 else 0.0
        # A step that falls is a restart: nothing lies between its two sides.
        result.append(step0 + share * (step1 - step0) if step1 >= step0 else step0)
    return result


def _latest(own: Sequence[float], theirs: Sequence[float], values: Sequence[float]) -> array[float]:
    """For each of `own`, the value at the latest of `theirs` that is not after it."""
    pairs = sorted((x, index) for index, x in enumerate(theirs) if x == x)
    places = [x for x, _ in pairs]
    result = array("d")
    for x in own:
        after = bisect_right(places, x) if x == x else 0
        result.append(values[pairs[after - 1][1]] if after else math.nan)
    return result


def find_pauses(times: Sequence[float]) -> list[tuple[float, float]]:
    """Stretches (start, end) in which a job printed nothing for unusually long."""
    known = [t for t in times if t == t]
    steps = sorted(b - a for a, b in pairwise(known) if b > a)
    if not steps:
        return []
    longest = max(LEAST_PAUSE, PAUSE_FACTOR * steps[len(steps) // 2])
    return [(a, b) for a, b in pairwise(known) if b - a > longest]


def cut(t: float, pauses: Sequence[tuple[float, float]]) -> float:
    """A moment on the axis from which the pauses are cut out."""
    return t - sum(min(t, end) - start for start, end in pauses if t > start)
