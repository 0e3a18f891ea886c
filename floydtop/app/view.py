"""What all charts of a screen share at one moment: the session, the x-axis and its range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from floydtop.app.panels import PanelSpec
from floydtop.events import Present
from floydtop.plot.scale import nice_ticks, time_ticks, x_range
from floydtop.plot.units import format_duration, format_step
from floydtop.session.series import Axis
from floydtop.session.session import Session

LEAST_TIME = 10.0
"""Seconds that a time axis shows at least, so that a job's first seconds are not a cliff."""


@dataclass(frozen=True)
class View:
    """One moment of a session, as its charts are to draw it."""

    session: Session
    trace: Sequence[Present]
    """Present readings since the last recorded sample."""
    axis: Axis
    live: bool
    glyphs: str = "braille"

    def times(self) -> tuple[float, float]:
        """The range of the time axis, the same for all charts: session time."""
        low = self.session.earliest if self.session.earliest is not None else 0.0
        high = max(self.session.now, low)
        if self.live:
            high = max(high, low + LEAST_TIME)
        return x_range(low, high, live=self.live)

    def x_range(self, spec: PanelSpec) -> tuple[float, float]:
        """The range of a panel's x-axis; on the step axis that of its own series."""
        if self.axis == "time":
            return self.times()
        found = [self.session.metrics[name] for name in spec.names if name in self.session.metrics]
        low = min((series.step_low for series in found), default=math.inf)
        high = max((series.step_high for series in found), default=-math.inf)
        for event in self.running(spec):
            x = event[1]
            if x is not None:
                low, high = min(low, x), max(high, x)
        if low > high:
            return 0.0, 1.0
        return x_range(low, high, live=self.live)

    def running(self, spec: PanelSpec) -> list[tuple[str, float | None, float]]:
        """Values of a bar that is not finished: (name, x, value)."""
        present = self.session.present
        if present is None:
            return []
        found = []
        for event in present.metrics:
            x = event.step if event.step is not None else event.epoch
            for name in spec.names:
                if name in event.values:
                    found.append((name, self.session.now if self.axis == "time" else x, event.values[name]))
        return found

    def ticks(self, low: float, high: float, count: int) -> list[tuple[float, str]]:
        """Positions and labels for an x-axis: elapsed time of the job, or steps."""
        if self.axis == "time":
            origin = self.session.origin
            return [(x, format_duration(x - origin)) for x in time_ticks(low, high, count, origin=origin)]
        return [(x, format_step(x)) for x in nice_ticks(low, high, count, integer=True)]

    def x_label(self, spec: PanelSpec) -> str:
        """What x means in a panel."""
        if self.axis == "time":
            return "time since the job's start"
        counted = [
            self.session.metrics[name].in_epochs for name in spec.names if name in self.session.metrics
        ]
        return "epoch" if counted and all(counted) else "step"

    def moment(self, x: float) -> str:
        """One x-value in words."""
        if math.isnan(x):
            return "-"
        return format_duration(x - self.session.origin) if self.axis == "time" else format_step(x)
