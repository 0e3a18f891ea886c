from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.scale import Scale, log_ticks, nice_ticks, time_ticks, x_range
from floydtop.plot.units import format_value

finite = st.floats(allow_nan=False, allow_infinity=False)
anything = st.one_of(st.floats(), st.integers(-(10**400), 10**400))


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 1, 3, [0, 0.5, 1]),
        (0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.1, 0.30000000000000004, 3, [0.1, 0.2, 0.3]),
        (-1, 1, 3, [-1, 0, 1]),
        (0, 2500, 4, [0, 1000, 2000]),
        (3, 3, 4, [3]),
        (math.nan, 1, 4, []),
        (0, math.inf, 4, []),
        (0, 1, 0, []),
    ],
)
def test_ticks_are_round_numbers(low, high, count, ticks):
    assert nice_ticks(low, high, count) == ticks


def test_integer_ticks_leave_out_halves():
    assert nice_ticks(0, 3, 10, integer=True) == [0, 1, 2, 3]
    assert nice_ticks(0, 10, 5, integer=True) == [0, 5, 10]


@given(anything, anything, st.integers(-1, 12), st.booleans())
def test_ticks_are_few_rising_and_within_the_range(low, high, count, integer):
    ticks = nice_ticks(low, high, count, integer=integer)
    assert len(ticks) <= max(count, 0)
    assert all(a < b for a, b in itertools.pairwise(ticks))
    if ticks:
        low, high = sorted((float(low), float(high)))
        slack = (high / 2 - low / 2) * 1e-8
        assert low - slack <= ticks[0]
        assert ticks[-1] <= high + slack


@given(finite, finite)
def test_an_axis_with_room_has_at_least_two_ticks(low, high):
    if low != high:
        assert len(nice_ticks(low, high, 3)) >= 2


def test_log_ticks_are_decades_or_numbers_within_them():
    assert log_ticks(-3, 2, 6) == [-3, -2, -1, 0, 1, 2]
    assert [format_value(10**tick) for tick in log_ticks(-0.1, 1.1, 3)] == ["1", "3", "10"]
    assert [format_value(10**tick) for tick in log_ticks(0, 1, 4)] == ["1", "2", "5", "10"]


@given(anything, anything, st.integers(-1, 12))
def test_log_ticks_never_raise_and_are_few(low, high, count):
    assert len(log_ticks(low, high, count)) <= max(count, 0)


def test_time_ticks_fall_on_whole_minutes_and_hours():
    assert time_ticks(0, 100, 4) == [0, 30, 60, 90]
    assert time_ticks(0, 3600, 5) == [0, 900, 1800, 2700, 3600]
    assert time_ticks(100, 10_000, 4, origin=600) == [600, 4200, 7800]


def test_ticks_less_than_a_second_apart_count_from_the_start_too():
    assert time_ticks(0.1, 3.8, 4, origin=-0.25) == [0.75, 1.75, 2.75, 3.75]


@given(anything, anything, st.integers(-1, 12), finite)
def test_time_ticks_never_raise_and_are_few(low, high, count, origin):
    assert len(time_ticks(low, high, count, origin=origin)) <= max(count, 0)


def test_finished_job_has_an_exact_axis():
    assert x_range(3, 977, live=False) == (3, 977)


def test_live_axis_moves_rarely():
    ends = {x_range(0, step, live=True)[1] for step in range(1, 10_001)}
    assert len(ends) <= 45
    assert all(x_range(0, step, live=True)[1] >= step for step in range(1, 10_001))


def test_live_axis_is_at_most_a_quarter_too_long():
    assert all(x_range(0, step, live=True)[1] <= step * 1.29 for step in range(1, 10_001))


@given(anything, anything, st.booleans())
def test_x_range_always_has_room(low, high, live):
    start, end = x_range(low, high, live=live)
    assert start < end
    assert math.isfinite(start)
    assert math.isfinite(end)


def test_scale_without_data_is_zero_to_one():
    scale = Scale()
    assert not scale.fit(math.nan, math.nan)
    assert (scale.low, scale.high) == (0, 1)


def test_first_range_is_tight_and_round():
    scale = Scale()
    assert scale.fit(0.13, 2.31)
    assert (scale.low, scale.high) == (0, 2.5)


def test_data_within_the_range_leave_it_alone():
    scale = Scale()
    scale.fit(0, 10)
    assert not scale.fit(1, 9)
    assert not scale.fit(0, 4)


def test_range_shrinks_when_data_need_less_than_a_third():
    scale = Scale()
    scale.fit(0, 10)
    assert scale.fit(0, 3)
    assert (scale.low, scale.high) == (0, 3)


def test_growing_data_move_the_axis_rarely():
    scale = Scale()
    changes = sum(scale.fit(0, value) for value in range(1, 10_001))
    assert changes <= 60


def test_percentages_do_not_get_an_axis_below_zero():
    scale = Scale()
    scale.fit(10, 20)
    scale.fit(0.5, 90)
    assert scale.low == 0


def test_constant_lies_in_the_middle():
    scale = Scale()
    scale.fit(0.5, 0.5)
    assert scale.low < 0.5 < scale.high
    assert scale.low + scale.high == pytest.approx(1)
    assert not scale.fit(0.5, 0.5)


@given(st.lists(st.tuples(anything, anything), max_size=8))
def test_range_always_holds_the_data_and_settles(bounds):
    scale = Scale()
    for low, high in bounds:
        scale.fit(low, high)
        assert scale.low < scale.high
        assert math.isfinite(scale.low)
        assert math.isfinite(scale.high)
        try:
            numbers = sorted((float(low), float(high)))
        except OverflowError:
            continue
        if all(map(math.isfinite, numbers)):
            assert scale.low <= numbers[0]
            assert numbers[1] <= scale.high
            assert not scale.fit(low, high)
