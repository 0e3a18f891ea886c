"""A panel: one small live chart with its name, newest values, extremes and axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from rich.style import Style

from floydtop.app.panels import PanelSpec, legend_name
from floydtop.app.safe import clean, safe
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width, spread
from floydtop.plot.braille import BLANK_STYLE, NAN_STYLE, Layer, dots, draw
from floydtop.plot.columns import Column, ColumnCache, extent
from floydtop.plot.scale import Scale, nice_ticks
from floydtop.plot.units import format_bytes, format_rate, format_value
from floydtop.session.series import Axis, Series

LABELS = 8
"""Cells for the labels of the y-axis, with the space beside them."""

MARKERS = "●○◆◇■□▲△"
"""Colour is never the only sign."""

BAND, RUNNING = 100, 200
"""Added to a curve's number: the style of its min-max band, and of its running value."""


class Panel(Canvas, can_focus=True):
    """Draws the series of one `PanelSpec`; the same widget serves one spec after another."""

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self.spec: PanelSpec | None = None
        self._caches: dict[str, ColumnCache] = {}
        self._scale = Scale()
        self._axis: Axis | None = None

    def assign(self, spec: PanelSpec) -> None:
        """Draw that spec from now on."""
        if self.spec is not None and self.spec.key == spec.key:
            self.spec = spec
            return
        self.spec = spec
        self._caches = {}
        self._scale = Scale()
        self.border_title = safe(spec.title)

    def draw(self, view: View) -> None:
        """Bring the panel up to date."""
        width, height = self.size.width, self.size.height
        if self.spec is None or width < LABELS + 4 or height < 3:
            return
        if self._axis != view.axis:
            self._axis = view.axis
            self._caches = {}
            self._scale = Scale()
        chart_rows = height - 2 if height >= 5 else height - 1
        rows = [self._readout(view, width), *self._chart(view, width, chart_rows)]
        if chart_rows == height - 2:
            rows.append(self._x_labels(view, width))
        self.show(rows)

    def _readout(self, view: View, width: int) -> Row:
        spec = self.spec
        assert spec is not None
        palette = self.palette
        left: Row = []
        running = {name: value for name, _, value in view.running(spec)}
        for index, name in enumerate(spec.names):
            label = legend_name(spec, name)
            newest = self._newest(view, name)
            entry = [
                Run(MARKERS[index % len(MARKERS)], palette.curve(index)),
                Run(f" {clean(label)} " if label else " ", palette.dim),
                Run(self._number(newest) if newest is not None else "-", palette.strong),
            ]
            if name in running:
                entry.append(Run(f" ▸{self._number(running[name])}", palette.faded[index % 8]))
            entry.append(Run("  ", palette.dim))
            if left and row_width(left) + row_width(entry) > width:
                left.append(Run("…", palette.dim))
                break
            left += entry
        return spread(left, self._extremes(view), width, palette.dim)

    def _newest(self, view: View, name: str) -> float | None:
        series = view.session.metrics.get(name)
        if series is not None and self.spec is not None and self.spec.kind != "system":
            return series.last
        present = view.session.present
        if present is not None and name in present.values:
            return present.values[name]
        system = view.session.system.get(name)
        return system.means[-1] if system else None

    def _extremes(self, view: View) -> Row:
        """Minimum and maximum of the panel's only or first series, and how many values were no numbers."""
        spec = self.spec
        assert spec is not None
        palette = self.palette
        if spec.kind == "system":
            system = view.session.system.get(spec.names[0])
            if not system:
                return []
            return [Run(f"max {self._number(max(system.highs))}", palette.dim)]
        series = view.session.metrics[spec.names[0]]
        bad = sum(view.session.metrics[name].not_finite for name in spec.names)
        row: Row = [Run(f"{bad} NaN/inf  ", palette.bad)] if bad else []
        if series.minimum <= series.maximum:
            text = f"min {self._number(series.minimum)}  max {self._number(series.maximum)}"
            row.append(Run(text, palette.dim))
        return row

    def _number(self, value: float) -> str:
        unit = self.spec.unit if self.spec is not None else ""
        if unit == "percent":
            return f"{value:.0f}%" if value >= 10 else f"{value:.1f}%"
        return {"bytes": format_bytes, "rate": format_rate}.get(unit, format_value)(value)

    def _chart(self, view: View, width: int, height: int) -> list[Row]:
        spec = self.spec
        assert spec is not None
        palette = self.palette
        missing = self._why_empty(view, spec)
        if missing:
            return _message(missing, width, height, palette.dim)
        plot_width = width - LABELS
        layers = self._layers(view, spec, dots(plot_width, view.glyphs))
        self._fit(layers)
        low, high = self._scale.low, self._scale.high
        rows = draw(layers, plot_width, height, low, high, glyphs=view.glyphs)
        labels = self._y_labels(low, high, height)
        return [
            [Run(label, palette.faint), *(Run(text, self._style(style)) for text, style in row)]
            for label, row in zip(labels, rows, strict=True)
        ]

    def _why_empty(self, view: View, spec: PanelSpec) -> str:
        if spec.kind == "system":
            return "system metrics have no steps: x for time" if view.axis == "step" else ""
        series = [view.session.metrics[name] for name in spec.names]
        if any(one.has(view.axis) for one in series) or view.running(spec):
            return ""
        if view.axis == "step":
            return "no steps printed: x for time"
        return "the log tells no times: x for steps"

    def _layers(self, view: View, spec: PanelSpec, count: int) -> list[Layer]:
        x0, x1 = view.x_range(spec)
        layers: list[Layer] = []
        for index, name in enumerate(spec.names):
            if spec.kind == "system":
                layers += self._system_layers(view, name, index, x0, x1, count)
                continue
            series = view.session.metrics[name]
            columns = self._cache(name).columns(series.xs(view.axis), series.values, x0, x1, count)
            layers.append(Layer(columns, index))
        by_name = {name: index for index, name in enumerate(spec.names)}
        for name, x, value in view.running(spec):
            if x is not None:
                xs, ys = _tail(view.session.metrics.get(name), view.axis)
                columns = ColumnCache().columns([*xs, x], [*ys, value], x0, x1, count)
                # Under the finished curve: its last point keeps its colour.
                layers.insert(0, Layer(columns, RUNNING + by_name[name]))
        return layers

    def _system_layers(
        self, view: View, name: str, index: int, x0: float, x1: float, count: int
    ) -> list[Layer]:
        """The recorded ticks with their min-max band, then the readings since; the first series is filled."""
        layers: list[Layer] = []
        series = view.session.system.get(name)
        xs: list[float] = []
        ys: list[float] = []
        if series:
            lows = self._cache(name + ":low").columns(series.times, series.lows, x0, x1, count)
            highs = self._cache(name + ":high").columns(series.times, series.highs, x0, x1, count)
            layers.append(Layer(_band(lows, highs), BAND + index))
            means = self._cache(name).columns(series.times, series.means, x0, x1, count)
            layers += _curve(means, index)
            xs, ys = [series.times[-1]], [series.means[-1]]
        for present in view.trace:
            if name in present.values:
                xs.append(present.t)
                ys.append(present.values[name])
        if len(xs) > 1 or (xs and not series):
            layers += _curve(ColumnCache().columns(xs, ys, x0, x1, count), index)
        return layers

    def _cache(self, name: str) -> ColumnCache:
        return self._caches.setdefault(name, ColumnCache())

    def _fit(self, layers: Sequence[Layer]) -> None:
        spec = self.spec
        assert spec is not None
        if spec.unit == "percent":
            self._scale.low, self._scale.high = 0.0, 100.0
            return
        extents = [extent(layer.columns) for layer in layers]
        low = min((a for a, _ in extents if not math.isnan(a)), default=math.nan)
        high = max((b for _, b in extents if not math.isnan(b)), default=math.nan)
        # A share of memory or a rate is seen against zero; a loss is not.
        self._scale.fit(0.0 if spec.unit else low, (high or 1.0) if spec.unit else high)

    def _y_labels(self, low: float, high: float, height: int) -> list[str]:
        """The labels of the y-axis, a row each, right-aligned."""
        labels = [" " * LABELS] * height
        count = max(2, min(height // 2, 5))
        for tick in y_ticks(self.spec, low, high, count):
            row = round((high - tick) / (high - low) * (height - 1)) if high > low else height - 1
            if 0 <= row < height:
                labels[row] = f"{self._tick_label(tick):>{LABELS - 1}} "
        return labels

    def _tick_label(self, tick: float) -> str:
        unit = self.spec.unit if self.spec is not None else ""
        if unit == "percent":
            return f"{tick:.0f}%"
        if unit in ("bytes", "rate"):
            return format_bytes(tick).replace("iB", "").replace(" ", "")[: LABELS - 1]
        return format_value(tick)

    def _style(self, number: int) -> Style:
        palette = self.palette
        if number == BLANK_STYLE:
            return palette.text
        if number == NAN_STYLE:
            return palette.bad
        return palette.faded[number % 100 % 8] if number >= BAND else palette.curve(number)

    def _x_labels(self, view: View, width: int) -> Row:
        spec = self.spec
        assert spec is not None
        if self._why_empty(view, spec):
            return [Run(" " * width, self.palette.faint)]
        low, high = view.x_range(spec)
        plot_width = width - LABELS
        return [
            Run(
                " " * LABELS
                + place_labels(view.ticks(low, high, max(2, plot_width // 8)), low, high, plot_width),
                self.palette.faint,
            )
        ]


def y_ticks(spec: PanelSpec | None, low: float, high: float, count: int) -> list[float]:
    """Ticks at round numbers of the panel's unit."""
    if spec is not None and spec.unit in ("bytes", "rate"):
        return byte_ticks(low, high, count)
    return nice_ticks(low, high, count)


def byte_ticks(low: float, high: float, count: int) -> list[float]:
    """Ticks at round numbers of the binary unit that the range is in."""
    unit = 1024.0 ** max(0, int(math.log(high, 1024))) if high >= 1024 else 1.0
    return [tick * unit for tick in nice_ticks(low / unit, high / unit, count)]


def place_labels(ticks: Sequence[tuple[float, str]], low: float, high: float, width: int) -> str:
    """One row of tick labels, each centred under its place, none touching another."""
    row = [" "] * width
    free = 0
    for position, label in ticks:
        center = (position - low) / (high - low) * (width - 1) if high > low else 0
        start = max(0, min(width - len(label), round(center - len(label) / 2)))
        if start >= free:
            row[start : start + len(label)] = label
            free = start + len(label) + 1
    return "".join(row[:width])


def _tail(series: Series | None, axis: Axis) -> tuple[list[float], list[float]]:
    """The last point of a series, from which the running value goes on."""
    if not series:
        return [], []
    return [series.xs(axis)[-1]], [series.last]


def _band(lows: Sequence[Column | None], highs: Sequence[Column | None]) -> list[Column | None]:
    """Columns from the lowest low to the highest high."""
    return [
        Column(b.last, b.last, a.low, b.high, a.bad) if a is not None and b is not None else None
        for a, b in zip(islice(lows, None), highs, strict=True)
    ]


def _curve(columns: Sequence[Column | None], index: int) -> list[Layer]:
    line = Layer(columns, index)
    return [Layer(columns, BAND + index, filled=True), line] if index == 0 else [line]


def _message(text: str, width: int, height: int, style: Style) -> list[Row]:
    """Words in the middle of an empty chart."""
    rows: list[Row] = [[Run(" " * width, style)] for _ in range(height)]
    rows[height // 2] = [Run(text[:width].center(width), style)]
    return rows
