"""What is drawn is what was told, whatever the zoom, the width, and the order of steps."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.app.curves import Curves, Drawn
from floydtop.app.options import Options
from floydtop.app.panels import PanelSpec
from floydtop.app.view import View
from floydtop.events import Metrics
from floydtop.plot.braille import dots
from floydtop.plot.chart import Curve, framed_chart
from floydtop.plot.smoothing import Smoother
from floydtop.session.session import Session

LOSS = PanelSpec("training:loss", "loss", ("loss",), "training")

points = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf])),
    min_size=1,
    max_size=120,
)
windows = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda pair: pair[1] > pair[0])
widths = st.sampled_from([dots(20), dots(36), dots(61), dots(188)])


def view_of(values: list[float], options: Options, restart: int | None = None) -> View:
    """A metric's values at steps 0, 1, 2...; from `restart` on the steps begin again at a half of it."""
    session = Session()
    for place, value in enumerate(values):
        step = place if restart is None or place < restart else place - restart // 2 - 1
        session.apply(Metrics(values={"loss": value}, t=float(place), step=step, line=place + 1))
    return View(session, (), False, options)


def spans(drawn: list[Drawn], kind: str) -> dict[int, tuple[float, float, int]]:
    """Of each column: the least and the largest value drawn, and how many it marks as no numbers."""
    found: dict[int, tuple[float, float, int]] = {}
    for one in drawn:
        for place, column in enumerate(one.columns):
            if one.kind == kind and column is not None:
                low, high, bad = found.get(place, (math.inf, -math.inf, 0))
                lows = [low, column.low] if column.low == column.low else [low]
                highs = [high, column.high] if column.high == column.high else [high]
                found[place] = (min(lows), max(highs), bad + column.bad)
    return found


@given(points, windows, widths, st.one_of(st.none(), st.integers(2, 60)))
@settings(max_examples=150, deadline=None)
def test_each_point_in_view_lies_within_its_column_or_is_marked(
    values: list[float], window: list[float], width: int, restart: int | None
) -> None:
    view = view_of(values, Options(axis="step", window=(window[0], window[1])), restart)
    x0, x1 = view.x_range(LOSS)
    columns = spans(Curves().draw(view, LOSS, width), "line")
    series = view.session.metrics["loss"]
    for x, y in zip(view.xs(LOSS, "loss"), series.values, strict=True):
        if not x0 < x < x1:
            continue
        place = min(width - 1, int((x - x0) / (x1 - x0) * width))
        # On the border between two columns rounding decides.
        near = [columns[at] for at in (place - 1, place, place + 1) if at in columns]
        if math.isfinite(y):
            assert any(low <= y <= high for low, high, _ in near)
        else:
            assert any(bad for _, _, bad in near)


@given(points, windows, widths, st.sampled_from([0.6, 0.9, 0.999]))
@settings(max_examples=100, deadline=None)
def test_smoothed_values_do_not_depend_on_zoom_and_width(
    values: list[float], window: list[float], width: int, weight: float
) -> None:
    options = Options(axis="step", smoothing=weight, window=(window[0], window[1]))
    view = view_of(values, options)
    smooth = set(Smoother(weight).extend(values))
    columns = spans(Curves().draw(view, LOSS, width), "line")
    for place, (low, high, _) in columns.items():
        # At the edges of the view a line runs on to a point outside it.
        if low <= high and min(columns) < place < max(columns):
            assert {low, high} <= smooth


@given(points.filter(lambda ys: any(map(math.isfinite, ys))), st.sampled_from([0.6, 0.95]))
@settings(max_examples=50, deadline=None)
def test_the_smoothed_curve_reaches_the_last_point_and_raw_values_stay_beneath(
    values: list[float], weight: float
) -> None:
    view = view_of([*values, 1.0], Options(axis="step", smoothing=weight))
    drawn = Curves().draw(view, LOSS, dots(30))
    line, raw = spans(drawn, "line"), spans(drawn, "raw")
    assert max(line) == max(raw)
    plain = spans(Curves().draw(replace(view, options=Options(axis="step")), LOSS, dots(30)), "line")
    assert raw == plain


@pytest.mark.parametrize("size", [(78, 18), (118, 32), (198, 42)])
@pytest.mark.parametrize("place", [1, 54_321, 99_998])
def test_one_spike_in_a_hundred_thousand_points_reaches_the_top_of_the_large_chart(
    size: tuple[int, int], place: int
) -> None:
    session = Session()
    for step in range(100_000):
        session.apply(Metrics(values={"loss": 100.0 if step == place else 1.0}, t=step / 10, step=step))
    view = View(session, (), False, Options(axis="step"))
    drawn = Curves().draw(view, LOSS, 2 * size[0])
    text = framed_chart(
        [Curve("loss", one.columns, (255, 255, 255)) for one in drawn],
        *size,
        x_range=view.x_range(LOSS),
        y_range=(0.0, 100.0),
        x_ticks=[],
        y_ticks=[(0.0, "0"), (100.0, "100")],
    )
    rows = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")
    top = next(row for row in rows if "100" in row)
    assert re.search("[\u2801-\u28ff]", top)
