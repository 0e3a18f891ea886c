"""One chart, as large as the terminal, framed, with axes, a legend and a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen

from floydtop.app.keys import APP, FOCUS, bindings
from floydtop.app.panels import PanelSpec, short_name
from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, spread
from floydtop.app.widgets.key_bar import KeyBar
from floydtop.app.widgets.panel import MARKERS, y_ticks
from floydtop.plot.chart import Curve, framed_chart
from floydtop.plot.columns import ColumnCache, extent
from floydtop.plot.scale import Scale
from floydtop.plot.units import format_bytes, format_rate, format_value

if TYPE_CHECKING:
    from floydtop.app.screens.monitor import MonitorScreen


class FocusScreen(Screen[None]):
    """A framed plotext chart of one panel's series; it lives on the dashboard's heartbeat."""

    BINDINGS = [*bindings(FOCUS), *bindings(APP)]  # noqa: RUF012 (Textual's way)
    KEYS = FOCUS

    def __init__(self, monitor: MonitorScreen, spec: PanelSpec) -> None:
        super().__init__()
        self._monitor = monitor
        self._spec = spec

    def compose(self) -> ComposeResult:
        yield FramedChart(id="framed")
        yield Table(id="table")
        yield KeyBar((*FOCUS, *APP))

    def on_mount(self) -> None:
        self.call_after_refresh(self._draw_now)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_now)

    def _draw_now(self) -> None:
        self.draw(self._monitor.view())

    def draw(self, view: View) -> None:
        """Bring chart and table up to date."""
        specs = {spec.key: spec for spec in self._monitor.specs()}
        self._spec = specs.get(self._spec.key, self._spec)
        table = self.query_one(Table)
        table.styles.height = len(self._spec.names) + 2
        self.query_one(FramedChart).draw(view, self._spec)
        table.draw(view, self._spec)

    def _turn(self, by: int) -> None:
        specs = self._monitor.specs()
        keys = [spec.key for spec in specs]
        index = keys.index(self._spec.key) if self._spec.key in keys else 0
        self._spec = specs[(index + by) % len(specs)]
        self.query_one(FramedChart).forget()
        self._draw_now()

    def action_next_chart(self) -> None:
        self._turn(1)

    def action_previous_chart(self) -> None:
        self._turn(-1)

    def action_toggle_axis(self) -> None:
        self._monitor.action_toggle_axis()
        self.query_one(FramedChart).forget()
        self._draw_now()

    def action_close(self) -> None:
        self.dismiss()


class FramedChart(Canvas):
    """The chart itself."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._caches: dict[str, ColumnCache] = {}
        self._scale = Scale()

    def forget(self) -> None:
        """Begin anew: another chart or another axis."""
        self._caches, self._scale = {}, Scale()

    def draw(self, view: View, spec: PanelSpec) -> None:
        """Draw the series of `spec`."""
        width, height = self.size.width, self.size.height
        if width < 20 or height < 6:
            return
        x0, x1 = view.x_range(spec)
        curves = []
        for index, name in enumerate(spec.names):
            xs, ys = points(view, spec, name)
            cache = self._caches.setdefault(name, ColumnCache())
            label = f"{MARKERS[index % len(MARKERS)]} {clean(label_of(spec, name))}"
            curves.append(
                Curve(label, cache.columns(xs, ys, x0, x1, 2 * width), rgb(self.palette.curve(index)))
            )
        self._fit(spec, curves)
        low, high = self._scale.low, self._scale.high
        text = framed_chart(
            curves,
            width,
            height,
            x_range=(x0, x1),
            y_range=(low, high),
            x_ticks=view.ticks(x0, x1, width // 14),
            y_ticks=[(y, number(spec, y)) for y in y_ticks(spec, low, high, max(2, min(9, height // 4)))],
            title=clean(spec.title),
            x_label=view.x_label(spec),
            axes_color=rgb(self.palette.faint),
        )
        self.show(_rows_of(text))

    def _fit(self, spec: PanelSpec, curves: list[Curve]) -> None:
        if spec.unit == "percent":
            self._scale.low, self._scale.high = 0.0, 100.0
            return
        extents = [extent(curve.columns) for curve in curves]
        low = min((a for a, _ in extents if not math.isnan(a)), default=math.nan)
        high = max((b for _, b in extents if not math.isnan(b)), default=math.nan)
        self._scale.fit(0.0 if spec.unit else low, high)


CELL = 10
"""Cells of one number in the table."""


class Table(Canvas):
    """Last, minimum, maximum, mean and count of each series."""

    COLUMNS = ("last", "min", "at", "max", "at", "mean", "points")

    def draw(self, view: View, spec: PanelSpec) -> None:
        """Show the numbers."""
        palette = self.palette
        labels = [clean(label_of(spec, name)) for name in spec.names]
        wide = min(24, max(map(len, labels))) + 1
        fitting = max(1, (self.size.width - wide - 2) // CELL)
        heading: Row = [Run(" " * (wide + 2), palette.dim)]
        heading += [Run(f"{column:>{CELL}}", palette.dim) for column in self.COLUMNS[:fitting]]
        rows = [heading]
        for index, name in enumerate(spec.names):
            mark = MARKERS[index % len(MARKERS)]
            row: Row = [
                Run(f"{mark} ", palette.curve(index)),
                Run(f"{labels[index][: wide - 1]:<{wide}}", palette.strong),
                *(Run(f"{cell:>{CELL}}", palette.text) for cell in self._cells(view, spec, name)[:fitting]),
            ]
            bad = view.session.metrics[name].not_finite if name in view.session.metrics else 0
            rows.append(
                spread(row, [Run(f"{bad} NaN/inf ", palette.bad)], self.size.width, palette.dim)
                if bad
                else row
            )
        self.show(rows)

    def _cells(self, view: View, spec: PanelSpec, name: str) -> list[str]:
        if spec.kind == "system":
            series = view.session.system.get(name)
            if not series:
                return ["-"] * len(self.COLUMNS)
            low, high = min(series.lows), max(series.highs)
            mean = sum(series.means) / len(series)
            at = [
                view.moment(series.times[column.index(value)])
                for column, value in ((series.lows, low), (series.highs, high))
            ]
            return [
                number(spec, series.means[-1]),
                number(spec, low),
                at[0],
                number(spec, high),
                at[1],
                number(spec, mean),
                str(len(series)),
            ]
        metric = view.session.metrics[name]
        if metric.minimum > metric.maximum:
            return [format_value(metric.last), *["-"] * 5, str(len(metric))]
        xs = metric.xs(view.axis)
        at = [view.moment(xs[metric.values.index(value)]) for value in (metric.minimum, metric.maximum)]
        return [
            format_value(metric.last),
            format_value(metric.minimum),
            at[0],
            format_value(metric.maximum),
            at[1],
            format_value(metric.mean),
            str(len(metric)),
        ]


def points(view: View, spec: PanelSpec, name: str) -> tuple[list[float], list[float]]:
    """All points of a series: recorded ones, and the present readings or running values after them."""
    if spec.kind == "system":
        if view.axis == "step":
            return [], []
        series = view.session.system.get(name)
        xs = list(series.times) if series else []
        ys = list(series.means) if series else []
        for present in view.trace:
            if name in present.values:
                xs.append(present.t)
                ys.append(present.values[name])
        return xs, ys
    metric = view.session.metrics[name]
    xs, ys = list(metric.xs(view.axis)), list(metric.values)
    for running, x, value in view.running(spec):
        if running == name and x is not None:
            xs.append(x)
            ys.append(value)
    return xs, ys


def label_of(spec: PanelSpec, name: str) -> str:
    """What the legend calls a series."""
    if spec.kind == "system":
        return short_name(name) if len(spec.names) > 1 else spec.title
    return name


def number(spec: PanelSpec, value: float) -> str:
    """A value in the panel's unit."""
    if spec.unit == "percent":
        return f"{value:.1f}%" if value < 10 else f"{value:.0f}%"
    return {"bytes": format_bytes, "rate": format_rate}.get(spec.unit, format_value)(value)


def rgb(style: Style) -> tuple[int, int, int]:
    """A style's colour, as plotext wants it."""
    color = style.color.get_truecolor() if style.color is not None else (208, 212, 220)
    return color[0], color[1], color[2]


def _rows_of(ansi: str) -> list[Row]:
    """plotext's lines as rows of runs."""
    rows: list[Row] = []
    for line in ansi.split("\n"):
        text = Text.from_ansi(line)
        rows.append([Run(part.plain, _style_of(part)) for part in text.divide(_edges(text))])
    return rows


def _edges(text: Text) -> list[int]:
    return sorted({edge for span in text.spans for edge in (span.start, span.end)} - {0, len(text)})


def _style_of(part: Text) -> Style:
    style = part.spans[0].style if part.spans else part.style
    return style if isinstance(style, Style) else Style.null()
