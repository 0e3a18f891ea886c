"""A series keeps every point, and knows its range without being asked twice."""

from __future__ import annotations

import math
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.session.series import Series, SystemSeries

points = st.lists(
    st.tuples(
        st.none() | st.floats(-1e6, 1e6),
        st.none() | st.integers(0, 10**9),
        st.floats(width=32),
    )
)


@given(points)
@settings(max_examples=80, deadline=None)
def test_extremes_are_those_of_the_finite_values(found: list[tuple[float | None, int | None, float]]) -> None:
    series = Series("loss")
    for t, step, value in found:
        series.append(t, step, value)
    finite = [value for *_, value in found if math.isfinite(value)]
    assert len(series) == len(found)
    assert series.not_finite == len(found) - len(finite)
    assert series.minimum == min(finite, default=math.inf)
    assert series.maximum == max(finite, default=-math.inf)
    steps = [step for _, step, _ in found if step is not None]
    assert (series.step_low, series.step_high) == (
        min(steps, default=math.inf),
        max(steps, default=-math.inf),
    )
    assert series.has_times == any(t is not None for t, *_ in found)
    assert series.has_steps == bool(steps)


def test_an_empty_series_knows_nothing_rather_than_zero() -> None:
    series = Series("loss")
    assert math.isnan(series.last)
    assert math.isnan(series.mean)
    assert series.last_step is None
    assert not series


def test_a_nan_is_kept_and_counted_and_spoils_no_mean() -> None:
    series = Series("loss")
    for value in (1.0, math.nan, 3.0, math.inf):
        series.append(0.0, 1, value)
    assert list(series.values)[:1] == [1.0]
    assert math.isnan(series.values[1])
    assert series.mean == 2.0
    assert series.not_finite == 2


def test_a_point_without_a_place_on_an_axis_is_nan_there() -> None:
    series = Series("loss")
    series.append(None, 3, 1.0)
    series.append(2.0, None, 1.0)
    assert math.isnan(series.times[0])
    assert math.isnan(series.steps[1])
    assert series.last_step is None


def test_estimated_times_are_remembered_as_such() -> None:
    series = Series("loss")
    series.append(1.0, None, 1.0)
    assert not series.has_estimates
    series.append(2.0, None, 1.0, estimated=True)
    assert series.has_estimates


def test_a_system_series_keeps_mean_low_and_high_of_each_tick() -> None:
    series = SystemSeries("cpu.percent")
    series.append(60.0, 50.0, 10.0, 90.0)
    assert len(series) == 1
    assert (series.times[0], series.means[0], series.lows[0], series.highs[0]) == (60.0, 50.0, 10.0, 90.0)


def test_an_epoch_serves_as_the_step_where_there_is_no_step() -> None:
    series = Series("loss")
    series.append(None, None, 1.0, epoch=2.0)
    assert (list(series.steps), series.in_epochs) == ([2.0], True)
    assert list(series.in_epoch_units()) == [2.0]


def test_lines_with_step_and_epoch_keep_both() -> None:
    series = Series("loss")
    series.append(None, 100, 1.0)
    series.append(None, 200, 1.0, epoch=2.0)
    series.append(None, 300, 1.0)
    assert list(series.steps) == [100, 200, 300]
    assert [repr(epoch) for epoch in series.in_epoch_units()] == ["nan", "2.0", "nan"]


def test_a_step_that_falls_is_a_restart() -> None:
    series = Series("loss")
    for step in (1, 2, 1, 2, 2, 0):
        series.append(None, step, 1.0)
    assert series.restarts == 2


def made_of(found: list[tuple[float | None, int | None, float]]) -> Series:
    """A series of these points."""
    series = Series("loss")
    for t, step, value in found:
        series.append(t, step, value)
    return series


def amounts(series: Series) -> tuple[object, ...]:
    """What a series amounts to, but for its mean."""
    steps = (series.step_low, series.step_high, series.restarts)
    return (series.count, series.not_finite, series.minimum, series.maximum, *steps)


@given(points, st.lists(st.integers(0, 60), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_the_first_points_of_a_series_amount_to_the_same_however_they_are_reached(
    found: list[tuple[float | None, int | None, float]], counts: list[int]
) -> None:
    with patch("floydtop.session.series.MILESTONE", 4):
        whole, shown = made_of(found), Series("loss")
        for count in counts:
            count = min(count, len(found))
            shown.show(whole, count)
            fresh = made_of(found[:count])
            assert amounts(shown) == amounts(fresh)
            finite = [abs(value) for *_, value in found[:count] if math.isfinite(value)]
            assert not finite or math.isclose(shown.mean, fresh.mean, abs_tol=max(finite) * 1e-9)
