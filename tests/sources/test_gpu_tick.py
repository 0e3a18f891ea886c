"""Sums over a tick: extremes, and power from energy."""

from __future__ import annotations

import pytest

from floydtop.sources.gpu_tick import Energy, Tick


def test_tick_has_mean_of_means_and_extremes_of_extremes() -> None:
    tick = Tick()
    tick.add("a", 50, 10, 90)
    tick.add("a", 100, 95, 100)
    tick.add("b", 1, 1, 1)
    assert tick.drain() == {"a": (75, 10, 100), "b": (1, 1, 1)}


def test_tick_begins_anew_after_each_drain() -> None:
    tick = Tick()
    tick.add("a", 1, 1, 1)
    tick.drain()
    assert tick.drain() == {}


def test_mean_power_is_energy_over_the_time_between_drains() -> None:
    energy = Energy()
    energy.take(0, 10.0, 5000)
    energy.take(0, 11.0, 5300)
    assert energy.drain() == {0: 300}
    energy.take(0, 13.0, 5500)
    assert energy.drain() == {0: 100}


def test_power_needs_two_readings() -> None:
    energy = Energy()
    energy.take(0, 10.0, 5000)
    assert energy.drain() == {}


def test_energy_counts_from_the_first_look() -> None:
    energy = Energy()
    assert energy.take(0, 1, 7000) == 0
    assert energy.take(0, 2, 7250) == 250


def test_energy_goes_on_when_the_driver_counts_anew() -> None:
    energy = Energy()
    energy.take(0, 1, 7000)
    energy.take(0, 2, 7250)
    assert energy.take(0, 3, 100) == pytest.approx(250)
    assert energy.take(0, 4, 400) == pytest.approx(550)
    assert energy.drain() == {0: 300}
