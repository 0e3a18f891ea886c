from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.smoothing import Smoother

finite = st.floats(allow_nan=False, allow_infinity=False)
weights = st.floats(0, 0.999)
values = st.lists(st.one_of(st.floats(), st.integers(-(10**400), 10**400)), max_size=100)


def smoothed(ys, weight):
    return list(Smoother(weight).extend(ys))


def test_weights_are_those_of_a_debiased_average():
    weight, ys = 0.9, [3.0, -1.0, 4.0, 1.0, 5.0]
    expected = [
        sum(weight ** (n - i) * ys[i] for i in range(n + 1)) / sum(weight ** (n - i) for i in range(n + 1))
        for n in range(len(ys))
    ]
    assert smoothed(ys, weight) == pytest.approx(expected)


@given(st.lists(finite, max_size=100))
def test_weight_zero_changes_nothing(ys):
    assert smoothed(ys, 0) == pytest.approx(ys)


@given(finite, st.integers(1, 200), weights)
def test_constant_stays_constant(value, count, weight):
    assert smoothed([value] * count, weight) == [value] * count


@given(values, values, weights)
def test_first_values_do_not_depend_on_later_ones(ys, later, weight):
    assert repr(smoothed(ys + later, weight)[: len(ys)]) == repr(smoothed(ys, weight))


@given(values, st.integers(0, 100), weights)
def test_growing_series_gives_the_values_of_the_whole(ys, size, weight):
    smoother = Smoother(weight)
    smoother.extend(ys[:size])
    assert repr(list(smoother.extend(ys))) == repr(smoothed(ys, weight))


@given(values, weights)
def test_smoothed_values_lie_between_the_extremes(ys, weight):
    kept = []
    for y, mean in zip(ys, smoothed(ys, weight), strict=True):
        if (isinstance(y, float) and math.isfinite(y)) or (isinstance(y, int) and abs(y) < 1e308):
            kept.append(float(y))
            slack = (max(map(abs, kept)) + 1e-300) * 1e-9
            assert min(kept) - slack <= mean <= max(kept) + slack
        else:
            assert math.isnan(mean)


def test_nan_is_skipped_and_keeps_its_place():
    first, second, third = smoothed([1.0, math.nan, 1.0], 0.9)
    assert (first, third) == (1.0, 1.0)
    assert math.isnan(second)


def test_shorter_series_is_another_series():
    smoother = Smoother(0.5)
    smoother.extend([5.0, 5.0])
    assert list(smoother.extend([1.0])) == [1.0]


def test_arrays_are_welcome():
    assert smoothed(array("d", [1, 1]), 0.5) == [1, 1]


def test_a_point_that_stands_for_several_counts_as_so_many():
    ys = [1.0, 1.0, 1.0, 4.0, 4.0, 2.0]
    few = Smoother(0.9).extend([1.0, 4.0, 2.0], [1.0, 4.0, 2.0], [3.0, 2.0, 1.0])
    assert list(few) == pytest.approx([smoothed(ys, 0.9)[place] for place in (2, 4, 5)])


@given(st.lists(finite, max_size=100), weights)
def test_weights_of_one_change_nothing(ys, weight):
    assert list(Smoother(weight).extend(ys, ys, [1.0] * len(ys))) == smoothed(ys, weight)


@given(finite, st.lists(st.floats(1, 1e6), max_size=100), weights)
def test_a_constant_stays_constant_whatever_its_points_stand_for(value, counts, weight):
    same = [value] * len(counts)
    assert list(Smoother(weight).extend(same, same, counts)) == same


@given(st.integers(1, 1500), st.sampled_from([0.0, 0.6, 0.9, 0.99]), st.sampled_from([1.0, 8.0]))
def test_a_long_series_is_smoothed_alike_in_parts_and_whole(size, weight, count):
    ys = array("d", [math.sin(place) for place in range(1600)])
    counts = array("d", [count]) * len(ys)
    smoother = Smoother(weight)
    smoother.extend(ys[:size], ys[:size], counts[:size])
    assert smoother.extend(ys, ys, counts) == Smoother(weight).extend(ys, ys, counts)


def test_what_is_not_finite_is_skipped_in_a_long_series():
    ys = array("d", [1.0]) * 2000
    ys[1500] = math.nan
    ys[1700] = math.inf
    values = smoothed(ys, 0.6)
    assert {value for value in values if value == value} == {1.0}
    assert [place for place, value in enumerate(values) if value != value] == [1500, 1700]
