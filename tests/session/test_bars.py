"""Which of a job's bars is the run's: told from how they come and go."""

from __future__ import annotations

import pytest

from floydtop.events import Progress
from floydtop.session.bars import Bars, Place


def read(*said: Progress) -> list[Place | None]:
    bars = Bars()
    return [bars.place(one) for one in said]


def shares(*said: Progress) -> list[float | None]:
    return [round(place.done / place.total, 4) if place else None for place in read(*said)]


def test_a_bar_within_epochs_is_a_part_of_its_epoch() -> None:
    assert shares(
        Progress(epoch=1, epochs=4),
        Progress(epoch=1, epochs=4, step=5, steps=10),
        Progress(epoch=2, epochs=4),
        Progress(epoch=2, epochs=4, step=10, steps=10),
        Progress(epoch=4, epochs=4, step=10, steps=10),
    ) == [0.0, 0.125, 0.25, 0.5, 1.0]


def test_epochs_that_count_from_zero_are_those_behind() -> None:
    assert shares(
        Progress(epoch=0, epochs=4, step=5, steps=10),
        Progress(epoch=1, epochs=4, step=0, steps=10),
        Progress(epoch=3, epochs=4, step=10, steps=10),
    ) == [0.125, 0.25, 1.0]


def test_a_validation_bar_moves_nothing() -> None:
    assert shares(
        Progress(epoch=1, epochs=2, step=5, steps=10),
        Progress(epoch=1, epochs=2, step=4, steps=4),
        Progress(epoch=1, epochs=2, step=6, steps=10),
        Progress(epoch=1, epochs=2, step=10, steps=10),
        Progress(epoch=1, epochs=2, step=1, steps=10),
    ) == [0.25, 0.25, 0.3, 0.5, 0.5]


def test_the_one_bar_of_a_run_is_the_run() -> None:
    assert shares(Progress(step=1, steps=4), Progress(step=4, steps=4)) == [0.25, 1.0]


def test_bars_of_loading_are_over_when_training_begins() -> None:
    said = [Progress(step=4, steps=4), Progress(step=1, steps=100), Progress(step=50, steps=100)]
    assert shares(*said) == [1.0, 0.01, 0.5]
    places = read(*said)
    assert [place.restarted for place in places if place] == [True, True, False]


def test_a_bar_that_was_given_up_does_not_stay_for_ever() -> None:
    passes = [Progress(step=step, steps=8) for _ in range(3) for step in (4, 8)]
    assert shares(Progress(step=1, steps=1000), *passes, Progress(step=2, steps=100))[-1] == 0.02


def test_a_bar_for_each_epoch_tells_nothing_of_the_whole() -> None:
    said = [Progress(step=step, steps=10) for _ in range(3) for step in (5, 10)]
    assert shares(*said) == [0.5, 1.0, None, None, None, None]


def test_alternating_bars_of_training_and_validation_tell_nothing_of_the_whole() -> None:
    pairs = [Progress(step=n, steps=total) for _ in range(2) for total in (10, 4) for n in (1, total)]
    assert shares(*pairs)[4:] == [None] * 4


def test_a_bar_that_names_its_epoch_is_that_epochs_until_it_spans_two() -> None:
    assert shares(Progress(epoch=0, step=5, steps=10), Progress(epoch=1, step=1, steps=10)) == [None, None]
    assert shares(Progress(epoch=1, step=5, steps=10), Progress(epoch=2, step=6, steps=10)) == [None, 0.6]


def test_the_step_of_a_validation_is_not_trainings() -> None:
    bars = Bars()
    steps = []
    for one in (Progress(step=5, steps=10), Progress(step=4, steps=4), Progress(step=6, steps=10)):
        bars.place(one)
        steps.append(bars.step)
    assert steps == [5, None, 6]


@pytest.mark.parametrize("progress", [Progress(), Progress(epoch=3), Progress(step=4), Progress(steps=4)])
def test_without_a_total_there_is_no_place(progress: Progress) -> None:
    assert read(progress) == [None]
