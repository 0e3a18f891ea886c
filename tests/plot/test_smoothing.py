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
