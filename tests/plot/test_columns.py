from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.columns import Column, ColumnCache, extent, spread

numbers = st.one_of(st.floats(), st.integers(-1000, 1000), st.integers(-(10**400), 10**400))
points = st.lists(st.tuples(numbers, numbers), max_size=200)


def binned(xs, ys, x0, x1, count, **options):
    return list(ColumnCache(**options).columns(xs, ys, x0, x1, count))


def test_column_knows_first_last_low_and_high_of_its_points():
    assert binned([0, 1, 2, 3], [5, 9, 1, 4], 0, 10, 1) == [Column(5, 4, 1, 9, 0)]


def test_columns_without_points_are_none():
    assert binned([0, 10], [1, 2], 0, 10, 4) == [Column(1, 1, 1, 1, 0), None, None, Column(2, 2, 2, 2, 0)]


def test_points_outside_the_range_are_left_out():
    assert binned([-1, 0, 5, 11], [7, 1, 2, 7], 0, 10, 2) == [Column(1, 1, 1, 1, 0), Column(2, 2, 2, 2, 0)]


def test_points_without_x_are_left_out():
    assert binned([math.nan, 0], [7, 1], 0, 1, 1) == [Column(1, 1, 1, 1, 0)]


def test_not_finite_values_are_counted_and_do_not_hide_the_others():
    assert binned([0, 1, 2], [math.nan, 3, -math.inf], 0, 2, 1) == [Column(3, 3, 3, 3, 2)]


def test_column_of_nothing_but_nan_is_not_an_empty_one():
    (column,) = binned([0, 1], [math.nan, math.inf], 0, 2, 1)
    assert column.bad == 2
    assert math.isnan(column.low)


def test_order_of_arrival_decides_first_and_last():
    (column,) = binned([5, 1, 3], [50, 10, 30], 0, 10, 1)
    assert (column.first, column.last) == (50, 30)


def test_logarithm_leaves_out_and_counts_what_is_not_above_zero():
    cache = ColumnCache(log=True)
    columns = cache.columns([0, 1, 2, 3, 4], [100, 0, -5, 10, math.nan], 0, 4, 1)
    assert columns[0] == Column(2, 1, 1, 2, 1)
    assert cache.hidden == 2


def test_unchanged_series_gives_the_same_object():
    cache = ColumnCache()
    xs, ys = [0.0, 1.0], [1.0, 2.0]
    assert cache.columns(xs, ys, 0, 1, 4) is cache.columns(xs, ys, 0, 1, 4)


def test_new_points_leave_columns_handed_out_before_alone():
    cache = ColumnCache()
    before = cache.columns([0], [1], 0, 1, 2)
    cache.columns([0, 0], [1, 9], 0, 1, 2)
    assert before[0] == Column(1, 1, 1, 1, 0)


def test_another_series_is_binned_from_its_start():
    cache = ColumnCache()
    cache.columns([0, 1], [1, 2], 0, 1, 1)
    assert cache.columns([0, 1, 2], [3, 4, 5], 0, 1, 1)[0] == Column(3, 4, 3, 4, 0)
    assert cache.columns([0], [6], 0, 1, 1)[0] == Column(6, 6, 6, 6, 0)


def test_only_new_points_are_visited():
    class Counting(list):
        visited = 0

        def __getitem__(self, index):
            found = super().__getitem__(index)
            Counting.visited += len(found) if isinstance(index, slice) else 1
            return found

    xs, ys = list(range(10_000)), Counting(range(10_000))
    cache = ColumnCache()
    cache.columns(xs, ys, 0, 20_000, 100)
    Counting.visited = 0
    xs.append(10_000)
    ys.append(1)
    cache.columns(xs, ys, 0, 20_000, 100)
    assert Counting.visited < 20


@given(points, numbers, numbers, st.integers(0, 20), st.booleans())
def test_no_input_raises(pairs, x0, x1, count, log):
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    assert len(binned(xs, ys, x0, x1, count, log=log)) == count


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(allow_nan=True)), max_size=300),
    st.integers(1, 20),
    st.lists(st.integers(0, 300), max_size=4),
    st.booleans(),
)
def test_growing_series_gives_the_columns_of_the_whole(pairs, count, sizes, rising):
    if rising:
        pairs = sorted(pairs, key=lambda pair: pair[0])
    xs, ys = array("d", (x for x, _ in pairs)), array("d", (y for _, y in pairs))
    cache = ColumnCache()
    for size in sorted(sizes):
        cache.columns(xs[:size], ys[:size], 0, 100, count)
    assert repr(list(cache.columns(xs, ys, 0, 100, count))) == repr(binned(xs, ys, 0, 100, count))


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(allow_nan=True)), min_size=1, max_size=300),
    st.integers(1, 20),
    st.booleans(),
)
def test_each_column_covers_its_points_and_counts_the_others(pairs, count, rising):
    if rising:
        pairs = sorted(pairs, key=lambda pair: pair[0])
    columns = binned([x for x, _ in pairs], [y for _, y in pairs], 0, 100, count)
    for x, y in pairs:
        column = columns[min(count - 1, int(x / 100 * count))]
        assert column is not None
        if math.isfinite(y):
            assert column.low <= y <= column.high
    assert sum(column.bad for column in columns if column is not None) == sum(
        not math.isfinite(y) for _, y in pairs
    )


@pytest.mark.parametrize("scale", [1e300, 1.7e308, 1e-300, 5e-324])
def test_extreme_ranges_keep_their_points(scale):
    columns = binned([-scale, 0, scale], [1, 2, 3], -scale, scale, 2)
    assert extent(columns) == (1, 3)


def test_extent_of_nothing_is_nan():
    assert all(map(math.isnan, extent([None, Column(math.nan, math.nan, math.nan, math.nan, 1)])))


def test_spread_covers_the_extremes_of_each_tick():
    middles = binned([0, 1], [5, 6], 0, 1, 2)
    lows = binned([0, 1], [1, math.nan], 0, 1, 2)
    highs = binned([0, 1], [9, 7], 0, 1, 2)
    assert spread(middles, lows, highs) == [Column(5, 5, 1, 9, 0), Column(6, 6, 6, 6, 0)]


def test_spike_in_a_million_points_survives():
    noise = random.Random(1)
    ys = array("d", (1 + noise.random() for _ in range(1_000_000)))
    ys[654_321] = 100
    columns = binned(range(1_000_000), ys, 0, 999_999, 120)
    assert max(column.high for column in columns) == 100
