from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.plot.scale import nice_ticks
from floydtop.plot.units import (
    format_bytes,
    format_clock,
    format_duration,
    format_rate,
    format_reading,
    format_step,
    format_ticks,
    format_value,
    local_midnight,
)

anything = st.one_of(st.floats(), st.integers(), st.integers(-(10**400), 10**400))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4123456, "0.4123"),
        (-0.51234, "-0.512"),
        (0.5, "0.5"),
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (12.3456, "12.35"),
        (100, "100"),
        (9999.4, "9999"),
        (9999.6, "10k"),
        (12_345, "12.3k"),
        (-12_345, "-12.3k"),
        (999_600, "1M"),
        (1_234_567, "1.23M"),
        (3.1e-5, "3.1e-5"),
        (-3.1e-5, "-3e-5"),
        (0.00099999, "1e-3"),
        (1e300, "1e300"),
        (-1.25e300, "-1e300"),
        (5e-324, "5e-324"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (10**400, "inf"),
    ],
)
def test_value_is_short_and_keeps_its_digits(value, text):
    assert format_value(value) == text


@given(anything)
def test_value_takes_at_most_six_columns(value):
    assert 1 <= len(format_value(value)) <= 6


@given(st.floats(min_value=1e-9, max_value=1e90))
def test_value_reads_back_within_its_last_digit(value):
    text = format_value(value)
    for suffix, factor in (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)):
        text = text.replace(suffix, f"e{int(math.log10(factor))}")
    assert float(text) == pytest.approx(value, rel=0.06)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (120, "120"), (9999, "9999"), (12_400, "12.4k"), (1_200_000, "1.2M"), (1.5, "1.5")],
)
def test_step_is_a_whole_number_or_has_a_unit(value, text):
    assert format_step(value) == text


@given(anything)
def test_step_takes_at_most_six_columns(value):
    assert 1 <= len(format_step(value)) <= 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1.0 KiB"),
        (1.2 * 1024**3, "1.2 GiB"),
        (123 * 1024**2, "123 MiB"),
        (141 * 1024**3, "141 GiB"),
        (math.nan, "NaN B"),
    ],
)
def test_bytes_have_binary_units(value, text):
    assert format_bytes(value) == text


@given(anything)
def test_bytes_take_at_most_eight_columns_and_rates_ten(value):
    assert len(format_bytes(value)) <= 8
    assert len(format_rate(value)) <= 10


def test_rate_uses_the_units_of_bytes():
    assert format_rate(3.4 * 1024**2) == "3.4 MiB/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.012, "12ms"),
        (0.9999, "1s"),
        (4.25, "4.2s"),
        (45, "45s"),
        (59.7, "1m"),
        (750, "12m30s"),
        (3599.9, "1h"),
        (4800, "1h20m"),
        (86_399, "1d"),
        (3 * 86_400 + 4 * 3600, "3d4h"),
        (400 * 86_400, "400d"),
        (-750, "-12m30s"),
        (math.nan, "?"),
        (math.inf, "inf"),
    ],
)
def test_duration_shows_its_two_largest_units(seconds, text):
    assert format_duration(seconds) == text


@given(anything)
def test_duration_takes_at_most_six_columns_and_a_sign(value):
    assert len(format_duration(value).lstrip("-")) <= 6


def test_clock_is_as_fine_as_the_axis_needs(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    noon = 1_700_000_000  # Tuesday, 2023-11-14 22:13:20
    labels = [format_clock(noon, span) for span in (60, 7200, 2 * 86_400, 30 * 86_400, 900 * 86_400)]
    monkeypatch.undo()
    time.tzset()
    assert labels == ["22:13:20", "22:13", "Tue 22:13", "Nov 14", "2023-11"]


@given(anything, anything)
def test_clock_never_raises(unix, span):
    assert format_clock(unix, span)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0, 0.5, 1], ["0.0", "0.5", "1.0"]),
        ([0, 100, 200], ["0", "100", "200"]),
        ([12_400, 12_410, 12_420], ["12400", "12410", "12420"]),
        ([0, 10_000, 20_000], ["0", "10k", "20k"]),
        ([0, 500_000, 1_000_000], ["0", "500k", "1M"]),
        ([0, 1e-5, 2e-5], ["0", "1e-5", "2e-5"]),
        ([1e9, 1e9 + 1, 1e9 + 2], ["1G", "+1", "+2"]),
        ([-2e-5, -1.5e-5, -1e-5], ["-2e-5", "", "-1e-5"]),
    ],
)
def test_tick_labels_tell_ticks_apart_with_as_few_decimals_as_that_takes(ticks, labels):
    assert format_ticks(ticks) == labels


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_tick_labels_differ_and_take_at_most_six_columns(low, high):
    ticks = nice_ticks(low, high, 5)
    labels = format_ticks(ticks)
    shown = [label for label in labels if label]
    assert len(labels) == len(ticks)
    assert all(len(label) <= 6 for label in labels)
    assert len(set(shown)) == len(shown)
    assert bool(shown) == bool(ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5.1e29, "-5.1e29"),
        (1.7e308, "1.7e308"),
        (2.9956e-4, "2.996e-4"),
        (3e-4, "3e-4"),
        (-1.2345e-12, "-1.235e-12"),
        (0.4123456, "0.4123"),
        (0, "0"),
    ],
)
def test_reading_keeps_four_digits_of_very_small_and_large_values(value, text):
    assert format_reading(value) == text


@given(anything)
def test_reading_takes_at_most_ten_columns(value):
    assert 1 <= len(format_reading(value)) <= 10


def test_local_midnight_is_that_of_the_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert local_midnight(1_700_000_000) == 1_700_000_000 - (3 * 3600 + 43 * 60 + 20)
        assert local_midnight(math.inf) == 0.0
    finally:
        monkeypatch.undo()
        time.tzset()
