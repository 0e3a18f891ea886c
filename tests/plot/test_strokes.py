from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.columns import Column
from floydtop.plot.strokes import StrokeCache

numbers = st.one_of(st.floats(), st.integers(-(10**400), 10**400))


def point(value):
    return Column(value, value, value, value, 0)


def test_steps_that_start_again_make_a_second_stroke():
    first, second = StrokeCache().strokes([0, 1, 2, 1, 2], [5, 6, 7, 8, 9], 0, 2, 3)
    assert list(first) == [point(5), point(6), point(7)]
    assert list(second) == [None, point(8), point(9)]


def test_restart_is_found_when_it_arrives():
    cache = StrokeCache()
    xs, ys = [0, 1, 2], [5, 6, 7]
    assert len(cache.strokes(xs, ys, 0, 2, 3)) == 1
    xs.append(1)
    ys.append(8)
    assert len(cache.strokes(xs, ys, 0, 2, 3)) == 2


def test_restart_after_a_point_without_step_is_found():
    assert len(StrokeCache().strokes([5, math.nan, 2], [1, 1, 1], 0, 5, 3)) == 2


def test_x_that_goes_back_and_forth_is_one_stroke():
    xs = [0, 1] * 100
    (stroke,) = StrokeCache().strokes(xs, xs, 0, 1, 2)
    assert list(stroke) == [point(0), point(1)]


def test_series_of_no_points_has_no_strokes():
    assert StrokeCache().strokes([], [], 0, 1, 2) == []


def test_another_series_starts_anew():
    cache = StrokeCache()
    cache.strokes([3, 1], [1, 1], 0, 3, 2)
    assert len(cache.strokes([0, 1, 2], [1, 2, 3], 0, 3, 2)) == 1


def test_line_to_a_point_outside_the_view_runs_on_to_its_edge():
    (stroke,) = StrokeCache().strokes([0, 10], [0, 100], 4, 6, 3)
    assert list(stroke) == [point(40), None, point(60)]


def test_line_does_not_run_on_across_nan():
    (stroke,) = StrokeCache().strokes([0, 10], [0, math.nan], 4, 6, 3)
    assert list(stroke) == [None, None, None]


def test_hidden_values_of_all_strokes_are_counted():
    cache = StrokeCache(log=True)
    cache.strokes([0, 1, 0, 1], [1, 0, -1, 1], 0, 1, 2)
    assert cache.hidden == 2


@given(
    st.lists(st.tuples(numbers, numbers), max_size=60),
    st.lists(st.integers(0, 60), max_size=3),
    numbers,
    numbers,
    st.integers(0, 8),
    st.booleans(),
)
def test_no_input_raises(pairs, sizes, x0, x1, count, log):
    cache = StrokeCache(log=log)
    for size in [*sizes, len(pairs)]:
        xs, ys = [x for x, _ in pairs[:size]], [y for _, y in pairs[:size]]
        assert all(len(stroke) == count for stroke in cache.strokes(xs, ys, x0, x1, count))


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-9, 9)), max_size=40), st.integers(0, 40))
def test_growing_series_gives_the_strokes_of_the_whole(pairs, size):
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    cache = StrokeCache()
    cache.strokes(xs[:size], ys[:size], 0, 9, 5)
    assert cache.strokes(xs, ys, 0, 9, 5) == StrokeCache().strokes(xs, ys, 0, 9, 5)
