"""Where the points of a series lie on the x-axis, also on axes that their lines did not print."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, islice, pairwise
from operator import le
from typing import Any, TypeVar

from floydtop.app.options import Options
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session

T = TypeVar("T")

LEAST_PAUSE = 60.0
"""Seconds: a shorter silence is no pause."""

PAUSE_FACTOR = 20.0
"""A pause is that much longer than the median time between two lines."""


YOUNG_SPANS = (120.0, 240.0, 360.0)
"""Seconds that the time axis of a live job shows while it is young. With each growth all charts are drawn
anew, 3 to 8 KB, so it grows every two minutes at most."""

FIRST_SPANS = (15.0, 30.0, 60.0)
"""The same while a job prints metric after metric in its first minute: somebody looks at them, and in two
minutes ten seconds of a curve are three cells."""

FLOWING = 5.0
"""Seconds after a metric in which the next one has to come for that."""


class Abscissa:
    """Finds the x-values of series for one session; what is costly is kept until the series change.

    Attributes:
        thrifty: whether the axis is to grow seldom, for a slow link.
        edition: changes when the places of points that were there before may have changed, because the
            series by which they are found was thinned or is another one.
    """

    def __init__(self) -> None:
        self.thrifty = False
        self.edition = 0
        self._span = 0.0
        self._kept: dict[tuple[str, str], tuple[object, Any]] = {}
        self._by: dict[tuple[str, str], object] = {}

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

    def young_span(self, session: Session, seconds: float) -> float | None:
        """Seconds of the time axis for so many that a live job has lasted; None when it is not young.

        From the first metric on it never shrinks: a job that prints something each ten seconds has the long
        axis from its first pause on.
        """
        spans: tuple[float, ...] = YOUNG_SPANS
        if seconds <= FIRST_SPANS[-1] and not self.thrifty and _flows(session):
            spans = FIRST_SPANS + YOUNG_SPANS
        span = next((span for span in spans if span >= max(seconds, self._span)), math.inf)
        self._span = span if session.metrics else 0.0
        return span if span < math.inf else None

    def extent(
        self, session: Session, name: str, series: Series | SystemSeries, options: Options
    ) -> tuple[float, float]:
        """The least and the greatest x-value, (inf, -inf) where no point has a place."""
        xs = self.xs(session, name, series, options)

        def find() -> tuple[float, float]:
            known = xs if math.isfinite(sum(xs)) else [x for x in xs if x == x]
            return min(known, default=math.inf), max(known, default=-math.inf)

        axis = (options.axis, options.x_metric, options.without_pauses)
        return self._keep(("extent", name), (axis, _state(series), id(xs), self.edition), find)

    def _keep(self, key: tuple[str, str], state: object, make: Callable[[], T]) -> T:
        known = self._kept.get(key)
        if known is None or known[0] != state:
            known = self._kept[key] = (state, make())
        found: T = known[1]
        return found

    def _found_by(self, axis: str, run: str, what: object) -> None:
        """Remember by what the places of a run's points are found now."""
        if self._by.get((axis, run)) != what:
            self._by[axis, run] = what
            self.edition += 1

    def _by_time(self, session: Session, name: str, series: SystemSeries, axis: str) -> Sequence[float]:
        """System metrics on the step axis: the step that the job was at when the sample was taken."""
        counter = step_counter(session, axis, series.run)
        if counter is None:
            return _nowhere(series)
        self._found_by(axis, series.run, (counter.name, counter.edition))
        steps = counter.steps if axis == "step" else counter.in_epoch_units()
        known = self._keep((axis, series.run), _state(counter), lambda: _known(counter.times, steps))
        return self._keep(
            (axis, name), (_state(series), _state(counter)), lambda: _interpolated(series.times, *known)
        )

    def _by_metric(
        self, session: Session, name: str, series: Series | SystemSeries, x_metric: str
    ) -> Sequence[float]:
        other = session.metrics.get(x_metric)
        if other is None:
            return _nowhere(series)
        self._found_by("metric", x_metric, other.edition)
        if other is series:
            return series.values
        by_steps = isinstance(series, Series) and series.has_steps and other.has_steps
        own, theirs = (
            (series.steps, other.steps)
            if by_steps and isinstance(series, Series)
            else (series.times, other.times)
        )
        known = self._keep(
            (f"={x_metric}", "steps" if by_steps else "times"),
            _state(other),
            lambda: _sorted(theirs, other.values),
        )
        return self._keep(
            (f"={x_metric}", f"of {name}"), (_state(series), _state(other)), lambda: _latest(own, *known)
        )

    def _without_pauses(self, session: Session, name: str, series: Series | SystemSeries) -> Sequence[float]:
        counter = step_counter(session, "step", series.run) or next(iter(session.metrics.values()), None)
        if counter is None:
            return series.times
        pauses = self._keep(("pauses", series.run), _state(counter), lambda: find_pauses(counter.times))
        if not pauses:
            return series.times
        self._found_by("unpaused", series.run, pauses)
        return self._keep(
            ("unpaused", name), (_state(series), pauses), lambda: _cut_out(series.times, pauses)
        )


def _flows(session: Session) -> bool:
    """Whether metrics come one after the other."""
    last = [series.times[-1] for series in session.metrics.values()]
    newest = max((t for t in last if t == t), default=-math.inf)
    return session.now - newest < FLOWING


def _state(series: Series | SystemSeries) -> tuple[int, int]:
    """What changes whenever a series does."""
    return len(series), series.edition


def _nowhere(series: Series | SystemSeries) -> array[float]:
    return array("d", [math.nan]) * len(series)


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


def _known(times: Sequence[float], steps: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points whose time and step are known."""
    if math.isfinite(sum(times)) and math.isfinite(sum(steps)):
        return list(times), list(steps)
    pairs = [(t, step) for t, step in zip(times, steps, strict=True) if t == t and step == step]
    return [t for t, _ in pairs], [step for _, step in pairs]


def _interpolated(times: Sequence[float], known: Sequence[float], steps: Sequence[float]) -> array[float]:
    """The step at each time, on the straight line between the known ones around it; NaN outside them."""
    result = array("d")
    for t in times:
        after = bisect_right(known, t)
        if after == 0 or (after == len(known) and t > known[-1]):
            result.append(math.nan)
            continue
        if after == len(known):
            result.append(steps[-1])
            continue
        t0, step0, t1, step1 = known[after - 1], steps[after - 1], known[after], steps[after]
        share = (t - t0) / (t1 - t0) if t1 > t0 else 0.0
        # A step that falls is a restart: nothing lies between its two sides.
        result.append(step0 + share * (step1 - step0) if step1 >= step0 else step0)
    return result


def _sorted(places: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Values in the order of their places, those without one left out."""
    if all(map(le, places, islice(places, 1, None))):
        return list(places), list(values)
    pairs = sorted((x, index) for index, x in enumerate(places) if x == x)
    return [x for x, _ in pairs], [values[index] for _, index in pairs]


def _latest(own: Sequence[float], theirs: Sequence[float], values: Sequence[float]) -> array[float]:
    """For each of `own`, the value at the latest of `theirs`, which rise, that is not after it."""
    below = [math.nan, *values]
    if all(map(le, own, islice(own, 1, None))):
        return array("d", [below[bisect_right(theirs, x)] for x in own])
    return array("d", [below[bisect_right(theirs, x)] if x == x else math.nan for x in own])


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


def _cut_out(times: Sequence[float], pauses: Sequence[tuple[float, float]]) -> array[float]:
    """The same of many moments: one search for each, however many pauses there are."""
    starts = [start for start, _ in pauses]
    gone = [0.0, *accumulate(end - start for start, end in pauses)]
    result = array("d")
    for t in times:
        count = bisect_left(starts, t)
        if count and t < pauses[count - 1][1]:
            result.append(starts[count - 1] - gone[count - 1])
        else:
            result.append(t - gone[count])
    return result
