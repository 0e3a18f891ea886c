"""A session is what its events add up to, bounded whatever they are."""

from __future__ import annotations

import math

import pytest

from floydtop.events import Clock, Event, Exit, JobState, Metrics, Note, OutputLine, Sample
from floydtop.session import session as limits
from floydtop.session.session import Session
from tests.session import samples


def after(*events: Event) -> Session:
    session = Session()
    session.apply_all(events)
    return session


def test_a_run_adds_up_to_its_end() -> None:
    session = after(*samples.run())
    assert session.state == "exited"
    assert session.exit == Exit(signal="SIGKILL", how="told by the kernel")
    assert session.finished
    assert list(session.metrics) == ["loss", "acc", "epoch_seconds"]
    assert session.metrics["epoch_seconds"].group == "timing"
    assert session.metrics["epoch_seconds"].in_epochs
    assert list(session.metrics["loss"].steps) == [1, 2, 3]
    assert session.metrics["loss"].not_finite == 1
    assert list(session.system) == ["cpu.percent", "gpu.0.utilization"]
    assert session.system["cpu.percent"].highs[-1] == 90.0
    assert session.malformed_count == 1
    assert [gap.lost for gap in session.gaps] == [3]
    assert session.now == 10.0
    assert session.earliest == -15.0
    assert session.origin == -30.0


def test_the_name_is_the_command_line_and_else_the_log() -> None:
    assert after(samples.header()).name == "python train.py"
    assert after(samples.header(job=None)).name == "/home/ada/train.log"
    assert after().name == "?"


def test_a_job_that_runs_has_no_exit() -> None:
    session = after(JobState(t=0.0, state="exited", exit=Exit(code=1)), JobState(t=1.0, state="running"))
    assert session.exit is None


def test_unknown_readings_are_those_of_the_newest_sample() -> None:
    session = after(
        Sample(t=1.0, values={}, unknown={"disk.percent": "NFS is silent"}),
        Sample(t=2.0, values={"disk.percent": (1.0, 1.0, 1.0)}),
    )
    assert session.unknown == {}


def test_a_new_segment_opens_a_closed_session_again() -> None:
    session = after(*samples.run(), samples.header(segment=1))
    assert not session.finished
    assert session.segments == 2
    assert session.header == samples.header()


def test_a_clock_that_goes_back_moves_nothing_back() -> None:
    assert after(Note(t=9.0, text=""), Note(t=3.0, text="")).now == 9.0


def test_the_wall_clock_is_what_the_last_word_of_it_says() -> None:
    session = Session()
    session.apply_all([samples.header(), Clock(t=0.0, wall=1000.0), Clock(t=60.0, wall=5000.0)])
    assert [session.wall(t) for t in (-5.0, 30.0, 61.0)] == [995.0, 1030.0, 5001.0]


def test_too_many_metric_names_are_counted_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "METRIC_NAMES_KEPT", 10)
    session = after(*(Metrics(values={f"m{number}": 1.0}) for number in range(25)))
    assert len(session.metrics) == 10
    assert session.metric_names_dropped == 15


def test_lines_are_kept_up_to_a_limit_and_all_are_counted() -> None:
    session = after(*(OutputLine(text="x", line=number) for number in range(1, 5_101)))
    assert len(session.lines) == limits.LINES_KEPT
    assert session.lines[0].line == 101
    assert session.lines_seen == 5_100


def test_the_memory_of_which_lines_were_metrics_is_bounded() -> None:
    session = after(
        *(
            event
            for number in range(1, 40_001)
            for event in (OutputLine(text="", line=number), Metrics(values={"a": 1.0}, line=number))
        )
    )
    assert len(session.metric_lines) <= 4 * limits.LINES_KEPT
    assert all(line.line in session.metric_lines for line in session.lines)


def test_the_memory_of_metric_lines_forgets_a_log_that_was_rotated() -> None:
    first = [Metrics(values={"a": 1.0}, line=number) for number in range(1, 30_001)]
    session = after(*first, *first[:15_000])
    assert len(session.metric_lines) <= 4 * limits.LINES_KEPT
    assert 15_000 in session.metric_lines


def test_a_nan_loss_is_kept() -> None:
    assert math.isnan(after(Metrics(values={"loss": math.nan})).metrics["loss"].last)
