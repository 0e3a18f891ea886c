"""Thinning leaves fewer points, of which all that is drawn, counted and averaged stays true."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Column
from floydtop.session.thin import Points, of_column, thinned, to_column

some_values = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf]), max_size=300
)
groups = st.floats(1.0, 40.0)


def of(values: list[float]) -> Points:
    """Points whose time, step and line tell which they are."""
    points = Points()
    for place, value in enumerate(values):
        points.append(place / 2, place, value, epoch=place // 10, line=place + 1)
    return points


def finite(values: list[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


@given(some_values, groups, groups)
@settings(max_examples=60, deadline=None)
def test_count_mean_and_extremes_are_as_before_however_often_it_is_done(
    values: list[float], first: float, second: float
) -> None:
    points = thinned(thinned(of(values), first), second)
    assert points.count == len(values)
    known = finite(values)
    kept = [value for value in points.values if math.isfinite(value)]
    assert min(kept, default=0) == min(known, default=0)
    assert max(kept, default=0) == max(known, default=0)
    means = list(points.values if points.means is None else points.means)
    weights = [1.0] * len(points) if points.weights is None else list(points.weights)
    pairs = [(m, w) for m, w, v in zip(means, weights, points.values, strict=True) if math.isfinite(v)]
    assert sum(weight for _, weight in pairs) == len(known)
    if known:
        total = math.fsum(mean * weight for mean, weight in pairs)
        assert total == pytest.approx(math.fsum(known), rel=1e-9, abs=1e-6)


@given(some_values, groups)
@settings(max_examples=60, deadline=None)
def test_what_stays_are_points_that_were_there_in_their_order(values: list[float], group: float) -> None:
    before, after = of(values), thinned(of(values), group)
    places = [round(step) for step in after.steps]
    assert places == sorted(set(places))
    for index, place in enumerate(places):
        assert repr(after.values[index]) == repr(before.values[place])
        assert (after.times[index], after.lines[index]) == (place / 2, place + 1)
        assert after.epochs is not None
        assert after.epochs[index] == place // 10


@given(some_values, st.integers(3, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_any_window_keeps_its_extremes_to_within_a_group(
    values: list[float], group: int, data: st.DataObject
) -> None:
    """What lies in whole groups inside of the window is covered by what stays inside of the window."""
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    after = thinned(of(values), group)
    kept = [v for v, place in zip(after.values, after.steps, strict=True) if start <= place < stop]
    inner = values[-(-start // group) * group : stop // group * group]
    if finite(inner):
        assert min(finite(kept)) <= min(finite(inner))
        assert max(finite(kept)) >= max(finite(inner))
    if len(finite(inner)) < len(inner):
        assert len(finite(kept)) < len(kept), "what is not finite never vanishes wholly"


def test_of_each_group_at_most_three_points_stay() -> None:
    values = [math.sin(place) if place % 50 else math.nan for place in range(10_000)]
    assert len(thinned(of(values), 100)) == 300


def test_a_lone_spike_among_a_million_points_stays() -> None:
    values = array("d", [1.0]) * 1_000_000
    values[567_890] = 100.0
    zeros = array("d", [0.0]) * len(values)
    points = Points(zeros, array("d", range(len(values))), values, array("q", [0]) * len(values))
    for group in (4, 8, 16, 64, 4096):
        points = thinned(points, group)
    place = points.values.index(100.0)
    assert points.steps[place] == 567_890
    assert len(points) < 300


def test_a_constant_stays_constant() -> None:
    points = thinned(thinned(of([0.1] * 1000), 7), 30)
    assert points.means is not None
    assert set(points.values) == set(points.means) == {0.1}


def test_equal_values_with_other_means_are_averaged() -> None:
    low = thinned(of([1.0, 3.0, 1.0, 1.0, 5.0, 1.0, 1.0, 9.0]), 4)
    points = thinned(low, 8)
    assert points.means is not None
    assert list(points.means) == [22 / 8] * 2


def test_a_group_that_would_stay_whole_is_left_alone() -> None:
    points = thinned(of([1.0, 2.0, math.nan, 3.0, 3.5, 4.0]), 3)
    assert points.weights is not None
    assert list(points.weights) == [1.0, 1.0, 1.0, 1.5, 1.5]
    assert points.means is not None
    assert list(points.means)[:2] == [1.0, 2.0]


def test_values_near_the_largest_float_have_a_finite_mean() -> None:
    points = thinned(of([1.7e308, 1.6e308, 1.5e308, 1.7e308]), 4)
    assert points.means is not None
    assert all(map(math.isfinite, points.means))


@given(some_values, groups)
@settings(max_examples=60, deadline=None)
def test_a_column_holds_all_that_points_are(values: list[float], group: float) -> None:
    points = thinned(of(values), group)
    assert repr(of_column(to_column(points))) == repr(points)


def test_lists_of_another_length_count_as_unknown() -> None:
    points = of_column(
        Column(values=[1.0, None], times=[1.0], lines=[4, 5, 6], weights=[2.0], odd={9: "NaN"})
    )
    assert [repr(value) for value in points.values] == ["1.0", "nan"]
    assert all(map(math.isnan, points.times))
    assert list(points.lines) == [0, 0]
    assert points.weights is None


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e300])
def test_weights_that_count_nothing_are_not_believed(weight: float) -> None:
    assert of_column(Column(values=[1.0, 2.0], weights=[1.0, weight])).count == 2
