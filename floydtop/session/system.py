"""One system metric's ticks, as columns; old ones merged so that memory is bounded."""

from __future__ import annotations

import math
from array import array


class SystemSeries:
    """One system metric: mean, minimum and maximum of each tick, at the tick's end.

    Attributes:
        edition: changes whenever ticks that were there before change.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.run = ""
        self.times = array("d")
        self.means = array("d")
        self.lows = array("d")
        self.highs = array("d")
        self.edition = 0
        self.count = 0
        """Ticks there were."""
        self._total = 0.0

    def __len__(self) -> int:
        return len(self.times)

    def append(self, t: float, mean: float, low: float, high: float) -> None:
        """Add one tick."""
        self.times.append(t)
        self.means.append(mean)
        self.lows.append(low)
        self.highs.append(high)
        self.count += 1
        self._total += mean

    def show(self, whole: SystemSeries, count: int) -> None:
        """Become the first `count` ticks of a series that does not change any more."""
        if count < len(self):
            self.edition += 1
        whole_shown = count == len(whole)
        for name in ("times", "means", "lows", "highs"):
            column = getattr(whole, name)
            setattr(self, name, column if whole_shown else column[:count])
        self.count = whole.count if whole_shown else count
        self._total = whole._total if whole_shown else sum(self.means)

    @property
    def mean(self) -> float:
        """Mean over all ticks, NaN when there is none."""
        return self._total / self.count if self.count else math.nan

    def thin(self, most: int) -> None:
        """Leave at most `most` ticks: of the older three quarters, two neighbours become one."""
        while len(self) > most:
            old = len(self) * 3 // 4 // 2 * 2
            self.times[:old] = self.times[1:old:2]
            pairs = zip(self.means[:old:2], self.means[1:old:2], strict=True)
            self.means[:old] = array("d", [(a + b) / 2 for a, b in pairs])
            self.lows[:old] = array("d", map(min, self.lows[:old:2], self.lows[1:old:2]))
            self.highs[:old] = array("d", map(max, self.highs[:old:2], self.highs[1:old:2]))
            self.edition += 1
