from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.outliers import clipped_range


def test_range_without_outliers_is_that_of_all_points():
    assert clipped_range(range(101)) == (0, 100, 0)


def test_few_far_points_are_left_out_and_counted():
    assert clipped_range([*range(101), 1e6, -1e6]) == (0, 100, 2)


def test_few_deviations_from_a_constant_are_shown():
    assert clipped_range([1.0] * 100 + [5.0]) == (1, 5, 0)


def test_nan_is_neither_shown_nor_counted():
    assert clipped_range([math.nan, 1, 2, math.inf]) == (1, 2, 0)
    assert all(map(math.isnan, clipped_range([math.nan])[:2]))


@given(st.lists(st.one_of(st.floats(), st.integers(-(10**400), 10**400)), max_size=200))
def test_count_is_that_of_the_finite_points_outside(ys):
    low, high, hidden = clipped_range(ys)
    kept = [float(y) for y in ys if isinstance(y, float) or abs(y) < 10**308]
    finite = [y for y in kept if math.isfinite(y)]
    assert hidden == sum(not low <= y <= high for y in finite)
    assert hidden * 9 <= len(finite)
