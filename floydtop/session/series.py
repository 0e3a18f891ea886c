"""One metric's points, as columns of time, step and value; many of them thinned so that memory is bounded."""

from __future__ import annotations

import math
from array import array

from floydtop.session.batch import Stretch
from floydtop.session.sums import Sums, sums_of
from floydtop.session.system import SystemSeries
from floydtop.session.thin import Points, keep, taken

__all__ = ["LEAST_KEPT", "Series", "SystemSeries"]

_NAN = math.nan

_FIRST_GROUP = 4
"""Points of which two stay when a series is thinned for the first time."""

LEAST_KEPT = 64
"""Points that a series keeps at least, however many series there are."""

MILESTONE = 1024
"""Points between two places at which a series that is replayed knows its sums."""


class Series:
    """The points of one metric in the order of the log.

    What sums them up is counted when somebody asks, over the points that are new since: two million points
    load twice as fast as with everything counted at each one. It stays exact when points are thinned away.

    Attributes:
        run: the run that it belongs to, where several are compared.
        times: seconds of session time, NaN where not known.
        steps: step, or epoch where the job counts epochs, NaN where the line carried neither.
        epochs: the epoch of each point, NaN where its line told none; None when none did.
        lines: number of the log's line that told each point, 0 where it is not known.
        values: the values; NaN and infinities are kept, they are news.
        means, weights: what each point stands for, see `floydtop.session.thin`; None: only for itself.
        begun: session time of the newest event before its first point.
        edition: changes whenever points that were there before change; a series that only grew keeps it.
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
        self.means: array[float] | None = None
        self.weights: array[float] | None = None
        self.begun = 0.0
        self.edition = 0
        self.has_times = False
        self.has_steps = False
        self.has_estimates = False
        self.in_epochs = False
        self._sums = Sums()
        self._samples = 0
        self._summed_to = 0
        self._thinned_to = 0
        self._group = _FIRST_GROUP
        self._milestones: list[Sums] = []

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
            if self.epochs is None:
                self.epochs = array("d", [_NAN]) * len(self.values)
            self.in_epochs = step is None
            step = epoch if step is None else step
        if self.epochs is not None:
            self.epochs.append(_NAN if epoch is None else epoch)
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
        if self.means is not None and self.weights is not None:
            self.means.append(value if value - value == 0.0 else _NAN)
            self.weights.append(1.0)
        self.times.append(t)
        self.steps.append(step)
        self.values.append(value)
        self.lines.append(line)

    def extend(self, more: Stretch) -> None:
        """Add points column by column: a tenth of the time of one by one."""
        if more.epochs is not None and _any_known(more.epochs):
            if self.epochs is None:
                self.epochs = array("d", [_NAN]) * len(self.values)
            self.epochs += more.epochs
            self.in_epochs = more.in_epochs
        elif self.epochs is not None:
            self.epochs += array("d", [_NAN]) * len(more.values)
        self.has_times = self.has_times or _any_known(more.times)
        self.has_steps = self.has_steps or _any_known(more.steps)
        self.has_estimates = self.has_estimates or more.estimated
        self.times += more.times
        self.steps += more.steps
        self.values += more.values
        self.lines += more.lines
        if self.means is not None and self.weights is not None:
            self.means += _own_means(more.values)
            self.weights += array("d", [1.0]) * len(more.values)

    # -- the past of a log, read out of order ---------------------------------------------------------

    def put_before(self, points: Points, *, estimated: bool, sampled: bool = False) -> None:
        """Insert points that come before all that are there, but behind the samples of what is still older.

        Args:
            points: with steps and epochs as the lines told them.
            sampled: they are samples themselves: they count in no sum, until the points they stand for
                are there.
        """
        if not len(points):
            return
        whole = self._summed()
        place, size = self._samples, len(points)
        steps = points.steps[:]
        if points.epochs is not None:
            in_epochs = False
            for index, epoch in enumerate(points.epochs):
                if epoch == epoch:
                    in_epochs = steps[index] != steps[index]
                    steps[index] = epoch if in_epochs else steps[index]
            if self.epochs is None:
                self.in_epochs = in_epochs
        if points.epochs is not None or self.epochs is not None:
            own = self.epochs if self.epochs is not None else array("d", [_NAN]) * len(self)
            own[place:place] = points.epochs or array("d", [_NAN]) * size
            self.epochs = own
        if points.weights is not None and self.weights is None:
            self.means, self.weights = _own_means(self.values), array("d", [1.0]) * len(self)
        if self.means is not None and self.weights is not None:
            self.means[place:place] = points.means or _own_means(points.values)
            self.weights[place:place] = points.weights or array("d", [1.0]) * size
        self.times[place:place] = points.times
        self.steps[place:place] = steps
        self.values[place:place] = points.values
        self.lines[place:place] = points.lines
        self.has_times = self.has_times or _any_known(points.times)
        self.has_steps = self.has_steps or _any_known(steps)
        self.has_estimates = self.has_estimates or estimated
        self._summed_to += size
        self._thinned_to += size
        self.begun = 0.0
        self.edition += 1
        if sampled:
            self._samples += size
        else:
            self._sums = sums_of(points.values, steps, points.means, points.weights).joined(whole)

    def drop_samples(self, count: int) -> None:
        """Take away the newest samples: the points that they stand for are about to come."""
        self._summed()
        count = min(count, self._samples)
        gone = slice(self._samples - count, self._samples)
        for column in (self.times, self.steps, self.values, self.lines):
            del column[gone]
        for more in (self.epochs, self.means, self.weights):
            if more is not None:
                del more[gone]
        self._samples -= count
        self._summed_to -= count
        self._thinned_to = max(self._samples, self._thinned_to - count)
        self.edition += 1

    # -- bounded memory -------------------------------------------------------------------------------

    def thin(self, most: int, group: int = 0) -> None:
        """Leave at most `most` points, the newest eighth of them as they came.

        What was thinned before is thinned again only when it takes more than half of the room, in groups
        twice as large; so each point is looked at about twice, however many come.

        Args:
            group: how many points are to make a group at least: whoever knows how many will come saves
                thinning again and again.
        """
        most = max(most, LEAST_KEPT)
        if len(self) <= most:
            return
        self._group = max(self._group, group)
        all_summed = self._summed_to > self._thinned_to
        if all_summed:
            self._summed()
        start, exact = self._thinned_to, len(self) - most // 8
        if exact > start:
            self._thinned_to += self._thin_between(start, exact, exact=True)
            if not all_summed:
                # What stays amounts to as much as what there was, and takes less time to sum up.
                self._sums = self._sums.joined(self._sums_between(start, self._thinned_to))
        while self._thinned_to - self._samples > most // 2:
            self._group *= 2
            self._thinned_to = self._samples + self._thin_between(self._samples, self._thinned_to)
        self._summed_to = len(self) if all_summed else self._thinned_to
        self.edition += 1

    def _thin_between(self, start: int, stop: int, *, exact: bool = False) -> int:
        """Thin the points at these places, which stand for themselves if they are `exact`; how many stay."""
        means = None if exact or self.means is None else self.means[start:stop]
        weights = None if exact or self.weights is None else self.weights[start:stop]
        kept = keep(self.values[start:stop], means, weights, self._group)
        if len(kept.places) == stop - start:
            return stop - start
        if self.means is None or self.weights is None:
            self.means, self.weights = _own_means(self.values), array("d", [1.0]) * len(self)
        places = [start + place for place in kept.places]
        self.means[start:stop], self.weights[start:stop] = kept.means, kept.weights
        for column in (self.times, self.steps, self.values, self.epochs):
            if column is not None:
                column[start:stop] = taken(column, places)
        self.lines[start:stop] = array("q", map(self.lines.__getitem__, places))
        return len(places)

    def show(self, whole: Series, count: int) -> None:
        """Become the first `count` points of a series that does not change any more.

        Going on from fewer points only adds to them. All of them are not copied but shared: 20 MB in a
        session of 400,000.
        """
        have = len(self)
        if count < have:
            self.edition += 1
            self._sums, self._summed_to = whole.summed_before(count)
        for name in ("times", "steps", "values", "lines", "epochs", "means", "weights"):
            column = getattr(whole, name)
            if column is not None and count < len(column):
                shown = getattr(self, name)
                column = column[:count] if count < have or shown is None else shown + column[have:count]
            setattr(self, name, column)
        self._samples = min(whole._samples, count)
        if count == len(whole):
            self._sums, self._summed_to = whole._summed(), count
        self._summed_to = max(self._summed_to, self._samples)
        self.has_times = whole.has_times and _any_known(self.times)
        self.has_steps = whole.has_steps and _any_known(self.steps)
        self.has_estimates, self.in_epochs = whole.has_estimates, whole.in_epochs

    def summed_before(self, count: int) -> tuple[Sums, int]:
        """The sums of some of the first `count` points, and of how many: all but a few of them.

        For a series that does not change any more: to sum up all 400,000 points of a session took 15 ms of
        the 40 of each step back in a replay.
        """
        known = self._milestones
        first = self._samples + len(known) * MILESTONE
        for place in range(first, count - MILESTONE + 1, MILESTONE):
            further = self._sums_between(place, place + MILESTONE)
            known.append(known[-1].joined(further) if known else further)
        place = min(len(known), max(0, count - self._samples) // MILESTONE)
        return (known[place - 1], self._samples + place * MILESTONE) if place else (Sums(), 0)

    # -- what they amount to --------------------------------------------------------------------------

    def _summed(self) -> Sums:
        if self._summed_to < len(self):
            self._sums = self._sums.joined(self._sums_between(self._summed_to, len(self)))
            self._summed_to = len(self)
        return self._sums

    def _sums_between(self, start: int, stop: int) -> Sums:
        return sums_of(
            self.values[start:stop],
            self.steps[start:stop],
            None if self.means is None else self.means[start:stop],
            None if self.weights is None else self.weights[start:stop],
        )

    @property
    def count(self) -> int:
        """How many points there were; of those of which only samples are known, none counts."""
        return round(self._summed().count)

    @property
    def minimum(self) -> float:
        """The least finite value, inf when there is none."""
        return min(self._summed().minimum, self._of_samples().minimum)

    @property
    def maximum(self) -> float:
        """The greatest finite value, -inf when there is none."""
        return max(self._summed().maximum, self._of_samples().maximum)

    @property
    def not_finite(self) -> int:
        """How many values are NaN or infinite."""
        return round(self._summed().not_finite)

    @property
    def step_low(self) -> float:
        """The lowest known step, inf when there is none."""
        return min(self._summed().step_low, self._of_samples().step_low)

    @property
    def step_high(self) -> float:
        """The highest known step, -inf when there is none."""
        return max(self._summed().step_high, self._of_samples().step_high)

    def _of_samples(self) -> Sums:
        return sums_of(self.values[: self._samples], self.steps[: self._samples]) if self._samples else Sums()

    @property
    def restarts(self) -> int:
        """How often the step fell: a resume, or a counter that starts again each epoch."""
        return self._summed().restarts

    @property
    def mean(self) -> float:
        """Mean of the finite values, NaN when there is none."""
        sums = self._summed()
        finite = sums.count - sums.not_finite
        return sums.total / finite if finite else _NAN

    def in_epoch_units(self) -> array[float]:
        """The epoch of each point, NaN where its line told none."""
        return self.epochs if self.epochs is not None else array("d", [_NAN]) * len(self)

    @property
    def has_epochs(self) -> bool:
        """Whether any point's line told its epoch."""
        return self.epochs is not None

    @property
    def last(self) -> float:
        """The newest value, NaN when there is none."""
        return self.values[-1] if self.values else _NAN

    @property
    def last_step(self) -> float | None:
        """The newest step or epoch."""
        return self.steps[-1] if self.steps and not math.isnan(self.steps[-1]) else None


def _any_known(column: array[float]) -> bool:
    return any(value == value for value in column)


def _own_means(values: array[float]) -> array[float]:
    if math.isfinite(sum(values)):
        return values[:]
    return array("d", (value if value - value == 0.0 else _NAN for value in values))
