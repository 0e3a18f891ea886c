"""`floydtop stop` waits for a recorder that gets on, and for no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from floydtop.errors import FloydtopError
from floydtop.recorder import detach
from floydtop.recorder.detach import stop
from floydtop.session.library import Recording, look_at, new_path
from tests.recorder.jobs import until
from tests.session import samples

RECORDER = """
import os, signal, sys, time
from pathlib import Path
from floydtop.events import Note
from floydtop.session.owner import ourselves
from floydtop.session.writer import SessionWriter
from tests.session import samples

us = ourselves()
writer = SessionWriter(Path(sys.argv[1]))
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(time.monotonic()))
known = samples.header(recorder=us.pid, recorder_start=us.start, host=us.host, boot=us.boot)
writer.append([known], now=0.0)
while not told:
    time.sleep(0.02)
WORK
"""

SLOW = """
for number in range(20):
    writer.append([Note(t=number, text="what was still to be read")], now=number)
    time.sleep(0.1)
writer.close()
"""

DEAF = "time.sleep(600)"


@pytest.fixture
def recorder(state_home: Path) -> Iterator[Callable[[str], Recording]]:
    """Starts a recorder that does something else than end when it is told to."""
    started: list[subprocess.Popen[bytes]] = []

    def start(work: str) -> Recording:
        session = new_path("test", None)
        source = RECORDER.replace("WORK", work)
        started.append(subprocess.Popen([sys.executable, "-c", source, session]))
        until(lambda: (recording := look_at(session)) is not None and recording.live)
        recording = look_at(session)
        assert recording is not None
        assert recording.header.recorder == started[-1].pid
        return recording

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def test_a_recorder_that_is_behind_is_waited_for_and_that_is_said(
    recorder: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detach, "MOMENT", 0.2)
    recording, told = recorder(SLOW), []
    began = time.monotonic()
    stop(recording, patience=1.0, waiting=told.append)
    assert time.monotonic() - began > 1.5, "longer than it may be silent"
    assert len(told) == 1
    assert f"Waiting for recorder {recording.header.recorder} to write down" in told[0]


def test_a_recorder_that_does_nothing_any_more_is_given_up(recorder: Callable[[str], Recording]) -> None:
    recording = recorder(DEAF)
    with pytest.raises(FloydtopError, match=r"no sign of life for 1 seconds: `kill -9"):
        stop(recording, patience=1.0, waiting=lambda _: None)


def test_a_recorder_that_is_stopped_is_told_at_once(recorder: Callable[[str], Recording]) -> None:
    recording = recorder("writer.close()")
    pid = recording.header.recorder
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(FloydtopError, match=f"`kill -CONT {pid}`"):
        stop(recording, waiting=lambda _: None)
    os.kill(pid, signal.SIGCONT)
    until(lambda: (now := look_at(recording.path)) is not None and not now.live)


def test_a_stranger_with_the_recorders_pid_is_left_alone(recorder: Callable[[str], Recording]) -> None:
    recording = recorder("writer.close()")
    with subprocess.Popen(["sleep", "600"]) as stranger:
        header = msgspec.structs.replace(recording.header, recorder=stranger.pid)
        stop(replace(recording, header=header))
        assert stranger.poll() is None
        stranger.kill()
    now = look_at(recording.path)
    assert now is not None
    assert not now.live


def test_nobody_is_signalled_for_a_session_that_nobody_writes(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with subprocess.Popen(["sleep", "600"]) as stranger:
        path.write_bytes(samples.as_bytes([samples.header(recorder=stranger.pid, host=os.uname().nodename)]))
        recording = look_at(path)
        assert recording is not None
        with pytest.raises(FloydtopError, match="No process can be seen that writes run"):
            stop(recording)
        assert stranger.poll() is None
        stranger.kill()
