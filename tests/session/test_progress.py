"""What is left of a run is foreseen for runs as they are: noisy, slow at first, with validation, stopped."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Event, JobState, Metrics, OutputLine, Present, Progress
from floydtop.session.player import Player
from floydtop.session.session import Session
from tests.session import samples

RECORDED = Path(__file__).parents[1] / "data" / "sessions" / "demo.jsonl"


def steps_of(
    total: int,
    seconds: Callable[[int], float],
    *,
    first: int = 1,
    start: float = 0.0,
    make: Callable[[float, int], Event],
) -> Iterator[tuple[float, Event]]:
    """A run of `total` steps: what it says after each, and when."""
    t = start
    for step in range(first, total + 1):
        t += seconds(step)
        yield t, make(t, step)


def bar(total: int) -> Callable[[float, int], Event]:
    return lambda t, step: Progress(t=t, step=step, steps=total)


def epochs_of(
    epochs: int, steps: int, seconds: float, validation: float, noise: Callable[[], float] = lambda: 1.0
) -> list[tuple[float, Event]]:
    """Epochs of steps, each with a validation at its end that shows a bar of its own."""
    t, said = 0.0, []
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            t += seconds * noise()
            said.append((t, Progress(t=t, epoch=epoch, epochs=epochs, step=step, steps=steps)))
        for part in range(1, 5):
            t += validation * noise() / 4
            said.append((t, Progress(t=t, epoch=epoch, epochs=epochs, step=part, steps=4)))
    return said


def session_at(said: list[tuple[float, Event]], share: float) -> tuple[Session, float, float]:
    """The session when that share of the run's end time has passed, the moment, and what is really left."""
    end = said[-1][0]
    now = end * share
    session = Session()
    session.apply_all(event for t, event in said if t <= now)
    return session, now, end - now


def error_at(said: list[tuple[float, Event]], share: float) -> float:
    """By how much the estimate is off, as a part of what is really left."""
    session, now, left = session_at(said, share)
    eta = session.progress.eta_seconds(now)
    assert eta is not None
    return abs(eta - left) / left


SHARES = (0.1, 0.15, 0.2, 0.35, 0.5, 0.7, 0.9)


@pytest.mark.parametrize("share", SHARES)
def test_a_steady_run_is_foreseen_within_a_tenth(share: float) -> None:
    assert error_at(list(steps_of(500, lambda _: 0.8, make=bar(500))), share) < 0.1


@given(
    seed=st.integers(0, 2**32),
    total=st.integers(1_000, 3_000),
    seconds=st.floats(0.01, 120.0),
    share=st.sampled_from(SHARES[:-1]),
)
@settings(max_examples=40, deadline=None)
def test_a_run_of_noisy_steps_is_foreseen_within_a_tenth(
    seed: int, total: int, seconds: float, share: float
) -> None:
    noise = random.Random(seed)
    said = list(steps_of(total, lambda _: seconds * noise.uniform(0.6, 1.4), make=bar(total)))
    assert error_at(said, share) < 0.1


@pytest.mark.parametrize("share", SHARES)
def test_compiling_before_the_first_step_does_not_count(share: float) -> None:
    said = list(steps_of(2_000, lambda step: 1.0 if step > 1 else 120.0, make=bar(2_000)))
    assert error_at(said, max(share, 0.16)) < 0.1


@pytest.mark.parametrize("share", SHARES[1:])
def test_steps_that_are_slow_at_first_do_not_count(share: float) -> None:
    said = list(steps_of(2_000, lambda step: 1.0 + 4.0 * max(0.0, 1 - step / 80), make=bar(2_000)))
    assert error_at(said, share) < 0.1


@pytest.mark.parametrize("share", [0.11, 0.15, 0.2, 0.35, 0.5, 0.7, 0.9])
def test_validation_after_each_epoch_counts(share: float) -> None:
    noise = random.Random(1)
    said = epochs_of(10, 200, 0.5, 40.0, lambda: noise.uniform(0.8, 1.2))
    assert error_at(said, share) < 0.1


def test_validation_does_not_lower_the_step_rate() -> None:
    session, _, _ = session_at(epochs_of(10, 200, 0.5, 40.0), 0.5)
    assert session.progress.steps_per_second == pytest.approx(2.0, rel=0.05)
    assert session.progress.seconds_per_step == pytest.approx(0.5, rel=0.05)


def test_the_step_rate_of_epochs_shorter_than_a_second_is_right() -> None:
    said = epochs_of(500, 20, 0.02, 0.0)
    session = Session()
    session.apply_all(event for _, event in said[::97])
    assert session.progress.steps_per_second == pytest.approx(50.0, rel=0.1)
    assert session.metrics["steps_per_second"].steps[-1] > 9_000


def test_a_machine_that_slept_once_does_not_count() -> None:
    said = list(steps_of(1_000, lambda step: 1.0 if step != 260 else 3_600.0, make=bar(1_000)))
    session = Session()
    session.apply_all(event for _, event in said[:300])
    assert session.progress.eta_seconds(said[299][0]) == pytest.approx(700, rel=0.1)


def test_checkpoints_that_recur_count() -> None:
    said = list(steps_of(1_000, lambda step: 1.0 if step % 20 else 11.0, make=bar(1_000)))
    assert error_at(said, 0.3) < 0.1


def test_time_in_which_the_job_was_stopped_does_not_count() -> None:
    session = Session()
    for t, event in steps_of(1_000, lambda _: 1.0, make=bar(1_000)):
        if t > 300:
            break
        session.apply(event)
    session.apply(JobState(t=300.0, state="stopped"))
    assert session.progress.eta_seconds(900.0) == pytest.approx(700, rel=0.02)
    session.apply(JobState(t=1_000.0, state="running"))
    for step in range(301, 401):
        session.apply(Progress(t=700.0 + step, step=step, steps=1_000))
    assert session.progress.eta_seconds(1_100.0) == pytest.approx(600, rel=0.02)
    assert session.progress.steps_per_second == pytest.approx(1.0, rel=0.02)


def test_a_run_that_starts_again_forgets_its_past() -> None:
    first = [event for t, event in epochs_of(10, 50, 1.0, 5.0) if t < 300]
    again = [
        Progress(t=1_000 + t, epoch=event.epoch, epochs=10, step=event.step, steps=event.steps)
        for t, event in epochs_of(10, 50, 2.0, 10.0)
        if t < 330 and isinstance(event, Progress)
    ]
    session = Session()
    session.apply_all([*first, *again])
    assert session.progress.share == pytest.approx(0.3, abs=0.01)
    assert session.progress.eta_seconds(1_330.0) == pytest.approx(770, rel=0.1)


def test_a_run_attached_to_late_is_foreseen_from_its_start() -> None:
    session = Session()
    session.apply(samples.header())
    session.apply(Progress(t=0.1, epoch=4, epochs=10))
    assert session.progress.share == pytest.approx(0.3)
    assert session.progress.eta_seconds(0.1) == pytest.approx(70, rel=0.05)


def test_a_run_that_went_on_from_a_checkpoint_is_foreseen_by_its_pace() -> None:
    session = Session()
    session.apply(samples.header())
    for step in range(500, 521):
        session.apply(Progress(t=2.0 * (step - 499), step=step, steps=1_000))
    assert session.progress.eta_seconds(42.0) == pytest.approx(960, rel=0.05)


def test_epochs_without_steps_are_counted_down_in_between() -> None:
    session = Session()
    for epoch in range(1, 5):
        session.apply(Progress(t=600.0 * epoch, epoch=epoch, epochs=10))
    assert session.progress.eta_seconds(2_400.0) == pytest.approx(4_200)
    assert session.progress.eta_seconds(2_700.0) == pytest.approx(3_900)
    assert session.progress.eta_seconds(9_000.0) == pytest.approx(3_600)


def test_an_epoch_that_told_its_metrics_is_over() -> None:
    session = Session()
    session.apply(Metrics(values={"loss": 1.0}, t=5.0, epoch=3.0))
    session.apply(Progress(t=5.0, epoch=3, epochs=10))
    assert session.progress.share == pytest.approx(0.3)


def test_a_job_that_ended_has_nothing_left() -> None:
    session, now, _ = session_at(list(steps_of(100, lambda _: 1.0, make=bar(100))), 0.5)
    session.apply(JobState(t=now, state="exited"))
    assert session.progress.eta_seconds(now) is None
    assert session.progress.share == pytest.approx(0.5)


def test_metric_lines_without_a_bar_tell_the_step_rate_and_no_end() -> None:
    session = Session()
    for step in range(1, 400):
        t = step / 4
        session.apply(Metrics(values={"loss": 1 / step, "lr": 0.1}, t=t, step=step))
        if not step % 100:
            for own in range(1, 6):
                session.apply(Metrics(values={"val_loss": 1.0}, t=t, step=own))
    assert session.progress.steps_per_second == pytest.approx(4.0, rel=0.05)
    assert session.progress.share is None
    assert session.progress.eta_seconds(100.0) is None


def test_a_replay_knows_the_progress_of_each_moment() -> None:
    player = Player(RECORDED)
    assert player.session.progress.share == 1.0
    seen = []
    for share in (0.7, 0.5, 0.3):
        player.seek(player.end * share)
        eta = player.session.progress.eta_seconds(player.position)
        assert eta is not None
        seen.append((player.session.progress.share, -eta))
    assert seen == sorted(seen, reverse=True)


def test_the_step_rate_is_a_metric() -> None:
    session, _, _ = session_at(list(steps_of(600, lambda _: 0.25, make=bar(600))), 0.9)
    rate = session.metrics["steps_per_second"]
    assert rate.group == session.metrics["seconds_per_step"].group == "timing"
    assert len(rate) > 50
    assert set(rate.values) == {4.0}
    assert list(session.metrics["seconds_per_step"].values)[:3] == [0.25] * 3


def test_a_step_rate_that_the_job_prints_itself_takes_the_place_of_ours() -> None:
    session, now, _ = session_at(list(steps_of(600, lambda _: 0.25, make=bar(600))), 0.5)
    session.apply(Metrics(values={"steps_per_second": 99.0}, t=now, group="timing"))
    assert list(session.metrics["steps_per_second"].values) == [99.0]
    session.apply(Progress(t=now + 2, step=599, steps=600))
    session.apply(Progress(t=now + 4, step=600, steps=600))
    assert list(session.metrics["steps_per_second"].values) == [99.0]


def test_points_of_unknown_or_estimated_time_tell_no_rate() -> None:
    session = Session()
    for step in range(1, 100):
        session.apply(Metrics(values={"loss": 1.0}, t=step / 7, approximate=True, step=step))
        session.apply(Metrics(values={"loss": 1.0}, step=step))
        session.apply(Progress(step=step, steps=100))
    assert session.progress.steps_per_second is None
    assert session.progress.share == pytest.approx(0.99)
    assert "steps_per_second" not in session.metrics


def test_the_present_reading_knows_the_newest_progress() -> None:
    session = Session()
    session.present = Present(t=9.0, progress=Progress(t=9.0, step=3, steps=4))
    assert session.progress.share == 0.75
    session.present = None
    assert session.progress.share == 0.75


@given(
    st.lists(
        st.one_of(
            st.builds(
                Progress,
                t=st.none() | st.floats(-1e300, 1e300),
                epoch=st.none() | st.integers(-(2**63), 2**63),
                epochs=st.none() | st.integers(-(2**63), 2**63) | st.integers(0, 5),
                step=st.none() | st.integers(-(2**63), 2**63) | st.integers(0, 20),
                steps=st.none() | st.integers(-(2**63), 2**63) | st.integers(0, 20),
            ),
            samples.events,
            st.just(OutputLine(text="", line=1)),
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_no_nonsense_breaks_it(events: list[Event]) -> None:
    session = Session()
    for event in events:
        session.apply(event)
        share, eta = session.progress.share, session.progress.eta_seconds(session.now)
        assert share is None or 0 <= share <= 1
        assert eta is None or eta >= 0
