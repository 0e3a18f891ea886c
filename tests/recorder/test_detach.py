"""A detached recorder is nobody's child, has no terminal, and outlives whoever started it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from floydtop.errors import FloydtopError
from floydtop.events import End, JobState, Metrics
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import READY_WITHIN, Starting, _last_words, stop
from floydtop.session.library import Recording, look_at, new_path
from floydtop.session.writer import is_being_recorded
from tests.recorder.jobs import Job, events, job, until


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "train.log") as running:
        yield running


@pytest.fixture
def session(state_home: Path) -> Path:
    return new_path("test", None)


def start(session: Path, child: Job) -> Recording:
    Starting(Assignment(session, child.pid, str(child.log))).wait()
    recording = look_at(session)
    assert recording is not None
    assert recording.live
    return recording


def stat(pid: int) -> list[str]:
    """/proc/PID/stat after the name: state, parent, group, session, terminal, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_recorder_is_not_our_child_and_has_no_terminal(session: Path, child: Job) -> None:
    pid = start(session, child).header.recorder
    _, parent, _, session_leader, terminal, *_ = stat(pid)
    assert int(parent) != os.getpid()
    assert int(session_leader) not in (os.getsid(0), pid), "a session leader could still get a terminal"
    assert terminal == "0"
    assert os.readlink(f"/proc/{pid}/cwd") == "/", "a recorder must not hold a file system"
    for number in (0, 1):
        assert os.readlink(f"/proc/{pid}/fd/{number}") == "/dev/null"


def test_a_recorder_leaves_no_file_behind_but_its_session(session: Path, child: Job) -> None:
    start(session, child)
    until(lambda: {path.suffix for path in session.parent.iterdir()} == {".jsonl", ".now", ""})


def test_a_lost_terminal_does_not_stop_it(session: Path, child: Job) -> None:
    os.kill(start(session, child).header.recorder, signal.SIGHUP)
    child.metric("loss", 0.5, 1)
    until(lambda: any(isinstance(event, Metrics) for event in events(session)))
    assert is_being_recorded(session)


STARTER = """
import fcntl, os, sys, termios, time
fcntl.ioctl(0, termios.TIOCSCTTY)
from pathlib import Path
from floydtop.recorder.detach import Starting
from floydtop.recorder.assignment import Assignment
Starting(Assignment(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])).wait()
time.sleep(60)
"""


def test_it_outlives_its_starter_and_the_terminal(session: Path, child: Job) -> None:
    ours, theirs = pty.openpty()
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, session, str(child.pid), child.log],
        stdin=theirs,
        stdout=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    until(lambda: is_being_recorded(session))
    os.close(ours)
    assert starter.wait(10) == -signal.SIGHUP, "the link was dropped"
    child.metric("loss", 0.5, 1)
    until(lambda: any(isinstance(event, Metrics) for event in events(session)))
    assert is_being_recorded(session)


def test_it_ends_by_itself_after_the_job(session: Path, child: Job) -> None:
    pid = start(session, child).header.recorder
    until(lambda: any(isinstance(event, JobState) for event in events(session)))
    child.process.send_signal(signal.SIGTERM)
    until(lambda: not is_being_recorded(session))
    state = next(event for event in reversed(events(session)) if isinstance(event, JobState))
    assert state.exit is not None
    assert state.exit.signal == "SIGTERM"
    until(lambda: not Path(f"/proc/{pid}").exists() or stat(pid)[0] == "Z")
    assert [path.suffix for path in session.parent.iterdir()] == [".jsonl"]


def test_stop_ends_the_recording_and_not_the_job(session: Path, child: Job) -> None:
    stop(start(session, child))
    assert not is_being_recorded(session)
    end = events(session)[-1]
    assert isinstance(end, End)
    assert end.why == "stopped"
    assert child.process.poll() is None


def test_a_recorder_on_another_machine_is_not_signalled(session: Path, child: Job) -> None:
    recording = start(session, child)
    header = msgspec.structs.replace(recording.header, host="elsewhere")
    there = Recording(session, header, True, None, 0.0, 0, None)
    with pytest.raises(FloydtopError, match=r"runs on elsewhere: stop it there\."):
        stop(there)
    assert is_being_recorded(session)


def test_a_job_that_has_just_ended_is_told_at_once_and_leaves_nothing(session: Path, child: Job) -> None:
    child.process.kill()
    child.process.wait()
    began = time.monotonic()
    with pytest.raises(FloydtopError, match=r"^[^\n]*\b" + str(child.pid) + r"\b[^\n]*$"):
        Starting(Assignment(session, child.pid, str(child.log))).wait()
    assert time.monotonic() - began < READY_WITHIN
    assert list(session.parent.iterdir()) == []


def test_a_full_disk_is_told_at_once(session: Path, child: Job) -> None:
    session.parent.mkdir(parents=True)
    limit = f"ulimit -f 0; exec {sys.executable} -m floydtop record {session} --pid {child.pid}"
    refused = subprocess.run(["sh", "-c", limit], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2
    assert refused.stderr.startswith("floydtop: Cannot write the session")
    assert refused.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, child: Job) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FloydtopError, match="Cannot write to"):
        Starting(Assignment(tmp_path / "file" / "run.jsonl", child.pid, None))


def test_only_a_failure_counts_as_last_words() -> None:
    assert _last_words("") is None
    assert _last_words("x.py:1: DeprecationWarning: old\n  import x\n") is None
    assert _last_words("x.py:1: DeprecationWarning: old\nfloydtop: There is no process 7.\n") == (
        "There is no process 7."
    )
    assert _last_words("Traceback (most recent call last):\n  File\n") is None
    assert _last_words("Traceback (most recent call last):\n  File\nKeyError: 1\n") == "KeyError: 1"
    assert _last_words("floydtop: There is no pro") is None
