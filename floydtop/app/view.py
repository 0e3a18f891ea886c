"""What all charts of a screen share at one moment: the session, and how its charts are wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from floydtop.app.abscissa import Abscissa
from floydtop.app.options import Options
from floydtop.app.panels import PanelSpec
from floydtop.events import Present
from floydtop.plot.scale import nice_ticks, time_ticks, x_range
from floydtop.plot.units import format_clock, format_duration, format_step, format_value, local_midnight
from floydtop.session.series import Series, SystemSeries
from floydtop.session.session import Session

ONE_DOT = 0.006
"""Share of a chart that a column of dots takes, or a little more: a cursor there is not before its point."""

NEAR_START = 0.15
"""Share of the time axis within which a first point counts as the job's start: the axis begins with 0 s."""


@dataclass(frozen=True)
class View:
    """One moment of a session, as its charts are to draw it."""

    session: Session
    trace: Sequence[Present]
    """Present readings since the last recorded sample."""
    live: bool
    options: Options = field(default_factory=Options)
    abscissa: Abscissa = field(default_factory=Abscissa)
    glyphs: str = "braille"

    @property
    def on_time(self) -> bool:
        """Whether x is session time."""
        return self.options.axis in ("time", "clock")

    def series(self, spec: PanelSpec, name: str) -> Series | SystemSeries | None:
        """The series of that name, None before its first point."""
        found = self.session.system if spec.kind == "system" else self.session.metrics
        return found.get(name)

    def xs(self, spec: PanelSpec, name: str) -> Sequence[float]:
        """The x-values of a series' points."""
        series = self.series(spec, name)
        return self.abscissa.xs(self.session, name, series, self.options) if series is not None else ()

    def log_scale(self, spec: PanelSpec) -> bool:
        """Whether its y-axis is logarithmic: shares and bytes of the system are seen against zero always."""
        return self.options.log and spec.kind != "system"

    def shared_values(self) -> tuple[float, float]:
        """The least and the largest value of all training metrics: one scale for all."""
        series = [one for one in self.session.metrics.values() if one.group == "training"]
        low = min((one.minimum for one in series), default=math.nan)
        return low, max((one.maximum for one in series), default=math.nan)

    def running(self, spec: PanelSpec) -> list[tuple[str, float, float]]:
        """Values of a bar that is not finished: (name, x, value), those that have a place on this axis."""
        present = self.session.present
        if present is None or self.options.axis == "metric" or spec.kind == "system":
            return []
        found = []
        for event in present.metrics:
            step = event.step if event.step is not None else event.epoch
            x = self.session.now if self.on_time else event.epoch if self.options.axis == "epoch" else step
            if x is None or self.options.without_pauses:
                continue
            found += [
                (name, float(x), event.values[name])
                for name in spec.names
                if name in event.values and not self._is_newest(name, event.values[name], step)
            ]
        return found

    def _is_newest(self, name: str, value: float, step: float | None) -> bool:
        """Whether that is a metric's last point already: a line whose end came a moment after its text."""
        series = self.session.metrics.get(name)
        return series is not None and (series.last, series.last_step) == (value, step)

    def whole_range(self, spec: PanelSpec) -> tuple[float, float]:
        """All of the x-axis: on time axes the same for all panels, else that of the panel's own series."""
        if self.on_time and not self.options.without_pauses:
            low = self.session.earliest if self.session.earliest is not None else 0.0
            high = max(self.session.now, low)
            if self.live and (span := self.abscissa.young_span(self.session, high - low)) is not None:
                high = low + span
            else:
                low, high = x_range(low, high, live=self.live)
            origin = self.session.origin
            return (origin if 0 < low - origin <= NEAR_START * (high - low) else low), high
        low, high = math.inf, -math.inf
        for name in spec.names:
            series = self.series(spec, name)
            if self.options.axis == "step" and isinstance(series, Series):
                # Kept by the series: no need to look at a million steps.
                low, high = min(low, series.step_low), max(high, series.step_high)
                continue
            if series is not None:
                first, last = self.abscissa.extent(self.session, name, series, self.options)
                low, high = min(low, first), max(high, last)
        for _, x, _ in self.running(spec):
            low, high = min(low, x), max(high, x)
        return x_range(low, high, live=self.live) if low <= high else (0.0, 1.0)

    def x_range(self, spec: PanelSpec) -> tuple[float, float]:
        """The part of the x-axis that is in view."""
        low, high = self.whole_range(spec)
        start, end = self.options.window
        if self.options.zoomed and end >= 1.0:
            # At the right end the newest points stay in view, also where the axis has room to grow.
            high = min(high, max(self._newest(spec), low + (high - low) * 1e-9))
        return low + start * (high - low), low + end * (high - low)

    def _newest(self, spec: PanelSpec) -> float:
        if self.on_time:
            return self.session.now
        last = [x for name in spec.names for x in self.xs(spec, name)[-1:] if x == x]
        return max(last, default=math.inf)

    def newest_place(self, spec: PanelSpec) -> float:
        """Just behind a panel's newest point, as a share of what is in view: it may have room to grow."""
        low, high = self.x_range(spec)
        if not low < high:
            return 1.0
        return max(0.0, min(1.0, (self._newest(spec) - low) / (high - low) + ONE_DOT))

    def ticks(self, low: float, high: float, count: int) -> list[tuple[float, str]]:
        """Positions and labels for an x-axis."""
        match self.options.axis:
            case "time":
                origin = self.session.origin
                return [(x, format_duration(x - origin)) for x in time_ticks(low, high, count, origin=origin)]
            case "clock":
                ahead = self.session.wall(high) - high
                midnight = local_midnight(low + ahead) - ahead
                ticks = time_ticks(low, high, count, origin=midnight)
                return [(x, format_clock(self.session.wall(x), high - low)) for x in ticks]
            case "metric":
                return [(x, format_value(x)) for x in nice_ticks(low, high, count)]
            case _:
                return [(x, format_step(x)) for x in nice_ticks(low, high, count, integer=True)]

    def moment(self, x: float) -> str:
        """One x-value in words."""
        if math.isnan(x):
            return "-"
        match self.options.axis:
            case "time":
                return format_duration(x - self.session.origin)
            case "clock":
                return format_clock(self.session.wall(x), 600)
            case "metric":
                return format_value(x)
            case _:
                return format_step(round(x))

    def x_label(self, spec: PanelSpec) -> str:
        """What x means in a panel."""
        match self.options.axis:
            case "time":
                cut = ", pauses cut out" if self.options.without_pauses else ""
                return f"time since the job's start{cut}"
            case "clock":
                return "wall clock"
            case "metric":
                return self.options.x_metric
            case "epoch":
                return "epoch"
        series = [self.session.metrics[name] for name in spec.names if name in self.session.metrics]
        return "epoch" if series and all(one.in_epochs for one in series) else "step"

    def why_empty(self, spec: PanelSpec) -> str:
        """Why a panel has nothing to draw on this axis, empty when it has."""
        axis = self.options.axis
        if self.on_time:
            if spec.kind == "system" or any(self.session.metrics[name].has_times for name in spec.names):
                return ""
            return "" if self.running(spec) else "the log tells no times: x for steps"
        if any(x == x for name in spec.names for x in self.xs(spec, name)) or self.running(spec):
            return ""
        if spec.kind == "system":
            return f"no {axis} to set it against: x for time"
        return f"printed without {'an epoch' if axis == 'epoch' else 'steps'}: x for time"
