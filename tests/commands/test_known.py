"""Attaching again: which recording is shown, and what becomes of one that holds no output."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from floydtop.commands.known import find_interrupted, usable_recording
from floydtop.commands.watch import record
from floydtop.errors import FloydtopError
from floydtop.events import Metrics
from floydtop.recorder.detach import stop
from floydtop.session.format import Reader
from floydtop.session.library import recordings
from floydtop.sources.target import Target, resolve
from tests.sources.jobs import Jobs, jobs, wait_until

__all__ = ["jobs"]


def recorded(text: str, log: str | None = None) -> None:
    record(resolve(text, log=log), interval=60)


def logs() -> list[tuple[str | None, bool]]:
    """The log of each recording and whether it goes on, the oldest first."""
    return [(one.header.log.path if one.header.log else None, one.live) for one in recordings()][::-1]


def test_a_job_that_is_recorded_is_not_recorded_again(jobs: Jobs) -> None:
    pid = str(jobs.start("$PY train.py > out.log; true"))
    recorded(pid)
    recorded(pid)
    recorded(str(jobs.directory / "out.log"))
    assert logs() == [(str(jobs.directory / "out.log"), True)]


def test_a_log_that_is_named_ends_the_recording_without_one(jobs: Jobs, tmp_path: Path) -> None:
    """As `floydtop PID` says where the output is thrown away: name the log with --log FILE."""
    pid = str(jobs.start("$PY train.py > /dev/null 2>&1; true"))
    (tmp_path / "train.log").write_text("loss: 1\n")
    recorded(pid)
    recorded(pid, log=str(tmp_path / "train.log"))
    wait_until(lambda: len(logs()) == 2)
    assert sorted(logs(), key=str) == [(str(tmp_path / "train.log"), True), (None, False)]


def test_a_recording_with_another_log_is_neither_shown_for_it_nor_ended(jobs: Jobs, tmp_path: Path) -> None:
    pid = str(jobs.start("$PY train.py > out.log; true"))
    (tmp_path / "other.log").write_text("loss: 1\n")
    recorded(pid)
    with pytest.raises(FloydtopError, match=rf"with the log .*out\.log: end that with `floydtop stop {pid}`"):
        recorded(pid, log=str(tmp_path / "other.log"))
    assert logs() == [(str(jobs.directory / "out.log"), True)]


def test_the_next_log_of_a_script_that_trains_again_is_recorded_anew(jobs: Jobs) -> None:
    (jobs.directory / "loop.sh").write_text(
        "JOB_PID_FILE=pid1 timeout 3 $PY train.py > 1.log\nJOB_PID_FILE=pid2 $PY train.py > 2.log\ntrue\n"
    )
    shell = str(jobs.start("exec bash loop.sh", wait=False))
    first, second = jobs.directory / "1.log", jobs.directory / "2.log"
    wait_until(lambda: first.exists() and first.stat().st_size > 300)
    recorded(shell)
    wait_until(lambda: second.exists() and second.stat().st_size > 300)
    recorded(shell)
    recorded(shell)
    assert sorted(logs(), key=str) == [(str(first), False), (str(second), True)]


def test_a_log_under_its_new_name_is_the_same_log(jobs: Jobs) -> None:
    pid = str(jobs.start("$PY train.py > out.log; true"))
    recorded(pid)
    (jobs.directory / "out.log").rename(jobs.directory / "moved.log")
    assert usable_recording(resolve(pid, log=str(jobs.directory / "moved.log"))) is not None


def finished(log: Path) -> Path:
    """Record a log that nobody writes, to its end; the recording that it is in."""
    os.utime(log, (1e9, 1e9))
    before = {one.path: one.size for one in recordings()}
    recorded(str(log))
    wait_until(lambda: not any(one.live for one in recordings()))
    (changed,) = [one.path for one in recordings() if before.get(one.path) != one.size]
    return changed


def steps(session: Path) -> list[int | None]:
    found = Reader().feed(session.read_bytes())
    return [event.step for event in found if isinstance(event, Metrics)]


def test_a_log_that_has_grown_goes_on_in_the_recording_that_ended(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss", "value": 1, "step": 1}\n' * 3)
    first = finished(log)
    with log.open("a") as file:
        file.write('{"metric": "loss", "value": 1, "step": 2}\n')
    assert finished(log) == first
    assert len(list(recordings())) == 1
    assert steps(first) == [1, 1, 1, 2]
    assert usable_recording(resolve(str(log))) == first


def test_a_log_of_another_run_under_the_same_name_is_recorded_anew(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss", "value": 1, "step": 1}\n')
    first = finished(log)
    log.write_text('{"metric": "loss", "value": 2, "step": 5}\n' * 3)
    second = finished(log)
    assert second != first
    assert (steps(first), steps(second)) == ([1], [5, 5, 5])


def test_the_finished_log_of_a_job_is_shown_by_the_recording_of_the_job(jobs: Jobs) -> None:
    job = jobs.start("$PY train.py > out.log; true")
    log = jobs.directory / "out.log"
    recorded(str(job))
    os.kill(job, signal.SIGKILL)
    wait_until(lambda: not any(one.live for one in recordings()))
    assert usable_recording(resolve(str(log))) == next(recordings()).path


def test_a_job_that_runs_is_not_said_to_have_ended_when_its_log_is_watched_alone(jobs: Jobs) -> None:
    """As the second of two logs of one process is, after each had a recording of its own."""
    pid = jobs.start("$PY train.py > out.log; true")
    recorded(str(pid))
    (recording,) = recordings()
    stop(recording)
    alone = Target("log", log=str(jobs.directory / "out.log"))
    assert find_interrupted(alone) is None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
    assert find_interrupted(alone) == recording.path
