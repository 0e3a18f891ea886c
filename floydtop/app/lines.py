"""From a point of a chart to the line of output that told it, and back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from operator import le

from floydtop.app.panels import PanelSpec
from floydtop.app.view import View
from floydtop.session.series import Series


def line_at_cursor(view: View, spec: PanelSpec) -> int:
    """The line of the point nearest to the cursor, of the newest one without a cursor; 0 when not known."""
    series = view.series(spec, spec.names[0])
    place = _nearest(view, spec)
    return series.lines[place] if isinstance(series, Series) and place is not None else 0


def _nearest(view: View, spec: PanelSpec) -> int | None:
    """The index of the first series' point that is nearest to the cursor, or of its newest."""
    xs = view.xs(spec, spec.names[0])
    if view.options.cursor is None:
        return len(xs) - 1 if xs else None
    low, high = view.x_range(spec)
    wanted = low + view.options.cursor * (high - low)
    if len(xs) and all(map(le, xs, islice(xs, 1, None))):
        after = bisect_left(xs, wanted)
        nearby = range(max(0, after - 1), min(after + 1, len(xs)))
    else:
        nearby = range(len(xs))
    placed = (index for index in nearby if xs[index] == xs[index])
    return min(placed, key=lambda index: abs(xs[index] - wanted), default=None)


def value_at_cursor(view: View, spec: PanelSpec) -> str:
    """The value of the selected chart's first series there, in full, to be copied."""
    series = view.series(spec, spec.names[0])
    if not series:
        return ""
    values = series.values if isinstance(series, Series) else series.means
    place = _nearest(view, spec)
    return repr(values[place]) if place is not None else ""


def cursor_of_line(view: View, specs: Sequence[PanelSpec], number: int) -> float | None:
    """Where in the view (a share of it) the point is that a line told; None when it told none."""
    for spec in specs:
        for name in spec.names:
            series = view.series(spec, name)
            if not isinstance(series, Series) or number not in series.lines:
                continue
            x = view.xs(spec, name)[series.lines.index(number)]
            low, high = view.x_range(spec)
            if x == x and high > low:
                return (x - low) / (high - low)
    return None
