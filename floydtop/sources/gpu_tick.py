"""Sums up readings of GPUs over one tick: mean, extremes, and power from energy counters."""

from __future__ import annotations

from floydtop.events import Stat


class Tick:
    """Mean, minimum and maximum by name since the last drain, in constant memory."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, float, float, float]] = {}

    def add(self, name: str, mean: float, low: float, high: float) -> None:
        """Add one second, itself summed up as mean, lowest and highest."""
        count, total, lowest, highest = self._sums.get(name, (0, 0.0, low, high))
        self._sums[name] = (count + 1, total + mean, min(lowest, low), max(highest, high))

    def drain(self) -> dict[str, Stat]:
        """What was added since the last call."""
        stats = {name: (total / count, low, high) for name, (count, total, low, high) in self._sums.items()}
        self._sums.clear()
        return stats


class Energy:
    """The energy counters of the GPUs: joules since we look, and mean power between two drains.

    Energy over time is the exact mean power; readings of power once a second miss what is between them.
    """

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._drained: dict[int, tuple[float, float]] = {}
        self._now: dict[int, tuple[float, float]] = {}

    def take(self, index: int, t: float, joules: float) -> float:
        """Note GPU `index`'s counter at `t` seconds; returns joules since the first note."""
        if index in self._now and joules < self._now[index][1]:
            # The counter began anew with the driver: what was counted so far is carried on.
            self._began[index] = joules - (self._now[index][1] - self._began[index])
            self._drained.pop(index, None)
        self._now[index] = (t, joules)
        self._drained.setdefault(index, (t, joules))
        return joules - self._began.setdefault(index, joules)

    def drain(self) -> dict[int, float]:
        """Mean watts by GPU index since the last call."""
        watts = {}
        for index, (t, joules) in self._now.items():
            t_before, joules_before = self._drained.get(index, (t, joules))
            if t > t_before:
                watts[index] = (joules - joules_before) / (t - t_before)
        self._drained = dict(self._now)
        return watts
