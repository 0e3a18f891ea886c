"""A panel's series as columns to draw: strokes, smoothed over raw, bands, running values."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import le
from typing import Literal, NamedTuple

from floydtop.app.panels import PanelSpec
from floydtop.app.view import View
from floydtop.plot.columns import Column, ColumnCache, extent
from floydtop.plot.outliers import clipped_range
from floydtop.plot.scale import Scale
from floydtop.plot.smoothing import Smoother
from floydtop.plot.strokes import StrokeCache
from floydtop.session.series import Series, SystemSeries

Kind = Literal["line", "fill", "raw", "band", "running"]


class Drawn(NamedTuple):
    """One stroke of one series."""

    curve: int
    """Which of the panel's series."""
    kind: Kind
    columns: Sequence[Column | None]


class Curves:
    """The curves of one panel, and their y-range; what was binned is kept until the options change.

    Attributes:
        scale: the y-range; of log10 values on a logarithmic axis.
        blank: nothing that is drawn has a place on the y-axis: all of it is NaN or infinite.
        hidden: values in view that the y-axis leaves out: outliers, or not above zero on a logarithmic axis.
    """

    def __init__(self) -> None:
        self.scale = Scale()
        self.hidden = 0
        self.blank = False
        self._log = False
        self._made_for: tuple[object, ...] = ()
        self._strokes: dict[tuple[str, str], tuple[object, StrokeCache]] = {}
        self._smoothers: dict[str, tuple[object, Smoother]] = {}

    def draw(self, view: View, spec: PanelSpec, count: int) -> list[Drawn]:
        """The strokes of all series over `count` columns, undermost first, and the scale fitted to them."""
        options = view.options
        made_for = (spec.key, options.axis, options.x_metric, view.log_scale(spec))
        if made_for != self._made_for:
            self._made_for, self._log = made_for, view.log_scale(spec)
            self._strokes, self.scale = {}, Scale()
        x0, x1 = view.x_range(spec)
        drawn: list[Drawn] = []
        for index, name in enumerate(spec.names):
            series = view.series(spec, name)
            if isinstance(series, Series):
                drawn += self._metric(view, spec, series, index, (x0, x1, count))
            else:
                drawn += self._system(view, spec, series, index, (x0, x1, count))
        drawn += self._running(view, spec, (x0, x1, count))
        self.hidden = sum(cache.hidden for (_, kind), (_, cache) in self._strokes.items() if kind != "smooth")
        self._fit(view, spec, drawn)
        order: dict[Kind, int] = {"band": 0, "fill": 1, "raw": 2, "running": 3, "line": 4}
        return sorted(drawn, key=lambda one: (order[one.kind], -one.curve))

    def _bin(
        self,
        key: tuple[str, str],
        edition: object,
        xs: Sequence[float],
        ys: Sequence[float],
        over: tuple[float, float, int],
    ) -> list[Sequence[Column | None]]:
        """The strokes of a series; those of another edition of it are forgotten."""
        kept = self._strokes.get(key)
        if kept is None or kept[0] != edition:
            kept = self._strokes[key] = (edition, StrokeCache(log=self._log))
        return kept[1].strokes(xs, ys, *over)

    def _metric(
        self, view: View, spec: PanelSpec, series: Series, index: int, over: tuple[float, float, int]
    ) -> list[Drawn]:
        name, weight = series.name, view.options.smoothing
        xs, edition = view.xs(spec, name), (series.edition, view.abscissa.edition)
        raw = self._bin((name, "raw"), edition, xs, series.values, over)
        if not weight:
            return [Drawn(index, "line", stroke) for stroke in raw]
        known = self._smoothers.get(name)
        if known is None or known[0] != (series.edition, weight):
            known = self._smoothers[name] = ((series.edition, weight), Smoother(weight))
        values = known[1].extend(series.values, series.means, series.weights)
        smooth = self._bin((name, "smooth"), (*edition, weight), xs, values, over)
        return [
            *(Drawn(index, "raw", stroke) for stroke in raw),
            *(Drawn(index, "line", stroke) for stroke in smooth),
        ]

    def _system(
        self,
        view: View,
        spec: PanelSpec,
        series: SystemSeries | None,
        index: int,
        over: tuple[float, float, int],
    ) -> list[Drawn]:
        """The recorded ticks with their min-max band, then the readings since."""
        name = spec.names[index]
        drawn: list[Drawn] = []
        xs: list[float] = []
        ys: list[float] = []
        if series:
            places = view.xs(spec, name)
            edition = (series.edition, view.abscissa.edition)
            lows = self._bin((name, "low"), edition, places, series.lows, over)
            highs = self._bin((name, "high"), edition, places, series.highs, over)
            drawn += [Drawn(index, "band", _band(a, b)) for a, b in zip(lows, highs, strict=False)]
            # A filled area is sent again whole with each growth of the axis, so only where none grows.
            fill = index == 0 and not spec.marks and not view.live
            for stroke in self._bin((name, "mean"), edition, places, series.means, over):
                drawn += _filled(stroke, index) if fill else [Drawn(index, "line", stroke)]
            xs, ys = [places[-1]], [series.means[-1]]
        if view.on_time and not view.options.without_pauses:
            for present in view.trace:
                if name in present.values:
                    xs.append(present.t)
                    ys.append(present.values[name])
            if len(xs) > 1 or (xs and not series):
                columns = ColumnCache(log=self._log).columns(xs, ys, *over)
                drawn.append(Drawn(index, "line", columns))
        return drawn

    def _running(self, view: View, spec: PanelSpec, over: tuple[float, float, int]) -> list[Drawn]:
        """From the last point to the running value of a bar."""
        drawn = []
        for name, x, value in view.running(spec):
            series = view.series(spec, name)
            before = (
                ([view.xs(spec, name)[-1]], [series.values[-1]]) if isinstance(series, Series) else ([], [])
            )
            cache = ColumnCache(log=self._log)
            columns = cache.columns([*before[0], x], [*before[1], value], *over)
            drawn.append(Drawn(spec.names.index(name), "running", columns))
        return drawn

    def _values_in_view(self, view: View, spec: PanelSpec) -> Iterator[float]:
        x0, x1 = view.x_range(spec)
        for name in spec.names:
            xs, ys = view.xs(spec, name), view.session.metrics[name].values
            if all(map(le, xs, islice(xs, 1, None))):
                found: Sequence[float] = ys[bisect_left(xs, x0) : bisect_right(xs, x1)]
            else:
                found = [y for x, y in zip(xs, ys, strict=False) if x0 <= x <= x1]
            yield from map(math.log10, filter((0.0).__lt__, found)) if self._log else found

    def _fit(self, view: View, spec: PanelSpec, drawn: Sequence[Drawn]) -> None:
        options = view.options
        self.blank = False
        if spec.unit == "percent" and not self._log:
            self.scale.low, self.scale.high = 0.0, 100.0
            return
        extents = [extent(one.columns) for one in drawn]
        low = min((a for a, _ in extents if not math.isnan(a)), default=math.nan)
        high = max((b for _, b in extents if not math.isnan(b)), default=math.nan)
        if options.shared_scale and spec.kind == "training":
            low, high = view.shared_values()
            if self._log:
                low, high = (math.log10(value) if value > 0 else math.nan for value in (low, high))
        self.blank = math.isnan(low)
        if options.without_outliers and spec.kind != "system":
            low, high, hidden = clipped_range(self._values_in_view(view, spec))
            if math.isfinite(high - low):
                self.hidden += hidden
                self.scale.low, self.scale.high = low, high if high > low else low + 1.0
            return
        if spec.unit and not self._log:
            # A share of memory or a rate is seen against zero; a loss is not.
            low, high = 0.0, high or 1.0
        self.scale.fit(low, high)


def _filled(columns: Sequence[Column | None], index: int) -> list[Drawn]:
    return [Drawn(index, "fill", columns), Drawn(index, "line", columns)]


def _band(lows: Sequence[Column | None], highs: Sequence[Column | None]) -> list[Column | None]:
    """Columns from the lowest low to the highest high."""
    return [
        Column(b.last, b.last, a.low, b.high, a.bad) if a is not None and b is not None else None
        for a, b in zip(lows, highs, strict=True)
    ]
