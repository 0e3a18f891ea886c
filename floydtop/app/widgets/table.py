"""The numbers of one panel: last, extremes and where they are, mean and count of each series."""

from __future__ import annotations

import math
from collections.abc import Sequence

from floydtop.app.axis_labels import number
from floydtop.app.panels import PanelSpec, series_name
from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, spread
from floydtop.session.series import Series

CELL = 10
"""Cells of one number in the table."""


class Table(Canvas):
    """Last, minimum, maximum, mean and count of each series."""

    COLUMNS = ("last", "min", "at", "max", "at", "mean", "points")

    def draw(self, view: View, spec: PanelSpec) -> None:
        """Show the numbers."""
        palette = self.palette
        # A run's sign is its letter, which its series' name ends in.
        names = [spec.title] * len(spec.names) if spec.marks else [series_name(spec, n) for n in spec.names]
        labels = list(map(clean, names))
        wide = min(24, max(map(len, labels))) + 1
        fitting = max(1, (self.size.width - wide - 2) // CELL)
        heading: Row = [Run(" " * (wide + 2), palette.dim)]
        heading += [Run(f"{column:>{CELL}}", palette.dim) for column in self.COLUMNS[:fitting]]
        rows = [heading]
        for index, name in enumerate(spec.names):
            mark = spec.mark(index)
            row: Row = [
                Run(f"{mark} ", palette.curve(spec.color(index))),
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
        series = view.series(spec, name)
        if not series:
            return ["-"] * len(self.COLUMNS)
        if isinstance(series, Series):
            lows = highs = series.values
            last, mean = series.last, series.mean
            low, high = series.minimum, series.maximum
            if low > high:
                return [number(spec, last), *["-"] * 5, str(series.count)]
        else:
            lows, highs = series.lows, series.highs
            last, mean = series.means[-1], series.mean
            low, high = min(lows), max(highs)
        xs = view.xs(spec, name)
        return [
            number(spec, last),
            number(spec, low),
            _where(view, xs, lows, low),
            number(spec, high),
            _where(view, xs, highs, high),
            number(spec, mean),
            str(series.count),
        ]


def _where(view: View, xs: Sequence[float], values: Sequence[float], value: float) -> str:
    """The x-value of the first point with that value."""
    place = next((index for index, one in enumerate(values) if one == value), None)
    return view.moment(xs[place] if place is not None else math.nan)
