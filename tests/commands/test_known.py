"""Attaching again: which recording is shown, and what becomes of one that holds no output."""

from __future__ import annotations

from pathlib import Path

import pytest

from floydtop.commands.known import usable_recording
from floydtop.commands.watch import record
from floydtop.errors import FloydtopError
from floydtop.session.library import recordings
from floydtop.sources.target import resolve
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


def test_a_log_under_its_new_name_is_the_same_log(jobs: Jobs) -> None:
    pid = str(jobs.start("$PY train.py > out.log; true"))
    recorded(pid)
    (jobs.directory / "out.log").rename(jobs.directory / "moved.log")
    assert usable_recording(resolve(pid, log=str(jobs.directory / "moved.log"))) is not None
