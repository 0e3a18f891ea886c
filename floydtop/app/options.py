"""How a person wants the charts: the x-axis, the scale, smoothing, zoom and cursor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

XAxis = Literal["time", "clock", "step", "epoch", "metric"]
"""`time` since the job's start, wall `clock`, `step`, `epoch`, or the values of another `metric`."""

AXES: tuple[XAxis, ...] = ("time", "clock", "step", "epoch")

SMOOTHING = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Weights of the moving average that the keys go through."""

CLOSEST = 1 / 512
"""The smallest share of the x-axis that zoom shows."""


@dataclass(frozen=True)
class Options:
    """What is the same for all charts of a screen; each change makes a new one."""

    axis: XAxis = "time"
    x_metric: str = ""
    """The metric that x is, on the `metric` axis."""
    smoothing: float = 0.0
    log: bool = False
    without_outliers: bool = False
    shared_scale: bool = False
    """One y-range for all panels whose numbers have no unit."""
    without_pauses: bool = False
    """Time in which the job printed nothing for long is cut out of the time axis."""
    window: tuple[float, float] = (0.0, 1.0)
    """The part of the whole x-axis in view, as shares of it."""
    cursor: float | None = None
    """Place of the cursor, as a share of what is in view."""
    every_gpu: bool = False
    """Also the GPUs of the machine that the job does not use."""

    @property
    def zoomed(self) -> bool:
        """Whether only a part of the x-axis is in view."""
        return self.window != (0.0, 1.0)

    def toggled_axis(self) -> Options:
        """Time becomes step, all else becomes time."""
        return replace(self, axis="step" if self.axis == "time" else "time", window=(0.0, 1.0))

    def next_axis(self) -> Options:
        """The axis after this one, in turn."""
        index = AXES.index(self.axis) + 1 if self.axis in AXES else 0
        return replace(self, axis=AXES[index % len(AXES)], window=(0.0, 1.0))

    def smoothed(self, notches: int) -> Options:
        """More or less smoothing, by notches of `SMOOTHING`."""
        nearest = min(range(len(SMOOTHING)), key=lambda i: abs(SMOOTHING[i] - self.smoothing))
        return replace(self, smoothing=SMOOTHING[max(0, min(len(SMOOTHING) - 1, nearest + notches))])

    def zoom(self, factor: float) -> Options:
        """Zoom in (factor below 1) or out, about the cursor, or keeping the newest points in view."""
        low, high = self.window
        span = max(CLOSEST, min(1.0, (high - low) * factor))
        if self.cursor is not None:
            center = low + self.cursor * (high - low)
            low = center - self.cursor * span
        elif high >= 1.0:
            low = 1.0 - span
        else:
            low = (low + high - span) / 2
        low = max(0.0, min(1.0 - span, low))
        return replace(self, window=(low, 1.0 if low + span > 1 - 1e-9 else low + span))

    def pan(self, share: float) -> Options:
        """Move the window by a share of itself; at the right end it follows the newest points."""
        low, high = self.window
        span = high - low
        low = max(0.0, min(1.0 - span, low + share * span))
        return replace(self, window=(low, 1.0 if low + span > 1 - 1e-9 else low + span))

    def unzoomed(self) -> Options:
        """All of the x-axis."""
        return replace(self, window=(0.0, 1.0))

    def with_cursor(self, place: float | None) -> Options:
        """The cursor at that share of the view, kept within it; None takes it away."""
        return replace(self, cursor=None if place is None else max(0.0, min(1.0, place)))
