"""The state that a session's events add up to: what the screen, `status` and `export` show."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from zlib import crc32

from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Facts,
    Gap,
    Header,
    History,
    JobState,
    JobStateName,
    Malformed,
    Metrics,
    Note,
    OutputLine,
    Position,
    Present,
    Progress,
    Sample,
)
from floydtop.session.batch import Batch
from floydtop.session.digest import Digest, digest
from floydtop.session.past import LogsPast
from floydtop.session.progress import ProgressState
from floydtop.session.series import Series, SystemSeries
from floydtop.session.thin import of_column

LINES_KEPT = 5_000
MALFORMED_KEPT = 1_000
METRIC_NAMES_KEPT = 1_000

NAMES_COUNTED = 100_000
"""Further names of metrics that are told from each other, so that they can be counted: 8 MB."""

POINTS_SHOWN = 400_000
"""Points that a screen's session keeps, of all metrics together: 20 MB, and a chart of 30,000 points is
smoothed and binned in some 5 ms."""

TICKS_SHOWN = 10_000
"""Ticks of one system metric that it keeps: a week at one a minute."""

_BATCH = 1 << 14
"""Events that are held at a time where they come one by one."""


class Session:
    """What is known now of a job, built by applying its events one by one.

    Args:
        most_points: points kept of all metrics together, beyond which they are thinned out (see
            `floydtop.session.thin`); None keeps every point.

    Attributes:
        state: the job's state, None until the first word of it.
        exit: how the job ended, None while it runs or when nobody saw it end.
        metrics: training metrics and timings, by name, in order of appearance.
        progress: how far the job is and how fast; its step rate is among the metrics, too.
        system: system metrics, by the names of `floydtop.events.Sample`.
        unknown: system readings that the newest sample lacks: name -> reason.
        now: session time of the newest event.
        applied: how many events were taken into account: it changes when anything does.
        damaged: lines of the file that could not be read, as whoever reads it has counted them.
        strange: lines of a kind that a later floydtop may know.
        position: how far the recorder has read the log.
        past: what is known of the log from before the recording.
        share_loaded: how much of the file has been applied, 0 to 1, as whoever reads it tells.
        earliest: session time of the first metric or sample whose time is known or estimated.
        dropped_names: checksums of the names of metrics of which nothing is kept.
        journal: if it is a list, all events but lines and metrics are noted in it, and the metrics that tell
            the progress something new.
    """

    def __init__(self, most_points: int | None = None) -> None:
        self.most_points = most_points
        self.header: Header | None = None
        self.segments = 0
        self.state: JobStateName | None = None
        self.exit: Exit | None = None
        self.metrics: dict[str, Series] = {}
        self.progress = ProgressState(self.metrics)
        self.system: dict[str, SystemSeries] = {}
        self.unknown: dict[str, str] = {}
        self.facts: Facts | None = None
        self.lines: deque[OutputLine] = deque(maxlen=LINES_KEPT)
        self.lines_seen = 0
        self._lines_told = array("q")
        self._metric_lines: set[int] | None = None
        self.malformed: deque[Malformed] = deque(maxlen=MALFORMED_KEPT)
        self.malformed_count = 0
        self.notes: deque[Note] = deque(maxlen=200)
        self.gaps: list[Gap] = []
        self.clocks: list[Clock] = []
        self.end: End | None = None
        self.position: Position | None = None
        self.past = LogsPast()
        self.damaged = 0
        self.strange = 0
        self.share_loaded = 1.0
        self.now = 0.0
        self.applied = 0
        self.earliest: float | None = None
        self.journal: list[Event] | None = None
        self._present: Present | None = None
        self.dropped_names: set[int] = set()
        self._group = 0

    def apply_all(self, events: Iterable[Event]) -> None:
        """Apply events in order; of many metrics at once each costs 0.5 us."""
        if isinstance(events, list):
            self.take(digest(events))
            return
        rest = iter(events)
        while batch := list(islice(rest, _BATCH)):
            self.take(digest(batch))

    def take(self, told: Digest) -> None:
        """Apply a stretch of events: its metrics column by column, what is between them one by one."""
        if told.batch is None:
            for event in told.others:
                self.apply(event)
        else:
            self._take_columns(told.batch, told.others, told.places)
        self.damaged += told.damaged
        self.strange += told.strange
        if self.most_points is not None:
            self._thin(self.most_points)

    def _take_columns(self, batch: Batch, others: list[Event], places: list[int]) -> None:
        self.applied += len(batch)
        for name, group, first, points in batch.series():
            self.progress.give_way((name,))
            is_new = name not in self.metrics
            series = self._series(name, group)
            if series is None:
                continue
            if is_new:
                told = [getattr(event, "t", None) for event in others[: bisect_right(places, first)]]
                known = (t for t in (*batch.times[:first], *told) if t is not None and t == t)
                series.begun = max(self.now, max(known, default=self.now))
            series.extend(points)
        times: Sequence[float] = batch.times if batch.rising else [t for t in batch.times if t == t]
        if times:
            low, high = (times[0], times[-1]) if batch.rising else (min(times), max(times))
            self.now = max(self.now, high)
            self.earliest = low if self.earliest is None else min(self.earliest, low)
        self._note_metric_lines(batch.lines[-2 * LINES_KEPT :])
        done = 0
        for event, place in zip(others, places, strict=True):
            if not isinstance(event, OutputLine | Malformed | History):
                # What others mean for the progress, and when they came, depends on the metrics before them.
                self._pace(batch, done, place)
                done = place
            self.apply(event)
        self._pace(batch, done, len(batch))

    def _pace(self, batch: Batch, start: int, stop: int) -> None:
        """Tell the progress of the metrics at these places, of those that matter."""
        progress = self.progress
        while (start := batch.telling(start, stop, progress.due, progress.epoch_told)) < stop:
            self._tell_progress(batch.record(start))
            start += 1

    def _tell_progress(self, event: Metrics) -> None:
        if self.journal is not None and self.progress.heeds(event):
            self.journal.append(event)
        self.progress.take_metrics(event)

    def _series(self, name: str, group: str) -> Series | None:
        """The series of that name, a new one if need be; None when there are too many."""
        series = self.metrics.get(name)
        if series is None:
            if len(self.metrics) >= METRIC_NAMES_KEPT:
                if len(self.dropped_names) < NAMES_COUNTED:
                    self.dropped_names.add(crc32(name.encode("utf-8", "surrogatepass")))
                return None
            series = self.metrics[name] = Series(name, group)
            series.begun = self.now
        return series

    @property
    def metric_names_dropped(self) -> int:
        """How many further metrics there are, of which nothing is kept; counted up to `NAMES_COUNTED`."""
        return len(self.dropped_names)

    def _thin(self, most: int) -> None:
        """Thin out what is too much: the longest series, down to what leaves every one its share."""
        sizes = sorted(map(len, self.metrics.values()))
        if sum(sizes) > most:
            self._group = self._group or int(5 * sum(sizes) / (most * max(self.share_loaded, 1e-3)))
            left, share = most, 0
            for place, size in enumerate(sizes):
                share = left // (len(sizes) - place)
                if size > share:
                    break
                left -= size
            for series in self.metrics.values():
                series.thin(share, self._group)
        for system in self.system.values():
            system.thin(TICKS_SHOWN)

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        self.applied += 1
        match event:
            case Metrics():
                self._tell_progress(event)
                self._take_metrics(event)
            case OutputLine():
                self._take_line(event)
            case Sample():
                self._take_sample(event)
            case Malformed():
                self.malformed.append(event)
                self.malformed_count += 1
            case Header():
                self._take_header(event)
            case Facts():
                self.facts = event
            case JobState():
                self.state = event.state
                self.exit = event.exit
                self.progress.take_state(event)
            case Progress():
                self.progress.take_progress(event)
            case Note():
                self.notes.append(event)
            case Clock():
                self.clocks.append(event)
            case Position():
                self.position = event
            case Gap():
                self.gaps.append(event)
            case History():
                self._take_history(event)
            case End():
                self.end = event
        if self.journal is not None and not isinstance(event, Metrics | OutputLine | Malformed | History):
            self.journal.append(event)
        t = getattr(event, "t", None)
        if t is None:
            return
        self.now = max(self.now, t)
        if isinstance(event, Metrics | Sample) and (self.earliest is None or t < self.earliest):
            self.earliest = t

    def _take_header(self, header: Header) -> None:
        if self.header is None:
            self.header = header
        self.segments += 1
        self.end = None
        self.progress.take_header(header)

    def _take_metrics(self, event: Metrics) -> None:
        for name, value in event.values.items():
            series = self._series(name, event.group)
            if series is not None:
                series.append(
                    event.t,
                    event.step,
                    value,
                    epoch=event.epoch,
                    line=event.line,
                    estimated=event.approximate,
                )
        if event.line:
            self._note_metric_lines((event.line,))

    @property
    def metric_lines(self) -> set[int]:
        """Numbers of the newest lines that carried metrics, all among the kept ones included."""
        if self._metric_lines is None:
            # Made when somebody looks: to keep it up to date costs 25 ns for each of a million lines.
            self._metric_lines = set(self._lines_told) - {0}
        return self._metric_lines

    @metric_lines.setter
    def metric_lines(self, lines: set[int]) -> None:
        self._metric_lines = lines

    def _note_metric_lines(self, lines: Iterable[int]) -> None:
        self._metric_lines = None
        self._lines_told.extend(lines)
        if len(self._lines_told) > 4 * LINES_KEPT:
            del self._lines_told[: -2 * LINES_KEPT]

    def _take_history(self, event: History) -> None:
        """Put a stretch of the log's past before what there is."""
        dropped = self.past.take(event)
        if dropped is None:
            return
        self.malformed_count += event.malformed
        self.progress.give_way(event.columns)
        for name, count in dropped.items():
            if name in self.metrics:
                self.metrics[name].drop_samples(count)
        for name, column in event.columns.items():
            series, points = self._series(name, column.group), of_column(column)
            if series is None:
                continue
            series.put_before(points, estimated=column.approximate, sampled=event.sampled)
            known = [t for t in points.times if t == t]
            if known:
                self.earliest = min(known) if self.earliest is None else min(self.earliest, min(known))
                self.now = max(self.now, max(known))

    def _take_line(self, line: OutputLine) -> None:
        self.lines.append(line)
        self.lines_seen += 1

    def _take_sample(self, sample: Sample) -> None:
        for name, (mean, low, high) in sample.values.items():
            series = self.system.get(name)
            if series is None:
                series = self.system[name] = SystemSeries(name)
            series.append(sample.t, mean, low, high)
        self.unknown = sample.unknown

    @property
    def present(self) -> Present | None:
        """The present reading of a live recording, which knows the progress up to now."""
        return self._present

    @present.setter
    def present(self, present: Present | None) -> None:
        self._present = present
        if present is not None and present.progress is not None:
            self.progress.take_progress(present.progress)

    def number_of(self, line: int) -> int | None:
        """The number that a line has in its log, None while that is not known.

        Args:
            line: as the recording numbers it, which may have begun in the middle of a huge log.
        """
        if self.position is None or not self.position.begun:
            return line
        before = self.past.lines_before
        return None if before is None else before + line + (line < 0)

    def wall(self, t: float) -> float:
        """Unix time at session time t, by the last word of the clock before it."""
        known = [clock for clock in self.clocks if clock.t <= t] or self.clocks[:1]
        if known:
            return t + known[-1].wall - known[-1].t
        return t + (self.header.t0 if self.header is not None else 0.0)

    @property
    def origin(self) -> float:
        """Session time at which the job's elapsed time is zero: its start, or what is known of it first."""
        job = self.header.job if self.header else None
        return job.t if job is not None and job.t is not None else min(0.0, self.earliest or 0.0)

    @property
    def finished(self) -> bool:
        """Whether the recording was closed."""
        return self.end is not None

    @property
    def name(self) -> str:
        """What to call the job: its script or the log's name; raw text."""
        if self.header is None:
            return "?"
        if self.header.job is not None and self.header.job.command:
            return " ".join(self.header.job.command)
        return self.header.log.path if self.header.log is not None else "?"
