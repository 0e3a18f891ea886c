"""The state that a session's events add up to: what the screen, `status` and `export` show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Facts,
    Gap,
    Header,
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
from floydtop.session.progress import ProgressState
from floydtop.session.series import Series, SystemSeries

LINES_KEPT = 5_000
MALFORMED_KEPT = 1_000
METRIC_NAMES_KEPT = 1_000


class Session:
    """What is known now of a job, built by applying its events one by one.

    Attributes:
        state: the job's state, None until the first word of it.
        exit: how the job ended, None while it runs or when nobody saw it end.
        metrics: training metrics and timings, by name, in order of appearance.
        progress: how far the job is and how fast; its step rate is among the metrics, too.
        system: system metrics, by the names of `floydtop.events.Sample`.
        unknown: system readings that the newest sample lacks: name -> reason.
        metric_lines: numbers of the kept lines that carried metrics.
        now: session time of the newest event.
        applied: how many events were taken into account: it changes when anything does.
        damaged: lines of the file that could not be read, as whoever reads it has counted them.
        strange: lines of a kind that a later floydtop may know.
        position: how far the recorder has read the log.
        earliest: session time of the first metric or sample whose time is known or estimated.
    """

    def __init__(self) -> None:
        self.header: Header | None = None
        self.segments = 0
        self.state: JobStateName | None = None
        self.exit: Exit | None = None
        self.state_since: float | None = None
        self.metrics: dict[str, Series] = {}
        self.progress = ProgressState(self.metrics)
        self.metric_names_dropped = 0
        self.system: dict[str, SystemSeries] = {}
        self.unknown: dict[str, str] = {}
        self.facts: Facts | None = None
        self.lines: deque[OutputLine] = deque(maxlen=LINES_KEPT)
        self.lines_seen = 0
        self.metric_lines: set[int] = set()
        self.malformed: deque[Malformed] = deque(maxlen=MALFORMED_KEPT)
        self.malformed_count = 0
        self.notes: deque[Note] = deque(maxlen=200)
        self.gaps: list[Gap] = []
        self.clocks: list[Clock] = []
        self.end: End | None = None
        self.position: Position | None = None
        self.damaged = 0
        self.strange = 0
        self.now = 0.0
        self.applied = 0
        self.earliest: float | None = None
        self._present: Present | None = None

    def apply_all(self, events: Iterable[Event]) -> None:
        """Apply events in order."""
        for event in events:
            # Nearly all events of a large session: 14 million of them are to be read in some seconds.
            if type(event) is Metrics:
                self._take_metrics(event)
                t = event.t
                if t is not None:
                    if t > self.now:
                        self.now = t
                    if self.earliest is None or t < self.earliest:
                        self.earliest = t
            else:
                self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        self.applied += 1
        match event:
            case Metrics():
                self.progress.take_metrics(event)
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
                self.state, self.state_since = event.state, event.t
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
            case End():
                self.end = event
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
            series = self.metrics.get(name)
            if series is None:
                if len(self.metrics) >= METRIC_NAMES_KEPT:
                    self.metric_names_dropped += 1
                    continue
                series = self.metrics[name] = Series(name, event.group)
            series.append(
                event.t,
                event.step,
                value,
                epoch=event.epoch,
                line=event.line,
                estimated=event.approximate,
            )
        if event.line:
            self.metric_lines.add(event.line)
            if len(self.metric_lines) > 4 * LINES_KEPT:
                # By number, not by the lines that are kept: those may be old, and a new log counts from 1.
                first = event.line - 2 * LINES_KEPT
                self.metric_lines = {line for line in self.metric_lines if first <= line <= event.line}

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
