"""`floydtop sessions` lists recordings, `floydtop stop` ends one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from floydtop.recorder.detach import Starting
from floydtop.recorder.recording import Assignment
from floydtop.session.library import new_path
from floydtop.session.writer import is_being_recorded
from tests.commands.run import floydtop, refusal
from tests.recorder.jobs import Job, job
from tests.session import samples


@pytest.fixture
def recorded(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of (job, session)
    with job(tmp_path / "train.log") as child:
        session = new_path("test", child.pid)
        Starting(Assignment(session, child.pid, str(child.log))).wait()
        yield child, session


def test_without_sessions_it_says_how_to_begin() -> None:
    result = floydtop("sessions")
    assert result.returncode == 0
    assert "floydtop demo" in result.stdout


def test_sessions_are_listed_with_how_they_ended(recorded: tuple[Job, Path]) -> None:
    child, session = recorded
    old = session.parent / "20200101T000000Z-test-4711-aaaaaa.jsonl"
    old.write_bytes(samples.as_bytes(samples.run()))
    heading, newest, oldest = floydtop("sessions").stdout.splitlines()
    assert heading.split() == ["NAME", "STARTED", "LENGTH", "STATE", "SIZE", "JOB"]
    assert newest.startswith(session.stem)
    assert "recording" in newest
    assert oldest.startswith(old.stem)
    assert "killed by SIGKILL" in oldest
    assert oldest.endswith("python train.py")
    assert child.process.poll() is None


def test_a_job_with_a_hostile_command_line_is_listed_harmless(state_home: Path) -> None:
    path = new_path("test", 1)
    path.parent.mkdir(parents=True)
    evil = samples.header().job
    assert evil is not None
    import msgspec

    header = samples.header(job=msgspec.structs.replace(evil, command=["\x1b]52;c;RVZJTA==\x07", "a\nb"]))
    path.write_bytes(samples.as_bytes([header]))
    text = floydtop("sessions").stdout
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("by", ["pid", "name", "nothing"])
def test_stop_ends_a_recording(recorded: tuple[Job, Path], by: str) -> None:
    child, session = recorded
    names = {"pid": [child.pid], "name": [session.stem], "nothing": []}
    result = floydtop("stop", *names[by])  # type: ignore[arg-type]  # each is one
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"Stopped: floydtop replay {session.stem}\n"
    assert not is_being_recorded(session)
    assert child.process.poll() is None


def test_a_recording_that_is_over_cannot_be_stopped(state_home: Path) -> None:
    path = new_path("test", 4711)
    path.parent.mkdir(parents=True)
    path.write_bytes(samples.as_bytes(samples.run()))
    assert "does not go on" in refusal(floydtop("stop", path.stem))
    assert "No recording goes on" in refusal(floydtop("stop"))


def test_a_recorder_of_a_finished_log_can_be_run_by_hand(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss", "value": 2}\n')
    os.utime(log, (1e9, 1e9))
    session = tmp_path / "run.jsonl"
    result = floydtop("record", session, "--log", log)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert '"loss"' in floydtop("export", session).stdout


def test_doctor_tells_what_can_be_measured(tmp_path: Path) -> None:
    with job(tmp_path / "train.log") as child:
        result = floydtop("doctor", child.pid)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) > 3
