"""A panel: one small live chart with its name, newest values, extremes and axes."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual import events
from textual.message import Message

from floydtop.app.axis_labels import number, x_label_row, y_label_column, y_ticks
from floydtop.app.curves import Curves, Drawn
from floydtop.app.palette import Palette
from floydtop.app.panels import PanelSpec, legend_name
from floydtop.app.safe import clean, safe
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, cropped, row_width, spread
from floydtop.plot.braille import BLANK_STYLE, NAN_STYLE, Layer, dots, draw
from floydtop.plot.columns import Column
from floydtop.session.series import Series

LABELS = 8
"""Cells for the labels of the y-axis, with the space beside them."""

FADED = 100
"""Added to a curve's number: drawn in its faded colour."""


class Panel(Canvas, can_focus=True):
    """Draws the series of one `PanelSpec`; the same widget serves one spec after another."""

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self.spec: PanelSpec | None = None
        self._curves = Curves()

    def assign(self, spec: PanelSpec) -> None:
        """Draw that spec from now on."""
        if self.spec is None or self.spec.key != spec.key:
            self._curves = Curves()
            self.border_title = safe(spec.title)
        self.spec = spec

    class Pointed(Message):
        """The mouse did something at a place of the chart: a share of its width."""

        def __init__(self, place: float, zoom: float) -> None:
            super().__init__()
            self.place = place
            self.zoom = zoom
            """1 to put the cursor there, below 1 to zoom in, above to zoom out."""

    def on_click(self, event: events.Click) -> None:
        self._point(event, 1.0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._point(event, 0.5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._point(event, 2.0)

    def _point(self, event: events.MouseEvent, zoom: float) -> None:
        offset = event.get_content_offset(self)
        width = self.size.width - LABELS
        if offset is not None and offset.x >= LABELS and width > 1:
            event.stop()
            self.post_message(self.Pointed((offset.x - LABELS) / (width - 1), zoom))

    def draw(self, view: View) -> None:
        """Bring the panel up to date."""
        width, height = self.size.width, self.size.height
        spec = self.spec
        if spec is None or width < LABELS + 4 or height < 3:
            return
        labelled = height >= 5
        chart_rows = height - 2 if labelled else height - 1
        missing = view.why_empty(spec)
        if missing:
            rows = _message(missing, width, height - 1, self.palette.dim)
            self.show([self._readout(view, spec, [], width), *rows])
            return
        drawn = self._curves.draw(view, spec, dots(width - LABELS, view.glyphs))
        rows = [self._readout(view, spec, drawn, width), *self._chart(view, spec, drawn, width, chart_rows)]
        if labelled:
            low, high = view.x_range(spec)
            plot_width = width - LABELS
            ticks = view.ticks(low, high, max(2, plot_width // 8))
            labels = x_label_row(ticks, low, high, plot_width)
            # Steps and epochs stand side by side on one dashboard: each chart says which it has.
            unit = "" if view.on_time else clean(view.x_label(spec))[: LABELS - 1]
            rows.append([Run(f"{unit:>{LABELS - 1}} {labels}", self.palette.faint)])
        self.show(rows)

    def _chart(self, view: View, spec: PanelSpec, drawn: list[Drawn], width: int, height: int) -> list[Row]:
        palette = self.palette
        plot_width = width - LABELS
        low, high = self._curves.scale.low, self._curves.scale.high
        count = max(2, min(height // 4 + 1, 5))
        # Numbers beside nothing but marks for NaN would be invented.
        ticks = [] if self._curves.blank else y_ticks(spec, low, high, count, log=view.log_scale(spec))
        labels = y_label_column(ticks, low, high, height, LABELS)
        layers = [_layer(spec, one) for one in drawn]
        cells = draw(layers, plot_width, height, low, high, glyphs=view.glyphs)
        rows = [
            [Run(label, palette.faint), *(Run(text, style_of(palette, style)) for text, style in row)]
            for label, row in zip(labels, cells, strict=True)
        ]
        if view.options.cursor is not None:
            place = LABELS + round(view.options.cursor * (plot_width - 1))
            rows = [with_cursor(row, place, palette.strong) for row in rows]
        return rows

    def _readout(self, view: View, spec: PanelSpec, drawn: list[Drawn], width: int) -> Row:
        if view.options.cursor is not None and drawn:
            return self._readout_at_cursor(view, spec, drawn, width)
        palette = self.palette
        running = {name: value for name, _, value in view.running(spec)}
        left = self._newest_values(view, spec, running)
        if row_width(left) > width:
            # All series before what is not finished.
            left = self._newest_values(view, spec, {})
        if row_width(left) > width:
            left = [*cropped(left, width - 1), Run("…", palette.dim)]
        left_out, extremes = self._left_out(view, spec), self._extremes(view, spec)
        room = width - row_width(left) - 2
        right = [*left_out, *extremes]
        return spread(left, right if row_width(right) <= room else left_out, width, palette.dim)

    def _newest_values(self, view: View, spec: PanelSpec, running: Mapping[str, float]) -> Row:
        """The legend: sign, name, newest and running value of each series."""
        palette = self.palette
        row: Row = []
        for index, name in enumerate(spec.names):
            label = legend_name(spec, name)
            newest = self._newest(view, spec, name)
            row += [
                Run("  " if row else "", palette.dim),
                Run(spec.mark(index), palette.curve(spec.color(index))),
                Run(f" {clean(label)} " if label else " ", palette.dim),
                Run(number(spec, newest) if newest is not None else "-", palette.strong),
            ]
            if name in running:
                row.append(Run(f" ▸{number(spec, running[name])}", palette.faded[spec.color(index) % 8]))
        return row

    def _readout_at_cursor(self, view: View, spec: PanelSpec, drawn: list[Drawn], width: int) -> Row:
        """x and each series' value there; the ranges of columns, and then series, only as far as they fit."""
        palette = self.palette
        columns = columns_at_cursor(view, drawn)
        row: Row = []
        for ranged in (True, False):
            row = [Run(view.moment(cursor_x(view, spec)), palette.accent)]
            for index, column in columns.items():
                value = cursor_value(spec, column, log=view.log_scale(spec))
                entry = [
                    Run(f"  {spec.mark(index)} ", palette.curve(spec.color(index))),
                    Run(value if ranged else value.partition(" [")[0], palette.strong),
                ]
                if not ranged and row_width(row) + row_width(entry) > width - 1:
                    return [*row, Run("…", palette.dim)]
                row += entry
            if row_width(row) <= width:
                break
        return row

    def _newest(self, view: View, spec: PanelSpec, name: str) -> float | None:
        series = view.series(spec, name)
        if isinstance(series, Series):
            return series.last
        present = view.session.present
        if present is not None and name in present.values:
            return present.values[name]
        return series.means[-1] if series else None

    def _left_out(self, view: View, spec: PanelSpec) -> Row:
        """What the chart does not show, or not yet: it matters more than the extremes."""
        palette = self.palette
        row: Row = []
        if view.session.past.sampled and spec.kind != "system":
            row.append(Run("sampled  ", palette.warning))
        if self._curves.hidden:
            log, outliers = view.log_scale(spec), view.options.without_outliers
            why = "hidden" if log and outliers else "≤ 0" if log else "outliers"
            row.append(Run(f"{self._curves.hidden} {why}  ", palette.warning))
        metrics = view.session.metrics
        bad = sum(metrics[name].not_finite for name in spec.names if name in metrics)
        if bad:
            row.append(Run(f"{bad} NaN/inf  ", palette.bad))
        return row

    def _extremes(self, view: View, spec: PanelSpec) -> Row:
        """Extremes of the panel's first series, with its sign where there are others."""
        first = view.series(spec, spec.names[0])
        if isinstance(first, Series):
            if first.minimum > first.maximum:
                return []
            text = f"min {number(spec, first.minimum)}  max {number(spec, first.maximum)}"
        elif first:
            newest = self._newest(view, spec, spec.names[0]) or 0.0
            text = f"max {number(spec, max(newest, *first.highs))}"
        else:
            return []
        sign = Run(f"{spec.mark(0)} ", self.palette.curve(spec.color(0)))
        return [*([sign] if len(spec.names) > 1 else []), Run(text, self.palette.dim)]


def _layer(spec: PanelSpec, one: Drawn) -> Layer:
    # What is only context gives way: fills, bands, raw values under smoothed ones, running values.
    context = one.kind != "line" or one.curve in spec.dimmed
    style = spec.color(one.curve) + (FADED if context else 0)
    return Layer(one.columns, style, one.kind == "fill", context)


def style_of(palette: Palette, style: int) -> Style:
    """The colours of a layer's number."""
    if style == BLANK_STYLE:
        return palette.text
    if style == NAN_STYLE:
        return palette.bad
    return palette.faded[style % FADED % 8] if style >= FADED else palette.curve(style)


def with_cursor(row: Row, place: int, style: Style) -> Row:
    """The row with the cursor's line through the cell at `place`."""
    text = "".join(run.text for run in row)
    if place >= len(text) or text[place] not in " \u2800":
        return row
    result: Row = []
    start = 0
    for run in row:
        if start <= place < start + len(run.text):
            cut = place - start
            result += [Run(run.text[:cut], run.style), Run("│", style), Run(run.text[cut + 1 :], run.style)]
        else:
            result.append(run)
        start += len(run.text)
    return result


def cursor_x(view: View, spec: PanelSpec) -> float:
    """The x-value under the cursor."""
    low, high = view.x_range(spec)
    return low + (view.options.cursor or 0.0) * (high - low)


def columns_at_cursor(view: View, drawn: list[Drawn]) -> dict[int, Column]:
    """The column under the cursor, or the nearest one before it, of each series: index -> column."""
    found: dict[int, Column] = {}
    for one in drawn:
        if one.kind != "line" or not one.columns:
            continue
        place = round((view.options.cursor or 0.0) * (len(one.columns) - 1))
        column = next((one.columns[i] for i in range(place, -1, -1) if one.columns[i] is not None), None)
        if column is not None:
            found[one.curve] = column
    return dict(sorted(found.items()))


def cursor_value(spec: PanelSpec, column: Column, *, log: bool) -> str:
    """What a column says: its value, with its range where it holds several."""
    first, last, low, high = (
        10.0**v if log else v for v in (column.first, column.last, column.low, column.high)
    )
    if column.bad and last != last:
        return f"{column.bad} NaN/inf"
    text = number(spec, last)
    return f"{text} [{number(spec, low)} {number(spec, high)}]" if low < high or first != last else text


def _message(text: str, width: int, height: int, style: Style) -> list[Row]:
    """Words in the middle of an empty chart."""
    rows: list[Row] = [[Run(" " * width, style)] for _ in range(height)]
    rows[height // 2] = [Run(text[:width].center(width), style)]
    return rows
