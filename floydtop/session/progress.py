"""How far a job is, how fast, and how long it will take, from what it has printed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from copy import copy
from statistics import median

from floydtop.events import Header, JobState, Metrics, Progress
from floydtop.session.bars import Bars
from floydtop.session.pace import Mark, Pace, pace
from floydtop.session.series import Series

MARK_EVERY = 0.4
"""Seconds between two marks at least; later, a thousandth of the time that the session lasts."""

RATE_EVERY = 1.0
"""Seconds between two points of the step rate at least, and later likewise."""

MOST_MARKS = 2_000

RATES = 31
"""Intervals over which the step rate is a median: some of them are validations, or a full disk."""

LEAST_RATES = 3

STEPS_PER_SECOND = "steps_per_second"
SECONDS_PER_STEP = "seconds_per_step"

BAR = ""
"""What counts the steps: training's bar, else the metric whose lines tell a step."""


class ProgressState:
    """A job's progress, kept up to date event by event.

    Args:
        metrics: where the step rate is put as two series of the group `timing`, unless the job prints
            metrics of these names itself.

    Attributes:
        latest: what the job said last, None before it said anything.
        share: how much of the run is done, 0 to 1; None while the whole is not known.
    """

    def __init__(self, metrics: dict[str, Series]) -> None:
        self.latest: Progress | None = None
        self.share: float | None = None
        self._metrics = metrics
        self._derived: dict[str, Series] = {}
        self._deriving = True
        self._bars = Bars()
        self._marks: list[Mark] = []
        self._newest: Mark | None = None
        self._pace: Pace | None = None
        self._job_start: float | None = None
        self._ended = False
        self._stopped_at: float | None = None
        self._stopped_for = 0.0
        self._next_mark = -math.inf
        self._next_rate = -math.inf
        self._rates: deque[float] = deque(maxlen=RATES)
        self._counter: str | None = None
        self._counted: tuple[float, int] | None = None
        self._strangers = 0

    def take_header(self, header: Header) -> None:
        """A segment begins; the first one tells when the job did."""
        if header.job is not None and self._job_start is None:
            self._job_start = header.job.t
        self._ended = False

    def take_state(self, state: JobState) -> None:
        """Time in which the job is stopped is no time that its work takes; an ended job has none left."""
        self._ended = state.state == "exited"
        if state.state == "stopped":
            self._stopped_at = state.t if self._stopped_at is None else self._stopped_at
        elif self._stopped_at is not None:
            self._stopped_for += max(0.0, state.t - self._stopped_at)
            self._stopped_at = self._counted = None

    def take_progress(self, progress: Progress) -> None:
        """What the job says of how far it is."""
        if progress == self.latest:
            return
        self.latest = progress
        place = self._bars.place(progress)
        self.share = min(1.0, place.done / place.total) if place is not None else None
        if place is not None and place.restarted:
            self._marks.clear()
            self._newest = self._pace = None
        if progress.t is None:
            return
        if place is not None:
            self._mark(Mark(self._working(progress.t), place.done, self._bars.breaks), progress.t)
        if self._bars.step is not None:
            self._count(BAR, progress.t, self._bars.step)

    def give_way(self, names: Collection[str]) -> None:
        """The job prints metrics of these names itself: its own word counts for more."""
        for name in [name for name in self._derived if name in names]:
            del self._metrics[name], self._derived[name]

    def heeds(self, metrics: Metrics) -> bool:
        """Whether these metrics may make a difference."""
        if metrics.group == "timing":
            return False
        if metrics.step is None:
            return metrics.epoch != self._bars.epoch_told
        return metrics.t is not None and metrics.t >= self.due and not metrics.approximate

    def take_metrics(self, metrics: Metrics) -> None:
        """A line with metrics: where no bar counts the steps, its own step does."""
        if metrics.group == "timing":
            self.give_way(metrics.values)
            return
        if metrics.step is None:
            self._bars.epoch_told = metrics.epoch
            return
        # Asked for each of a million lines, so nothing more for all but about one in a second.
        t = metrics.t
        if t is not None and t >= self._next_rate and self._counter != BAR and not metrics.approximate:
            self._count(next(iter(metrics.values), "?"), t, metrics.step)

    @property
    def due(self) -> float:
        """Session time before which no step that a metric's line tells makes a difference; inf: none does."""
        return math.inf if self._counter == BAR else self._next_rate

    @property
    def epoch_told(self) -> float | None:
        """The epoch of the newest metrics that told no step."""
        return self._bars.epoch_told

    def copy(self) -> ProgressState:
        """The same state, which goes its own way from here and makes no metrics."""
        twin = copy(self)
        twin._bars = self._bars.copy()
        twin._marks = self._marks[:]
        twin._rates = self._rates.copy()
        twin._metrics, twin._derived, twin._deriving = {}, {}, False
        return twin

    @property
    def steps_per_second(self) -> float | None:
        """The usual step rate of late: validations and other pauses do not lower it."""
        seconds = self.seconds_per_step
        return 1 / seconds if seconds else None

    @property
    def seconds_per_step(self) -> float | None:
        """The usual time of a step of late."""
        return median(self._rates) if len(self._rates) >= LEAST_RATES else None

    def eta_seconds(self, now: float) -> float | None:
        """Seconds until the end, with validations and whatever else recurs; None when that is not known.

        Args:
            now: session time.
        """
        place, newest = self._bars.latest, self._newest
        if self._ended or place is None or newest is None:
            return None
        if self._pace is None:
            self._pace = pace(self._observed(newest), epochs=self._bars.in_epochs)
        if self._pace is None:
            return None
        left = self._pace.left(newest.position, place.total)
        # What goes on has gone on for a while already; if it hangs, nobody knows for how long.
        under_way = min(max(0.0, self._working(now) - newest.t), self._pace.longest)
        return max(0.0, left - under_way)

    def _working(self, t: float) -> float:
        """Session time without that in which the job was stopped."""
        return (t if self._stopped_at is None else min(t, self._stopped_at)) - self._stopped_for

    def _mark(self, mark: Mark, t: float) -> None:
        newest = self._newest
        if newest is not None and (mark.position <= newest.position or mark.t <= newest.t):
            return
        self._newest, self._pace = mark, None
        if t < self._next_mark and self._marks:
            return
        self._next_mark = t + max(MARK_EVERY, t / 1000)
        self._marks.append(mark)
        if len(self._marks) > MOST_MARKS:
            del self._marks[1::2]

    def _observed(self, newest: Mark) -> list[Mark]:
        """The marks, with the newest one, and with the job's start as long as that fits to them."""
        marks = self._marks if self._marks[-1] is newest else [*self._marks, newest]
        first = marks[0]
        if self._job_start is None or self._job_start >= first.t or first.position <= 0:
            return marks
        start = Mark(self._job_start, 0.0)
        seen = pace(marks, epochs=False) if len(marks) > 5 else None
        if seen is not None and (first.t - start.t) / first.position < seen.unit / 1.5:
            # It went on from a checkpoint: what had been done when it started nobody saw.
            return marks
        return [start, *marks]

    def _count(self, counter: str, t: float, step: int) -> None:
        """One reading of a step counter; those of training and validation are not mixed up."""
        if counter != self._counter:
            self._strangers += 1
            if counter != BAR and self._counter is not None and self._strangers < 10:
                return
            self._counter, self._counted = counter, None
            self._rates.clear()
        self._strangers = 0
        before = self._counted
        if before is not None and step > before[1] and t < self._next_rate:
            return
        self._counted = t, step
        self._next_rate = t + max(RATE_EVERY, t / 1000)
        if before is None or step <= before[1] or t <= before[0]:
            return
        seconds = (t - before[0]) / (step - before[1])
        if 0 < seconds < math.inf and 1 / seconds < math.inf:
            self._rates.append(seconds)
            self._derive(t, step, seconds)

    def _derive(self, t: float, step: int, seconds: float) -> None:
        """Add to the step rate as metrics."""
        if not self._deriving or len(self._rates) < LEAST_RATES:
            return
        for name, value in ((STEPS_PER_SECOND, 1 / seconds), (SECONDS_PER_STEP, seconds)):
            if name not in self._metrics:
                self._metrics[name] = self._derived[name] = Series(name, "timing")
            if name in self._derived:
                self._derived[name].append(t, step, value)
